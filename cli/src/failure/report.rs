//! A failure as text for people and as the JSON form.

use std::{io::Write as _, path::PathBuf};

use token_broker_client::{ClientError, Failure, Reason};

use super::{Context, Failed, advice, exit_code};
use crate::output::{
    self, Output,
    json_form::{ErrorJson, ErrorOutput},
    visible,
};

/// Tells the failure and returns the exit code.
pub(crate) fn report(failed: &Failed, context: &Context, output: Output) -> u8 {
    let code = exit_code::of(failed);
    let reader_left = matches!(failed, Failed::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe);
    if !reader_left {
        if output.is_json() {
            // If standard output does not work there is nowhere else to say it.
            let _ = output::json(&json(failed, context));
        } else {
            let _ = writeln!(std::io::stderr().lock(), "{}", text(failed, context));
        }
    }
    code
}

/// What a failure says, and the next command to type.
pub(crate) fn told(failed: &Failed) -> (String, Option<String>) {
    told_at(failed, None)
}

/// The same, with the socket that was named.
pub(crate) fn told_at(failed: &Failed, socket: Option<PathBuf>) -> (String, Option<String>) {
    let context = Context { socket, ..Context::default() };
    (message(failed), advice::of(failed, &context))
}

/// Whether the answer is wanted as JSON, by a command line that could not be read: `--json`, or `--format json` of `token`.
fn wants_json(arguments: impl Iterator<Item = String>) -> bool {
    let arguments: Vec<_> = arguments.collect();
    let is_format = |pair: &[String]| matches!(pair, [option, form] if option == "--format" && form == "json");
    arguments.iter().any(|argument| argument == "--json" || argument == "--format=json")
        || arguments.windows(2).any(is_format)
}

/// Tells that the command line is wrong, or prints the help that was asked for, and returns the exit code.
pub(crate) fn report_usage(wrong: &clap::Error) -> u8 {
    let typed = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    if wrong.use_stderr() && wants_json(typed) {
        let said = wrong.to_string();
        let message = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let error = ErrorJson::new(Reason::InvalidRequest.as_str(), message.to_owned(), None);
        let _ = output::json(&ErrorOutput { error });
    } else {
        let _ = wrong.print();
    }
    if wrong.use_stderr() { 2 } else { 0 }
}

fn text(failed: &Failed, context: &Context) -> String {
    let message = message(failed);
    if matches!(failed, Failed::Cancelled) {
        // Who pressed Ctrl-C knows that it is no error.
        return message;
    }
    let mut lines = vec![format!("error: {}", visible(&message))];
    if let Some(failure) = failure(failed) {
        lines.extend(details(failure, &message));
    }
    if let Some(advice) = advice::of(failed, context).filter(|advice| !message.contains(advice.as_str())) {
        lines.push(format!("try: {}", visible(&advice)));
    }
    lines.join("\n")
}

/// What the provider said beyond the message, whom to choose from, and the name of the call in the log.
fn details(failure: &Failure, message: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(provider) = &failure.provider {
        let suberror = provider.suberror.iter().map(|suberror| format!(" ({suberror})"));
        let codes = provider.error_codes.iter().map(|code| format!(" {code}"));
        let said = format!("{}{}", provider.error, suberror.chain(codes).collect::<String>());
        if !message.contains(&said) {
            lines.push(format!("  the provider says: {said}"));
        }
        lines.extend(provider.description.iter().map(|description| format!("  {description}")));
    }
    lines.extend(failure.candidates.iter().map(|account| {
        let id =
            if advice::has_own_label(account, &failure.candidates) { None } else { Some(&account.home_account_id) };
        format!("  {}{}", account.label(), id.map(|id| format!(" ({id})")).unwrap_or_default())
    }));
    lines.extend(failure.correlation_id.iter().map(|id| format!("  correlation id: {id}")));
    lines.iter().map(|line| visible(line).into_owned()).collect()
}

fn json<'a>(failed: &'a Failed, context: &Context) -> ErrorOutput<'a> {
    let (message, advice) = (message(failed), advice::of(failed, context));
    let error = match (failure(failed), failed) {
        (Some(failure), _) => ErrorJson::of(failure, message, advice),
        (None, Failed::Invalid(invalid)) => ErrorJson::invalid(invalid, message, advice),
        (None, _) => ErrorJson::new(reason(failed), message, advice),
    };
    ErrorOutput { error }
}

fn message(failed: &Failed) -> String {
    match failed {
        Failed::Client(error) => error.to_string(),
        Failed::Invalid(invalid) => invalid.to_string(),
        Failed::Input(what) | Failed::System(what) | Failed::Service { what, .. } => what.clone(),
        Failed::Application(name, cause) => format!("application {name:?}: {}", message(cause)),
        Failed::Output(error) => format!("cannot write the output: {error}"),
        Failed::Cancelled => "cancelled".to_owned(),
    }
}

fn failure(failed: &Failed) -> Option<&Failure> {
    match failed {
        Failed::Client(ClientError::Broker(failure)) => Some(failure),
        Failed::Application(_, cause) => failure(cause),
        Failed::Client(_)
        | Failed::Invalid(_)
        | Failed::Input(_)
        | Failed::Output(_)
        | Failed::Cancelled
        | Failed::Service { .. }
        | Failed::System(_) => None,
    }
}

