//! What each command does: a request made of the arguments, one or two calls, and the answer printed.

mod accounts;
mod app;
mod apply;
mod cache;
mod completions;
mod health;
pub(crate) mod login;
mod service;
mod token;
mod watch;

use token_broker_client::{Client, ClientOptions};

use crate::{
    arguments::Command,
    failure::{self, Exit, Failed},
    output::Output,
};

/// What every command has at hand.
pub(crate) struct Session {
    /// Where the daemon is.
    pub(crate) options: ClientOptions,
    /// Where to write.
    pub(crate) output: Output,
}

impl Session {
    /// The daemon. Asked for when the arguments are known to be right: wrong usage is told first.
    fn client(&self) -> Result<Client, Failed> {
        Ok(Client::new(&self.options)?)
    }

    /// What a failure says, and the next command to type.
    fn told(&self, failed: &Failed) -> (String, Option<String>) {
        failure::told_at(failed, self.options.socket.clone())
    }
}

/// Runs the command.
pub(crate) async fn run(session: &Session, command: Command) -> Result<Exit, Failed> {
    match command {
        Command::Token(arguments) => token::run(session, arguments).await,
        Command::Login(arguments) => login::run(session, arguments).await,
        Command::Accounts { application } => accounts::list(session, application.as_ref()).await,
        Command::Logout(arguments) => accounts::sign_out(session, arguments).await,
        Command::App(command) => app::run(session, command).await,
        Command::Watch(arguments) => watch::run(session, arguments).await,
        Command::Events(arguments) => watch::events(session, arguments).await,
        Command::Cache(command) => cache::run(session, command).await,
        Command::Service(command) => service::run(session, &command).await,
        Command::Status => health::status::run(session).await,
        Command::Metrics => health::metrics::run(session).await,
        Command::Doctor => health::doctor::run(session).await,
        Command::Completions { shell } => completions::run(shell),
    }
}
