//! What to type next after a failure: the daemon's own advice, else a command made from the reason and from what was asked.

use token_broker_client::{Account, ClientError, Failure, Reason};

use super::{Context, Failed, issuer, start};

/// The next command to type, if there is one.
pub(super) fn of(failed: &Failed, context: &Context) -> Option<String> {
    match failed {
        Failed::Client(ClientError::Broker(failure)) => wrong_credential(failure, context)
            .or_else(|| failure.advice.clone())
            .or_else(|| of_reason(failure, context)),
        Failed::Client(ClientError::NoDaemon { .. } | ClientError::Interrupted) => {
            Some(start::command(context.socket.as_deref()))
        }
        Failed::Client(ClientError::NoSocketPath) => {
            Some(format!("{} for the daemon and for who calls", start::SOCKET_FOR_ALL))
        }
        Failed::Client(ClientError::Protocol(_)) => Some(command(context, "status")),
        Failed::Application(_, cause) => of(cause, context),
        Failed::Service { advice, .. } => Some(advice.clone()),
        Failed::Invalid(invalid) if matches!(invalid.field, "issuer" | "authority_url") => {
            context.issuer.as_ref().and_then(|(option, typed)| issuer::meant(option, typed))
        }
        Failed::Client(ClientError::ForeignServer { .. } | ClientError::TurnedAway { .. })
        | Failed::Invalid(_)
        | Failed::Input(_)
        | Failed::Output(_)
        | Failed::Cancelled
        | Failed::System(_) => None,
    }
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

/// The provider does not know the client, or does not take its credential (RFC 6749, section 5.2): it is registered again.
fn wrong_credential(failure: &Failure, context: &Context) -> Option<String> {
    let error = &failure.provider.as_ref()?.error;
    let application = quoted(context.application.as_deref()?);
    (failure.reason == Reason::AuthorityRefused && error == "invalid_client").then(|| {
        let (add, show) = (format!("app add {application}"), format!("app show {application}"));
        let (add, show) = (command(context, &add), command(context, &show));
        format!(
            "{show}: is the client id right? If so, {add} ... --replace --client-secret-stdin (or --certificate FILE)"
        )
    })
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
pub(super) fn quoted(text: &str) -> String {
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

    use token_broker_client::{Account, ClientError, Failure, Invalid, ProviderError, Reason};

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
    fn a_client_that_the_provider_refuses_is_looked_at_and_gets_a_new_credential() {
        let provider = ProviderError { error: "invalid_client".into(), ..ProviderError::default() };
        let advice_of_daemon = Some("broker-cli app list".to_owned());
        let refused = Failure {
            provider: Some(provider),
            advice: advice_of_daemon,
            ..Failure::new(Reason::AuthorityRefused, "the provider refused: invalid_client")
        };
        let said = advice(refused).expect("advice");
        assert!(said.starts_with("broker-cli app show work: is the client id right?"), "{said}");
        assert!(said.contains("broker-cli app add work ... --replace --client-secret-stdin"), "{said}");
    }

    #[test]
    fn a_pasted_metadata_url_is_told_apart_from_the_issuer() {
        let typed = "https://id.example/.well-known/openid-configuration".to_owned();
        let context = Context { command: "app add", issuer: Some(("--issuer", typed)), ..context() };
        let said = of(&Failed::Invalid(Invalid::new("issuer", "is the URL of the metadata")), &context);
        assert_eq!(said.as_deref(), Some("the same with --issuer https://id.example"));
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
        assert_eq!(of(&no_daemon.into(), &context).as_deref(), Some("token-brokerd --socket '/tmp/my socket' &"));
        let not_found = ClientError::Broker(Box::new(Failure::new(Reason::ApplicationNotFound, "")));
        assert_eq!(of(&not_found.into(), &context).as_deref(), Some("broker-cli --socket '/tmp/my socket' app list"));
    }
}
