//! Asks the daemon for a token of an application and prints when it expires:
//! `cargo run -p token-broker-client --example token -- APP`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to people")]

use std::process::ExitCode;

use token_broker_client::{Client, ClientError, ClientOptions, calls::TokenRequest, oauth::ApplicationName};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("usage: token APP");
        return ExitCode::from(2);
    };
    match ask(&name).await {
        Ok(expires_on) => {
            println!("the token is valid until {expires_on} (Unix seconds)");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn ask(name: &str) -> Result<i64, Box<dyn std::error::Error>> {
    let client = Client::new(&ClientOptions::default())?;
    let request = TokenRequest::new(ApplicationName::parse("application", name)?);
    match client.token(&request).await {
        Ok(answer) => Ok(answer.expires_on.seconds()),
        // The reason is the word to decide by; the advice is what to tell the user.
        Err(ClientError::Broker(failure)) => {
            let advice = failure.advice.as_deref().unwrap_or("see `broker-cli status`");
            Err(format!("{} ({}): {advice}", failure.message, failure.reason.as_str()).into())
        }
        Err(error) => Err(error.into()),
    }
}
