//! The command line as types: what the user may type, parsed into the words of the API. Wrong usage ends here with exit
//! code 2, before the daemon is asked.

pub(crate) mod app;
pub(crate) mod cache;
mod duration;
pub(crate) mod secret;
pub(crate) mod service;
pub(crate) mod sign_in;
pub(crate) mod token;
pub(crate) mod watch;

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use token_broker_client::{
    Invalid,
    oauth::{ApplicationName, Claims, ScopeSet},
};

const EXAMPLES: &str = "\
Examples:
  broker-cli app add work --client-id 11111111-2222-... --tenant contoso.com --scope User.Read
  broker-cli login work
  broker-cli token work --format header | curl -H @- https://graph.microsoft.com/v1.0/me
  broker-cli token work --min-validity 15m --json
  broker-cli logout work --revoke

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 sign-in needed, 4 no daemon, 5 declined or denied, 6 try again later, 7 locked, 130 cancelled.";

const GLOBAL: &str = "Global options";
const SOCKET_HELP: &str =
    "Socket of the daemon [default: $TOKEN_BROKER_SOCKET, else $XDG_RUNTIME_DIR/token-broker/broker.sock]";

/// Tokens for programs and people, from the token-broker daemon.
#[derive(Debug, Parser)]
#[command(name = "broker-cli", version, after_help = EXAMPLES, propagate_version = false, max_term_width = 110)]
pub(crate) struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Socket of the daemon.
    #[arg(long, global = true, value_name = "PATH", help = SOCKET_HELP, help_heading = GLOBAL)]
    pub(crate) socket: Option<PathBuf>,
    /// Print a stable JSON form, errors too
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
}

/// `token` without its neighbours. That command is on people's hot path, where building the tree of all commands costs more than
/// all the rest of the process; a line that this does not accept is left to the tree, which has the words for it.
#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
struct TokenOnly {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    #[command(disable_help_flag = true)]
    Token(token::TokenArguments),
}