/// The stable word of what happened on this side of the socket.
fn reason(failed: &Failed) -> &'static str {
    match failed {
        Failed::Client(ClientError::Broker(failure)) => failure.reason.as_str(),
        Failed::Client(ClientError::NoDaemon { .. } | ClientError::NoSocketPath) => "NO_DAEMON",
        Failed::Client(ClientError::ForeignServer { .. } | ClientError::TurnedAway { .. }) => "FOREIGN_SERVER",
        Failed::Client(ClientError::Protocol(_)) => "PROTOCOL",
        Failed::Client(ClientError::Interrupted) => "INTERRUPTED",
        Failed::Invalid(_) | Failed::Input(_) => Reason::InvalidRequest.as_str(),
        Failed::Application(_, cause) => reason(cause),
        Failed::Service { reason, .. } => reason.as_str(),
        Failed::Cancelled => Reason::Cancelled.as_str(),
        Failed::Output(_) | Failed::System(_) => Reason::Internal.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use token_broker_client::{ClientError, Failure, ProviderError, Reason};

    use super::{json, text};
    use crate::failure::{Context, Failed};

    fn context() -> Context {
        Context { command: "token", application: Some("work".into()), ..Context::default() }
    }

    fn refused() -> Failed {
        let provider = ProviderError {
            error: "invalid_grant".into(),
            suberror: Some("bad_token".into()),
            error_codes: vec![50_173],
            description: Some("AADSTS50173: the grant\r\nis \u{1b}[31mrevoked".into()),
            ..ProviderError::default()
        };
        let failure = Failure {
            provider: Some(provider),
            correlation_id: Some("6f1c2e4a".into()),
            ..Failure::new(Reason::InteractionRequired, "the sign-in of work has expired")
        };
        ClientError::Broker(Box::new(failure)).into()
    }

    #[test]
    fn people_read_what_happened_and_what_to_type() {
        assert_eq!(
            text(&refused(), &context()),
            "error: the sign-in of work has expired\n  \
             the provider says: invalid_grant (bad_token) 50173\n  \
             AADSTS50173: the grant  is \u{fffd}[31mrevoked\n  \
             correlation id: 6f1c2e4a\n\
             try: broker-cli login work"
        );
    }

    #[test]
    fn the_providers_word_is_not_said_twice() {
        let provider = ProviderError {
            error: "invalid_client".into(),
            description: Some("wrong secret".into()),
            ..Default::default()
        };
        let failure = Failure {
            provider: Some(provider),
            ..Failure::new(Reason::AuthorityRefused, "the provider refused: invalid_client")
        };
        let said = text(&ClientError::Broker(Box::new(failure)).into(), &context());
        let advice = "broker-cli app show work: is the client id right? If so, broker-cli app add work ... --replace \
                      --client-secret-stdin (or --certificate FILE)";
        assert_eq!(said, format!("error: the provider refused: invalid_client\n  wrong secret\ntry: {advice}"));
    }

    #[test]
    fn a_wrong_command_line_is_told_in_the_form_that_it_asks_for() {
        let wants = |line: &str| super::wants_json(line.split(' ').map(str::to_owned));
        for line in ["token a --json --x", "token a --format json --x", "token --format=json --x"] {
            assert!(wants(line), "{line}");
        }
        for line in ["token a --format raw", "token json", "token --format"] {
            assert!(!wants(line), "{line}");
        }
    }

    #[test]
    fn advice_is_not_said_twice() {
        let failure = Failure::new(Reason::InteractionRequired, "sign in first: broker-cli login work");
        let said = text(&ClientError::Broker(Box::new(failure)).into(), &context());
        assert_eq!(said, "error: sign in first: broker-cli login work");
    }

    #[test]
    fn a_missing_daemon_is_started_by_the_next_command() {
        let cause = io::Error::from(io::ErrorKind::NotFound);
        let failed = Failed::from(ClientError::NoDaemon { socket: "/s".into(), cause });
        let context = Context { socket: Some("/s".into()), ..context() };
        let said = text(&failed, &context);
        assert!(
            said.starts_with("error: no daemon answers at /s: ")
                && said.ends_with("\ntry: token-brokerd --socket /s &"),
            "{said}"
        );
        let form = serde_json::to_value(json(&failed, &context)).unwrap();
        assert_eq!(form["error"]["reason"], "NO_DAEMON");
        assert_eq!(form["error"]["advice"], "token-brokerd --socket /s &");
    }

    #[test]
    fn the_json_form_keeps_the_providers_words() {
        let form = serde_json::to_value(json(&refused(), &context())).unwrap();
        assert_eq!(
            form,
            serde_json::json!({"error": {
                "reason": "INTERACTION_REQUIRED",
                "message": "the sign-in of work has expired",
                "correlation_id": "6f1c2e4a",
                "provider": {
                    "error": "invalid_grant",
                    "suberror": "bad_token",
                    "error_codes": [50_173],
                    "description": "AADSTS50173: the grant\r\nis \u{1b}[31mrevoked",
                },
                "advice": "broker-cli login work",
            }})
        );
    }
}
