//! Who is asking: client authentication by HTTP Basic, in the body, or none (RFC 6749 section 2.3), and redirect URIs, of which
//! loopback ones match at any port (RFC 8252 section 7.3).

use serde_json::json;
use url::{Host, Url};

use super::Provider;
use crate::authorization_server::{
    options::Client,
    wire::{Answer, Call},
};

impl Provider {
    /// The client that sent the request, or the refusal.
    pub(super) fn client(&self, call: &Call) -> Result<Client, Answer> {
        let in_body = (call.form.get("client_id").to_owned(), call.form.get("client_secret").to_owned());
        let (id, secret) = call.basic.clone().unwrap_or(in_body);
        let known = self.find_client(&id).ok_or_else(|| oauth_error(401, "invalid_client", "unknown client"))?;
        match &known.secret {
            Some(_) if known.assertion && !call.form.get("client_assertion").is_empty() => Ok(known),
            Some(expected) if *expected != secret => Err(oauth_error(401, "invalid_client", "wrong secret")),
            None if call.basic.is_some() => Err(oauth_error(401, "invalid_client", "a public client has no secret")),
            _ => Ok(known),
        }
    }

    /// The client with this id.
    pub(super) fn find_client(&self, id: &str) -> Option<Client> {
        self.options.clients.iter().find(|client| client.id == id).cloned()
    }
}

impl Client {
    /// Whether it may be redirected there.
    pub(super) fn allows(&self, redirect_uri: &Url) -> bool {
        let registered = |text: &String| Url::parse(text).is_ok_and(|url| same_redirect(&url, redirect_uri));
        self.redirect_uris.iter().any(registered)
    }
}

fn same_redirect(registered: &Url, asked: &Url) -> bool {
    if !is_loopback(registered) {
        return registered == asked;
    }
    let mut without_port = asked.clone();
    let removed = without_port.set_port(registered.port()).is_ok();
    removed && without_port == *registered
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An error of the token endpoint and its relatives (RFC 6749 section 5.2).
pub(super) fn oauth_error(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": error, "error_description": description}))
}