impl TokenOnly {
    fn parse(line: &[OsString]) -> Option<Arguments> {
        if !line.iter().any(|word| word == "token") {
            return None;
        }
        let Self { global, command: TokenCommand::Token(token) } = Self::try_parse_from(line).ok()?;
        Some(Arguments { global, command: Command::Token(token) })
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register, show and remove applications (OAuth clients)
    #[command(subcommand)]
    App(app::AppCommand),
    /// Sign a user in to an application
    Login(sign_in::LoginArguments),
    /// Print a valid access token; never opens a browser
    Token(token::TokenArguments),
    /// List the accounts that are signed in
    Accounts {
        /// Only those of this application
        #[arg(value_name = "APP", value_parser = application)]
        application: Option<ApplicationName>,
    },
    /// Sign an account out and forget its tokens
    Logout(sign_in::LogoutArguments),
    /// Follow a token: print it and each newer one
    Watch(watch::WatchArguments),
    /// Follow what happens: sign-ins, renewals, changes; a line each
    Events(watch::EventsArguments),
    /// Look at the token cache and care for it
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// Show the health of the daemon and of its store
    Status,
    /// Look for what is wrong, and say what to do
    Doctor,
    /// Print what was counted since the daemon's start, as Prometheus reads it
    Metrics,
    /// Install, remove and show the user service that runs the daemon
    #[command(subcommand)]
    Service(service::ServiceCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Arguments {
    /// Whether the answer is wanted as JSON; `token --format json` is the same as `--json`.
    pub(crate) fn wants_json(&self) -> bool {
        self.global.json || matches!(&self.command, Command::Token(token) if token.format == token::Format::Json)
    }
}

/// Reads the process's arguments.
pub(crate) fn parse() -> Result<Arguments, clap::Error> {
    read(&std::env::args_os().collect::<Vec<_>>())
}

fn read(line: &[OsString]) -> Result<Arguments, clap::Error> {
    TokenOnly::parse(line).map_or_else(|| Arguments::try_parse_from(line), Ok)
}

/// Scopes, repeated or separated by spaces; none stands for the application's own list.
pub(crate) fn scopes(texts: &[String]) -> Result<Option<ScopeSet>, Invalid> {
    let set = ScopeSet::parse(texts.iter().map(String::as_str))?;
    Ok(Some(set).filter(|set| !set.is_empty()))
}

fn application(text: &str) -> Result<ApplicationName, String> {
    ApplicationName::parse("application", text).map_err(|invalid| format!("an application name {}", invalid.rule))
}

fn claims(text: &str) -> Result<Claims, String> {
    let parsed = Claims::parse(text).map_err(|invalid| invalid.rule)?;
    parsed.ok_or_else(|| "must be a JSON object".to_owned())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{CommandFactory as _, Parser as _};

    use super::{Arguments, TokenOnly};

    const CONTRACT: &[&str] = &[
        "broker-cli app add a --client-id i --tenant t --scope x --scope y --redirect-uri http://127.0.0.1/cb --offline --replace",
        "broker-cli app add a --client-id i --issuer https://id.example --client-secret-stdin",
        "broker-cli app add a --client-id i --authority https://login.microsoftonline.com/t",
        "broker-cli app add a --client-id i --token-endpoint https://x/t --device-endpoint https://x/d --authorization-endpoint https://x/a",
        "broker-cli app list",
        "broker-cli app show a",
        "broker-cli app remove a",
        "broker-cli app apply file.toml",
        "broker-cli login a --scope x --device-code --login-hint u --prompt login --domain-hint d --claims {} --timeout 90s",
        "broker-cli login a --no-browser",
        "broker-cli login a --username u --password-stdin --scope x --claims {} --timeout 90s",
        "broker-cli login a --username u --user-assertion-stdin",
        "broker-cli login a --user-object-id i --user-assertion-stdin",
        "broker-cli login a --refresh-token-stdin --scope x",
        "broker-cli token a --scope x --account u --tenant t --force-refresh --min-validity 15m --claims {} --id-token --format env",
        "broker-cli token a --app-only --format oauthbearer",
        "broker-cli accounts",
        "broker-cli accounts a",
        "broker-cli logout a --account u --revoke",
        "broker-cli watch a --scope x --account u --min-validity 15m",
        "broker-cli watch a --app-only --tenant t --json",
        "broker-cli token a --on-behalf-of-stdin --scope x --claims {} --forwarded-client-claims {}",
        "broker-cli token a --on-behalf-of-stdin --session-key k",
        "broker-cli token a --on-behalf-of-stdin --new-session",
        "broker-cli token a --session-key k --force-refresh",
        "broker-cli token a --on-behalf-of-stdin --audience files --resource https://files.example/",
        "broker-cli token a --app-only --fmi-path a/b --forwarded-client-claims {}",
        "broker-cli token a --kerberos-service-principal HTTP/files.example --id-token",
        "broker-cli events",
        "broker-cli events a --json",
        "broker-cli cache list",
        "broker-cli cache show at-1",
        "broker-cli cache remove rt-2",
        "broker-cli cache verify",
        "broker-cli status --json --socket /s",
        "broker-cli --socket /s --json status",
        "broker-cli doctor",
        "broker-cli doctor --json",
        "broker-cli metrics",
        "broker-cli completions zsh",
        "broker-cli service install --no-start --private-users --json",
        "broker-cli service uninstall",
        "broker-cli service status",
    ];

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
        TokenOnly::command().debug_assert();
    }

    #[test]
    fn what_the_contract_lists_is_accepted() {
        for line in CONTRACT {
            assert!(parse(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn the_short_way_of_token_reads_what_the_whole_tree_reads() {
        for (line, short) in [
            ("broker-cli token a", true),
            ("broker-cli --json token token --scope b --scope=c --socket /s --format env", true),
            (
                "broker-cli --socket token token a --account u --tenant t --force-refresh --min-validity 15m --id-token",
                true,
            ),
            ("broker-cli token -- a", true),
            ("broker-cli token a --claims {} --app-only", true),
            ("broker-cli token --help", false),
            ("broker-cli token a --app-only --account u", false),
            ("broker-cli token", false),
            ("broker-cli app show token", false),
            ("broker-cli help token", false),
            ("broker-cli --socket token status", false),
        ] {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            let (short_way, tree) = (TokenOnly::parse(&words), Arguments::try_parse_from(&words));
            assert_eq!(short_way.is_some(), short, "{line}");
            if let Some(read) = short_way {
                assert_eq!(format!("{read:?}"), format!("{:?}", tree.unwrap()), "{line}");
            }
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [
            "broker-cli app add a --client-id i --tenant t --issuer https://id.example",
            "broker-cli app add a --client-id i --device-endpoint https://x/d",
            "broker-cli app add a",
            "broker-cli token a --app-only --account u",
            "broker-cli token a!",
            "broker-cli token a --on-behalf-of-stdin --account u",
            "broker-cli token a --on-behalf-of-stdin --app-only",
            "broker-cli token a --new-session",
            "broker-cli token a --session-key k --account u",
            "broker-cli token a --audience files",
            "broker-cli token a --fmi-path a/b",
            "broker-cli token a --forwarded-client-claims []",
            "broker-cli watch",
            "broker-cli watch a --force-refresh",
            "broker-cli token a --claims []",
            "broker-cli token a --min-validity soon",
            "broker-cli login a --device-code --no-browser",
            "broker-cli login a --password-stdin",
            "broker-cli login a --username u",
            "broker-cli login a --username u --refresh-token-stdin",
            "broker-cli login a --user-assertion-stdin",
            "broker-cli login a --user-object-id i --password-stdin",
            "broker-cli login a --user-object-id i --username u --user-assertion-stdin",
            "broker-cli login a --username u --password-stdin --device-code",
            "broker-cli login a --username u --password-stdin --user-assertion-stdin",
            "broker-cli login a --username u --password-stdin --prompt login",
            "broker-cli login a --refresh-token-stdin --max-age 90s",
            "broker-cli login a --username u --password p",
            "broker-cli cache show 17",
            "broker-cli",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
