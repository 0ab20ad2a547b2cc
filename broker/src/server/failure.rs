//! The one place where a desk's error becomes a failure on the wire: reason, message, facts, and the next command to type.

use token_broker_proto::{Failure, ProviderError, oauth::CorrelationId};
use tonic::Status;

use crate::model::{DeskError, Interaction, Meaning, Next};

/// The gRPC status of an error.
pub(super) fn status(error: DeskError, correlation_id: CorrelationId) -> Status {
    failure(error, correlation_id).to_status()
}

/// The failure that an error is for its caller.
pub(super) fn failure(error: DeskError, correlation_id: CorrelationId) -> Failure {
    let known = Failure::new(error.reason(), error.to_string());
    let failure = match error {
        DeskError::InvalidRequest(invalid) => Failure { field: Some(invalid.field.to_owned()), ..known },
        DeskError::ApplicationNotFound(_) => advise(known, "broker-cli app list"),
        DeskError::AccountNotFound { application, .. } => advise(known, format!("broker-cli accounts {application}")),
        DeskError::AccountAmbiguous { candidates } => Failure { candidates, ..known },
        DeskError::InteractionRequired { application, why } => interaction(known, &application, why),
        DeskError::Declined(provider) => Failure { provider: provider.map(|it| *it), ..known },
        DeskError::AuthorityRefused(provider) => refused(known, *provider),
        DeskError::WrongIssuer { published: Some(issuer), .. } => {
            let field = Some("issuer".to_owned());
            Failure { field, ..advise(known, format!("the same with --issuer {}", quoted(&issuer))) }
        }
        DeskError::AuthorityUnavailable { retry_after, provider, .. } => {
            Failure { retry_after, provider: provider.map(|it| *it), ..known }
        }
        DeskError::LimitExceeded(limit) => Failure { limit: Some(limit), ..known },
        DeskError::Locked(_) => advise(known, "broker-cli status"),
        DeskError::StoreCorrupt(_) => advise(known, "broker-cli cache verify"),
        DeskError::Internal(_) => {
            Failure { message: format!("{}: look for {correlation_id} in its log", known.message), ..known }
        }
        DeskError::Expired
        | DeskError::Cancelled
        | DeskError::AuthorityUnusable(_)
        | DeskError::WrongIssuer { published: None, .. }
        | DeskError::AlreadyExists(_)
        | DeskError::Unsupported(_)
        | DeskError::StoreUnavailable(_) => known,
    };
    Failure { correlation_id: Some(correlation_id.to_string()), ..failure }
}

fn advise(known: Failure, advice: impl Into<String>) -> Failure {
    Failure { advice: Some(advice.into()), ..known }
}

/// What a refusal means, where that is known, and what helps.
fn refused(known: Failure, provider: ProviderError) -> Failure {
    let Some(meaning) = Meaning::of(&provider) else { return Failure { provider: Some(provider), ..known } };
    let advice = match meaning.next {
        Next::Account => Some("broker-cli accounts"),
        Next::Registration => Some("broker-cli app list"),
        Next::SignIn | Next::Administrator | Next::Wait => None,
    };
    let message = format!("{}: {}", known.message, meaning.sentence);
    Failure { message, advice: advice.map(str::to_owned), provider: Some(provider), ..known }
}

/// The message is the command to run.
fn interaction(known: Failure, application: &str, why: Interaction) -> Failure {
    let meaning = match &why {
        Interaction::Provider(provider) | Interaction::OnBehalfOf(provider) => {
            Meaning::of(provider).map(|meaning| format!(": {}", meaning.sentence))
        }
        Interaction::NotSignedIn
        | Interaction::NoGrant { .. }
        | Interaction::AnswerLost(_)
        | Interaction::NoSession => None,
    };
    let (command, provider) = match why {
        Interaction::NotSignedIn => (format!("broker-cli login {application}"), None),
        Interaction::NoGrant { scopes } => {
            (format!("broker-cli login {application} --scope {}", quoted(&scopes)), None)
        }
        Interaction::Provider(provider) | Interaction::AnswerLost(provider) => {
            // Without the claims that the provider asks for, the next token would be refused just like this one.
            let claims = provider.claims.as_deref().map(|claims| format!(" --claims {}", quoted(claims)));
            (format!("broker-cli login {application}{}", claims.unwrap_or_default()), Some(*provider))
        }
        Interaction::NoSession => return advise(known, "begin it again with the user's assertion"),
        Interaction::OnBehalfOf(provider) => {
            let message = format!("{}{}", known.message, meaning.unwrap_or_default());
            return Failure { message, advice: Some(for_client(&provider)), provider: Some(*provider), ..known };
        }
    };
    let message = format!("{}{}; run: {command}", known.message, meaning.unwrap_or_default());
    Failure { message, advice: Some(command), provider, ..known }
}

