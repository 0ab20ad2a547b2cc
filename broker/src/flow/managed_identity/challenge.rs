//! The challenge of Azure Arc: who can read a file of the agent may have a token. A challenge names the file, and whoever answers
//! on that port could name any other: only a key of the agent's own folder is ever read.

use std::path::Path;

use http::{StatusCode, header::WWW_AUTHENTICATE};
use token_broker_proto::Secret;
use zeroize::Zeroizing;

use super::request::with_secret;
use crate::{
    flow::oauth::TokenError,
    model::{HttpRequest, HttpResponse},
};

/// Longest name of a key file.
const MAX_NAME: usize = 255;

/// The name of the key file that the agent wants read; it lies in `folder` and nowhere else.
pub fn challenged_file(response: &HttpResponse, folder: &Path) -> Result<String, TokenError> {
    let malformed = |what: String| TokenError::Malformed(what);
    let status = response.status();
    if status != StatusCode::UNAUTHORIZED {
        return Err(malformed(format!("answered {status} where it should ask for the content of a key file")));
    }
    let header = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let realm =
        realm(header).ok_or_else(|| malformed("asked for a proof that is not `Basic realm=FILE`".to_owned()))?;
    let path = Path::new(realm);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // Put together again it must be the same text: no `..`, no doubled slash, no other folder.
    let is_ours = folder.to_str().is_some_and(|folder| realm == format!("{folder}/{name}"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_key = name.len() <= MAX_NAME
        && name.chars().all(plain)
        && name.strip_suffix(".key").is_some_and(|stem| !stem.is_empty() && !stem.starts_with('.'));
    if is_ours && is_key {
        Ok(name.to_owned())
    } else {
        let place = folder.display();
        Err(malformed(format!("asked for the content of a file that is no key of the agent, a .key in {place}")))
    }
}

/// The realm of a basic challenge (RFC 7617, section 2); the agent writes it without quotes.
fn realm(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let (name, realm) = rest.trim_start().split_once('=')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic") && name.eq_ignore_ascii_case("realm");
    is_basic.then(|| realm.trim().trim_matches('"'))
}

/// The same request with the content of the key file.
#[must_use]
pub fn answered(request: HttpRequest, key: &Secret) -> HttpRequest {
    let proof = Secret::new(Zeroizing::new(format!("Basic {}", key.expose())).as_str());
    with_secret(request, "authorization", &proof)
}
