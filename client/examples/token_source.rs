//! Keeps a token of an application at hand and says when it changes, over restarts of the daemon:
//! `cargo run -p token-broker-client --example token_source -- APP`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to people")]

use std::process::ExitCode;

use token_broker_client::{Client, ClientOptions, calls::TokenRequest, oauth::ApplicationName};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("usage: token_source APP");
        return ExitCode::from(2);
    };
    match follow(&name).await {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn follow(name: &str) -> Result<std::convert::Infallible, Box<dyn std::error::Error>> {
    let client = Client::new(&ClientOptions::default())?;
    let mut source = client.token_source(TokenRequest::new(ApplicationName::parse("application", name)?));
    loop {
        // Before every request of your own: this is a look into memory, so nothing needs to be kept.
        match source.token() {
            Ok(token) => println!("the token is valid until {} (Unix seconds)", token.expires_on.seconds()),
            Err(why) => println!("no token: {why}"),
        }
        source.changed().await;
    }
}
