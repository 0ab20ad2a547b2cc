//! How a command failed, and how that is told: a message with the next command to type on standard error, or one JSON object
//! on standard output, and an exit code.

mod advice;
mod exit_code;
mod issuer;
mod report;
pub(crate) mod start;

use std::{io, path::PathBuf};

use token_broker_client::{ClientError, Invalid, Reason};

pub(crate) use exit_code::Exit;
pub(crate) use report::{report, report_usage, told, told_at};

use crate::{
    arguments::{Arguments, Command, app::AppCommand, watch::EventsArguments},
    commands::login,
};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The daemon said no, or could not be asked.
    Client(ClientError),
    /// An argument breaks a rule.
    Invalid(Invalid),
    /// A file or standard input is not what it should be.
    Input(String),
    /// One application of an applied file failed.
    Application(String, Box<Failed>),
    /// Nobody reads the output any more, or it cannot be written.
    Output(io::Error),
    /// The user pressed Ctrl-C.
    Cancelled,
    /// The user service cannot be had this way: why, in the reason's sense, and what to type instead.
    Service {
        /// The word for programs.
        reason: Reason,
        /// What is in the way.
        what: String,
        /// The next command to type.
        advice: String,
    },
    /// The system refused something that should always work.
    System(String),
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<Invalid> for Failed {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What was being done: the facts that advice is made of.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// `--socket`, to be repeated in commands to type.
    pub(crate) socket: Option<PathBuf>,
    /// The command, such as `login` or `app add`.
    pub(crate) command: &'static str,
    /// The application it is about.
    pub(crate) application: Option<String>,
    /// The scopes that were asked for.
    pub(crate) scopes: Vec<String>,
    /// Whether a sign-in by device code was chosen.
    pub(crate) device_code: bool,
    /// The option that named an issuer or an authority, and its value.
    pub(crate) issuer: Option<(&'static str, String)>,
}

impl Context {
    /// The context of a command line.
    pub(crate) fn of(arguments: &Arguments) -> Self {
        let socket = arguments.global.socket.clone();
        let about = |command, application: &dyn ToString| Self {
            socket: socket.clone(),
            command,
            application: Some(application.to_string()),
            ..Self::default()
        };
        match &arguments.command {
            Command::Login(login) => Self {
                scopes: login.scopes.clone(),
                device_code: login::uses_device_code(login),
                ..about("login", &login.application)
            },
            Command::Token(token) => Self { scopes: token.scopes.clone(), ..about("token", &token.application) },
            Command::Watch(watch) => Self { scopes: watch.scopes.clone(), ..about("watch", &watch.application) },
            Command::Events(EventsArguments { application: Some(application) }) => about("events", application),
            Command::Logout(logout) => about("logout", &logout.application),
            Command::Accounts { application: Some(application) } => about("accounts", application),
            Command::App(AppCommand::Add(add)) => {
                let issuer = add.issuer().map(|(option, typed)| (option, typed.to_owned()));
                Self { issuer, ..about("app add", &add.application) }
            }
            Command::App(AppCommand::Show { application } | AppCommand::Remove { application }) => {
                about("app", application)
            }
            Command::App(AppCommand::List | AppCommand::Apply(_)) => Self { socket, command: "app", ..Self::default() },
            Command::Accounts { application: None }
            | Command::Events(EventsArguments { application: None })
            | Command::Cache(_)
            | Command::Status
            | Command::Doctor
            | Command::Metrics
            | Command::Service(_)
            | Command::Completions { .. } => Self { socket, ..Self::default() },
        }
    }
}
