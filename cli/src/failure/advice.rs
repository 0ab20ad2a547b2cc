//! What to type next after a failure: the daemon's own advice, else a command made from the reason and from what was asked.

use token_broker_client::{ClientError, Failure, Reason, SocketPath};

use super::{Context, Failed};

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
        _ => "systemctl --user start token-broker.socket, or run token-brokerd".to_owned(),
    }
}

fn of_reason(failure: &Failure, context: &Context) -> Option<String> {
    let application = context.application.as_deref().map_or_else(|| "APP".to_owned(), quoted);
    let advice = match failure.reason {
        Reason::InteractionRequired | Reason::Expired => command(context, &login(failure, context, &application)),
        Reason::ApplicationNotFound => command(context, "app list"),
        Reason::AccountNotFound => command(context, &format!("accounts {application}")),
        Reason::AccountAmbiguous => {
            let account = failure.candidates.first().map_or_else(|| "NAME".to_owned(), |first| quoted(first.label()));
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
        let failure = Failure { candidates: vec![account], ..Failure::new(Reason::AccountAmbiguous, "") };
        assert_eq!(advice(failure).as_deref(), Some("broker-cli token work --account alice@id.example"));
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
