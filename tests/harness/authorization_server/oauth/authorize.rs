//! The authorization endpoint (RFC 6749 section 4.1, RFC 7636): a page on which a person names herself and allows or denies, or
//! at once when the options name a user. The code goes back by redirect or `form_post`, with `iss` (RFC 9207).

use token_broker_proto::oauth::UnixTime;
use url::Url;

use super::{Provider, grants::Approval, pages};
use crate::authorization_server::wire::{Answer, Call, Params};

/// An authorization code that has been handed out.
#[derive(Debug)]
pub(super) struct IssuedCode {
    pub(super) approval: Approval,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) expires_on: UnixTime,
    /// What came of it; a second use revokes that.
    pub(super) family: Option<usize>,
}

impl Provider {
    pub(super) fn authorize(&mut self, call: &Call) -> Answer {
        let asked = if call.post { &call.form } else { &call.query };
        let redirect_uri = match self.redirect_uri(asked) {
            Ok(redirect_uri) => redirect_uri,
            Err(problem) => return Answer::html(400, &pages::message("This sign-in cannot start", problem)),
        };
        if let Some((error, description)) = self.refusal(asked) {
            return self.back(&redirect_uri, asked, &[("error", error), ("error_description", description)]);
        }
        let username = if call.post { Some(call.form.get("username")).filter(|name| !name.is_empty()) } else { None };
        let username = username.map(str::to_owned).or_else(|| self.options.auto_sign_in.clone());
        match (username, call.form.get("decision")) {
            (_, "deny") => {
                let error = [("error", "access_denied"), ("error_description", "the user declined")];
                self.back(&redirect_uri, asked, &error)
            }
            (Some(username), _) => {
                let code = self.new_code(asked, username);
                self.back(&redirect_uri, asked, &[("code", &code)])
            }
            (None, _) if asked.get("prompt") == "none" => {
                self.back(&redirect_uri, asked, &[("error", "login_required")])
            }
            (None, _) => Answer::html(200, &pages::sign_in(asked, &self.known_scopes(asked.get("scope")))),
        }
    }

    /// Where the answer goes; without one nothing may be redirected.
    fn redirect_uri(&self, asked: &Params) -> Result<Url, &'static str> {
        let client = self.find_client(asked.get("client_id")).ok_or("The application is not known here.")?;
        let redirect_uri =
            Url::parse(asked.get("redirect_uri")).map_err(|_| "The application sent no redirect address.")?;
        client.allows(&redirect_uri).then_some(redirect_uri).ok_or("The redirect address is not registered.")
    }

    /// What is wrong with the request itself.
    fn refusal(&self, asked: &Params) -> Option<(&'static str, &'static str)> {
        if asked.get("response_type") != "code" {
            return Some(("unsupported_response_type", "only code is offered"));
        }
        if asked.get("code_challenge_method") != "S256" || asked.get("code_challenge").len() != 43 {
            return Some(("invalid_request", "PKCE with S256 is required"));
        }
        let none_known = self.known_scopes(asked.get("scope")).is_empty();
        none_known.then_some(("invalid_scope", "no scope is known here"))
    }

    fn new_code(&mut self, asked: &Params, username: String) -> String {
        let now = self.now();
        let approval = Approval {
            client_id: asked.get("client_id").to_owned(),
            username: Some(username),
            scopes: self.known_scopes(asked.get("scope")),
            nonce: asked.get("nonce").to_owned(),
            auth_time: now,
        };
        let code = IssuedCode {
            approval,
            redirect_uri: asked.get("redirect_uri").to_owned(),
            code_challenge: asked.get("code_challenge").to_owned(),
            expires_on: now.plus(std::time::Duration::from_secs(60)),
            family: None,
        };
        let value = self.opaque("code");
        self.codes.insert(value.clone(), code);
        value
    }

    /// Sends the answer to the redirect address, in the asked response mode.
    fn back(&self, redirect_uri: &Url, asked: &Params, parameters: &[(&str, &str)]) -> Answer {
        let mut parameters = parameters.to_vec();
        if !asked.get("state").is_empty() {
            parameters.push(("state", asked.get("state")));
        }
        if self.options.iss_in_redirect {
            parameters.push(("iss", &self.issuer));
        }
        if asked.get("response_mode") == "form_post" {
            return Answer::html(200, &pages::form_post(redirect_uri, &parameters));
        }
        let mut target = redirect_uri.clone();
        target.query_pairs_mut().extend_pairs(parameters);
        Answer::redirect(&target)
    }
}
