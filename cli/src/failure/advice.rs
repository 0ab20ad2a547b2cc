//! What to type next after a failure: the daemon's own advice, else a command made from the reason and from what was asked.

use std::path::PathBuf;

use token_broker_client::{Account, ClientError, Failure, Reason, SocketPath};

use super::{Context, Failed};

/// Where packages put the units of users.
const UNIT_FOLDERS: [&str; 5] = [
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/usr/local/share/systemd/user",
];

/// The next command to type, if there is one.
pub(super) fn of(failed: &Failed, context: &Context) -> Option<String> {
    match failed {
        Failed::Client(ClientError::Broker(failure)) => failure.advice.clone().or_else(|| of_reason(failure, context)),
        Failed::Client(ClientError::NoDaemon { .. } | ClientError::Interrupted) => Some(start(context)),
        Failed::Client(ClientError::NoSocketPath) => {
            Some("broker-cli --socket PATH, or set TOKEN_BROKER_SOCKET".to_owned())
        }
        Failed::Client(ClientError::Protocol(_)) => Some(command(context, "status")),
        Failed::Application(_, cause) => of(cause, context),
        Failed::Service { advice, .. } => Some(advice.clone()),
        Failed::Client(ClientError::ForeignServer { .. } | ClientError::TurnedAway { .. })
        | Failed::Invalid(_)
        | Failed::Input(_)
        | Failed::Output(_)
        | Failed::Cancelled
        | Failed::System(_) => None,
    }
}

/// How to start the daemon at this socket.
fn start(context: &Context) -> String {
    match SocketPath::resolve(context.socket.as_deref()) {
        Ok(socket) if !socket.is_default() => format!("token-brokerd --socket {}", quoted(&socket.to_string())),
        _ if cfg!(target_os = "macos") => "token-brokerd".to_owned(),
        _ if has_unit() => "systemctl --user start token-broker.socket".to_owned(),
        _ => "broker-cli service install, or run token-brokerd".to_owned(),
    }
}

/// Whether the socket unit is in one of the folders where systemd looks for units of users (systemd.unit(5)).
fn has_unit() -> bool {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let own = |name: &str, below_home: &str| variable(name).or_else(|| Some(variable("HOME")?.join(below_home)));
    let own = [own("XDG_CONFIG_HOME", ".config"), own("XDG_DATA_HOME", ".local/share")];
    let folders = own.into_iter().flatten().map(|folder| folder.join("systemd/user"));
    folders.chain(UNIT_FOLDERS.map(PathBuf::from)).any(|folder| folder.join("token-broker.socket").exists())
}

/// Whether nobody else among these is called like this account.
pub(super) fn has_own_label(account: &Account, all: &[Account]) -> bool {
    all.iter().filter(|other| other.label() == account.label()).count() < 2
}

fn of_reason(failure: &Failure, context: &Context) -> Option<String> {
    let application = context.application.as_deref().map_or_else(|| "APP".to_owned(), quoted);
    let advice = match failure.reason {
        Reason::InteractionRequired | Reason::Expired => command(context, &login(failure, context, &application)),
        Reason::ApplicationNotFound => command(context, "app list"),
        Reason::AccountNotFound => command(context, &format!("accounts {application}")),
        Reason::AccountAmbiguous => {
            let account = failure.candidates.first().map_or_else(
                || "NAME".to_owned(),
                |first| {
                    let is_enough = has_own_label(first, &failure.candidates);
                    quoted(if is_enough { first.label() } else { &first.home_account_id })
                },
            );
            command(context, &format!("{} {application} --account {account}", context.command))
        }
        Reason::AlreadyExists => {
            format!("the same with --replace, or {}", command(context, &format!("app show {application}")))
        }
        Reason::StoreCorrupt => command(context, "cache verify"),
        Reason::Locked | Reason::StoreUnavailable => command(context, "status"),
        Reason::AuthorityUnavailable | Reason::LimitExceeded => {
            return failure.retry_after.map(|wait| format!("again in {} s", wait.as_secs()));
        }
        Reason::Unsupported if context.device_code => command(context, &format!("login {application} --no-browser")),
        Reason::Unsupported if context.command == "login" => {
            command(context, &format!("login {application} --device-code"))
        }
        Reason::InvalidRequest if failure.field.as_deref() == Some("id") => command(context, "cache list"),
        Reason::InvalidRequest
        | Reason::Declined
        | Reason::AccessDenied
        | Reason::ApprovalPending
        | Reason::AuthorityRefused
        | Reason::Cancelled
        | Reason::Unsupported
        | Reason::Internal => return None,
    };
    Some(advice)
}

