//! `broker-cli`: reads the arguments, asks the daemon through the client crate, prints, and ends with a stable exit code.
//!
//! It owns no token logic. It is on people's hot path: one thread, no logger, nothing built that the command does not need.

mod arguments;
mod commands;
mod failure;
mod output;

use std::process::ExitCode;

use token_broker_client::ClientOptions;

use crate::{
    arguments::{Arguments, Command},
    commands::Session,
    failure::{Context, Exit, Failed},
    output::Output,
};

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(arguments) => arguments,
        Err(wrong) => return ExitCode::from(failure::report_usage(&wrong)),
    };
    let output = if arguments.wants_json() { Output::Json } else { Output::People };
    let context = Context::of(&arguments);
    match run(arguments, output) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failed) => ExitCode::from(failure::report(&failed, &context, output)),
    }
}

fn run(arguments: Arguments, output: Output) -> Result<Exit, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| Failed::System(format!("cannot start: {error}")))?;
    // `token` leaves nothing to tidy up and prints nothing when it is cancelled: the signal itself ends it, which shells report as
    // 130 too, and the hot path is spared the signal handler.
    let cancellable = !matches!(arguments.command, Command::Token(_));
    let result = runtime.block_on(async {
        let options = ClientOptions { socket: arguments.global.socket, server_uid: None };
        let session = Session { options, output };
        // Ending the command drops what it waits for: a sign-in is cancelled at the daemon.
        tokio::select! {
            biased;
            result = commands::run(&session, arguments.command) => result,
            _ = tokio::signal::ctrl_c(), if cancellable => Err(Failed::Cancelled),
        }
    });
    runtime.shutdown_background();
    result
}
