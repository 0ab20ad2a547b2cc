//! `token --pop METHOD URL`: one HTTP request, signed by the daemon.

use token_broker_client::{
    Invalid, Secret,
    calls::{HttpRequestToSign, SignHttpRequest},
};

use super::Session;
use crate::{
    arguments::token::{Format, TokenArguments},
    failure::{Exit, Failed},
    output::{self, json_form::SignedJson},
};

/// Asks and prints.
pub(super) async fn run(session: &Session, arguments: TokenArguments) -> Result<Exit, Failed> {
    let format = arguments.format;
    if !matches!(format, Format::Raw | Format::Json | Format::Header) {
        return Err(Invalid::new("format", "a signed request has the forms raw, json and header").into());
    }
    let [method, url] = arguments.pop.as_deref().unwrap_or_default() else {
        return Err(Invalid::new("pop", "give a method and a URL").into());
    };
    let http = HttpRequestToSign::parse(method, url)?
        .with_nonce(arguments.nonce.as_deref().unwrap_or_default())?
        .with_client_claims(arguments.client_claims.as_deref().unwrap_or_default())?;
    let request = SignHttpRequest { http, token: super::request(session.output, arguments)? };
    let signed = session.client()?.sign_http_request(&request).await?;
    if session.output.is_json() {
        output::json(&SignedJson::from(&signed))?;
        return Ok(Exit::Done);
    }
    match format {
        Format::Header => {
            output::secret_line(&Secret::new(format!("Authorization: {}", signed.authorization.expose())))?;
        }
        _ => output::secret_line(&signed.authorization)?,
    }
    Ok(Exit::Done)
}