/// A sign-in that brings what was missing: the same scopes, and the claims that the provider asks for.
fn login(failure: &Failure, context: &Context, application: &str) -> String {
    let scopes = context.scopes.iter().map(|scope| format!(" --scope {}", quoted(scope)));
    let claims = failure.provider.iter().filter_map(|provider| provider.claims.as_deref());
    let claims = claims.map(|claims| format!(" --claims {}", quoted(claims)));
    format!("login {application}{}", scopes.chain(claims).collect::<String>())
}

fn command(context: &Context, rest: &str) -> String {
    match &context.socket {
        None => format!("broker-cli {rest}"),
        Some(socket) => format!("broker-cli --socket {} {rest}", quoted(&socket.display().to_string())),
    }
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@:/=+-,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use token_broker_client::{Account, ClientError, Failure, ProviderError, Reason};

    use super::of;
    use crate::failure::{Context, Failed};

    fn context() -> Context {
        Context {
            command: "token",
            application: Some("work".into()),
            scopes: vec!["User.Read Mail.Read".into()],
            ..Context::default()
        }
    }

    fn advice(failure: Failure) -> Option<String> {
        of(&Failed::Client(ClientError::Broker(Box::new(failure))), &context())
    }

    #[test]
    fn a_needed_sign_in_brings_scopes_and_claims() {
        let claims = Some(r#"{"access_token":{"acrs":{"value":"c1"}}}"#.to_owned());
        let failure = Failure {
            provider: Some(ProviderError { claims, ..ProviderError::default() }),
            ..Failure::new(Reason::InteractionRequired, "sign in")
        };
        assert_eq!(
            advice(failure).as_deref(),
            Some(
                r#"broker-cli login work --scope 'User.Read Mail.Read' --claims '{"access_token":{"acrs":{"value":"c1"}}}'"#
            )
        );
    }

    #[test]
    fn the_daemon_knows_better() {
        let failure = Failure { advice: Some("do this".into()), ..Failure::new(Reason::InteractionRequired, "") };
        assert_eq!(advice(failure).as_deref(), Some("do this"));
    }

    #[test]
    fn an_account_to_choose_is_suggested() {
        let account = Account {
            home_account_id: "1".into(),
            username: "alice@id.example".into(),
            name: None,
            environment: String::new(),
            tenant: String::new(),
            application: "work".into(),
        };
        let suggested =
            |candidates| advice(Failure { candidates, ..Failure::new(Reason::AccountAmbiguous, "") }).expect("advice");
        assert_eq!(suggested(vec![account.clone()]), "broker-cli token work --account alice@id.example");
        // Of two who are called the same, the name would choose neither.
        let twin = Account { home_account_id: "2".into(), ..account.clone() };
        assert_eq!(suggested(vec![account, twin]), "broker-cli token work --account 1");
    }

    #[test]
    fn the_other_way_to_sign_in_is_suggested() {
        let no_such_way = || Failed::from(ClientError::Broker(Box::new(Failure::new(Reason::Unsupported, ""))));
        for (device_code, way) in [(false, "--device-code"), (true, "--no-browser")] {
            let context = Context { command: "login", device_code, ..context() };
            assert_eq!(of(&no_such_way(), &context), Some(format!("broker-cli login work {way}")));
        }
        assert_eq!(of(&no_such_way(), &context()), None, "a token has no other way");
    }

    #[test]
    fn a_named_socket_is_named_again() {
        let context = Context { socket: Some("/tmp/my socket".into()), ..context() };
        let no_daemon =
            ClientError::NoDaemon { socket: "/tmp/my socket".into(), cause: io::ErrorKind::NotFound.into() };
        assert_eq!(of(&no_daemon.into(), &context).as_deref(), Some("token-brokerd --socket '/tmp/my socket'"));
        let not_found = ClientError::Broker(Box::new(Failure::new(Reason::ApplicationNotFound, "")));
        assert_eq!(of(&not_found.into(), &context).as_deref(), Some("broker-cli --socket '/tmp/my socket' app list"));
    }
}