/// What the service has to tell the client that called it: only there can the user sign in.
fn for_client(provider: &ProviderError) -> String {
    let claims = provider.claims.as_ref().map(|_| " with the claims in this error");
    format!("let the client application sign the user in{}, and send its new token", claims.unwrap_or_default())
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@:/=+-,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use token_broker_proto::{Failure, ProviderError, Reason, oauth::CorrelationId};

    use super::status;
    use crate::model::{DeskError, Interaction};

    fn failure(error: DeskError) -> Failure {
        Failure::from_status(&status(error, CorrelationId::from_random([7; 16]))).expect("our own status")
    }

    #[test]
    fn the_message_is_the_command_to_run() {
        let why = Interaction::NoGrant { scopes: "a it's".into() };
        let failure = failure(DeskError::InteractionRequired { application: "mail".into(), why });
        assert_eq!(failure.reason, Reason::InteractionRequired);
        assert_eq!(failure.advice.as_deref(), Some(r"broker-cli login mail --scope 'a it'\''s'"));
        assert!(failure.message.ends_with(failure.advice.as_deref().unwrap_or("?")), "{}", failure.message);
    }

    #[test]
    fn claims_that_the_provider_asks_for_are_kept() {
        let claims = r#"{"access_token":{"acrs":{"value":"c1"}}}"#;
        let provider =
            ProviderError { error: "interaction_required".into(), claims: Some(claims.into()), ..Default::default() };
        let why = Interaction::Provider(Box::new(provider));
        let failure = failure(DeskError::InteractionRequired { application: "mail".into(), why });
        assert_eq!(failure.advice, Some(format!("broker-cli login mail --claims '{claims}'")));
        assert_eq!(failure.provider.and_then(|provider| provider.claims).as_deref(), Some(claims));
    }

    #[test]
    fn the_issuer_to_configure_is_typed_for_the_user() {
        let wrong = |published: Option<&str>| DeskError::WrongIssuer {
            what: "another issuer".into(),
            published: published.map(str::to_owned),
        };
        let failure_of = |published| failure(wrong(published));
        let known = failure_of(Some("https://id.example/"));
        assert_eq!(known.reason, Reason::AuthorityRefused);
        assert_eq!(known.advice.as_deref(), Some("the same with --issuer https://id.example/"));
        assert_eq!(failure_of(None).advice, None);
    }

    #[test]
    fn on_behalf_of_it_is_the_client_that_has_to_act() {
        let claims = r#"{"access_token":{"acrs":{"value":"c1"}}}"#;
        let provider =
            ProviderError { error: "interaction_required".into(), claims: Some(claims.into()), ..Default::default() };
        let why = Interaction::OnBehalfOf(Box::new(provider));
        let failure = failure(DeskError::InteractionRequired { application: "api".into(), why });
        assert_eq!(failure.reason, Reason::InteractionRequired);
        let advice = failure.advice.expect("advice");
        assert!(advice.contains("client application") && !advice.contains("broker-cli login"), "{advice}");
        assert_eq!(failure.provider.and_then(|provider| provider.claims).as_deref(), Some(claims));
    }

    #[test]
    fn a_fault_of_ours_stays_in_the_log() {
        let failure = failure(DeskError::Internal("s3cr3t detail".into()));
        assert!(!format!("{failure:?}").contains("s3cr3t"), "{failure:?}");
        assert!(failure.message.contains(failure.correlation_id.as_deref().unwrap_or("?")));
    }
}
