//! `token`: a valid access token in the form that was asked for. The hot path: one call, one write. An SSH certificate and a signed
//! HTTP request have files of their own.

mod pop;
mod ssh_cert;

use std::time::Duration;

use token_broker_client::{
    Invalid,
    calls::{TokenAnswer, TokenRequest},
};

use super::Session;
use crate::{
    arguments::{
        secret,
        token::{Format, TokenArguments},
    },
    failure::{Exit, Failed},
    output::{self, Output, json_form::TokenJson, time, token},
};

/// Asks and prints.
pub(super) async fn run(session: &Session, arguments: TokenArguments) -> Result<Exit, Failed> {
    if arguments.ssh_cert.is_some() {
        return ssh_cert::run(session, arguments).await;
    }
    if arguments.pop.is_some() {
        return pop::run(session, arguments).await;
    }
    let (format, wants_id_token, asked) = (arguments.format, arguments.id_token, arguments.min_validity);
    let request = request(session.output, arguments)?;
    let answer = session.client()?.token(&request).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&TokenJson::from(&answer))?;
        return Ok(Exit::Done);
    }
    if let Some(key) = &answer.session_key {
        output.note(&format!("note: the session's key is {}", key.expose()));
    }
    match format {
        Format::Raw | Format::Json => output::secret_line(&answer.access_token)?,
        Format::Header => output::secret_line(&token::header(&answer))?,
        Format::Env => output::secret_line(&token::env(&answer))?,
        Format::Xoauth2 => output::secret_line(&token::xoauth2(username(&answer)?, &answer.access_token))?,
        Format::Oauthbearer => output::secret_line(&token::oauthbearer(username(&answer)?, &answer.access_token))?,
    }
    if wants_id_token && format != Format::Env {
        output.note("note: the ID token is in the forms json and env only");
    }
    if let Some(note) = asked.and_then(|asked| too_short(answer.expires_on.since(time::now()), asked)) {
        output.note(&note);
    }
    Ok(Exit::Done)
}

/// What was typed as a request, with the user's token that comes on standard input.
fn request(output: Output, arguments: TokenArguments) -> Result<TokenRequest, Failed> {
    let reads = Some("user's access token").filter(|_| arguments.on_behalf_of_stdin);
    let assertion = reads.map(|what| secret::from_stdin(what, output)).transpose()?;
    Ok(arguments.into_request(assertion)?)
}

/// Says that even a fresh token does not live as long as was asked for. A few seconds do not count: the answer was under way.
fn too_short(left: Duration, asked: Duration) -> Option<String> {
    (left + Duration::from_secs(5) < asked).then(|| {
        let (left, asked) = (time::span(left), time::span(asked));
        format!("note: the token is valid for {left}, not for {asked}: the provider issues none that lives longer")
    })
}

/// Mail programs log in by name.
fn username(answer: &TokenAnswer) -> Result<&str, Invalid> {
    let account = answer
        .account
        .as_ref()
        .ok_or_else(|| Invalid::new("format", "xoauth2 and oauthbearer need a user, and this token names none"))?;
    // A control character would end the name early and begin a field of its own.
    if account.username.is_empty() || account.username.contains(char::is_control) {
        return Err(Invalid::new("format", "xoauth2 and oauthbearer need a username, and the account has none"));
    }
    Ok(&account.username)
}
