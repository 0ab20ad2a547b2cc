//! The authorization endpoint: the scripted user is signed in at once, or what a test has planned happens. The code goes back by
//! redirect or `form_post`, with `client_info` when it was asked for.

use serde_json::Value;
use url::Url;

use super::{Asked, Directory, Session, issue::client_info, refusal};
use crate::authorization_server::wire::{Answer, Params};

/// Who signs in when nothing else is planned.
const ADA: &str = "ada@contoso.example";
/// Values of `prompt`.
const PROMPTS: [&str; 6] = ["", "login", "none", "consent", "select_account", "create"];

/// An authorization code that has been handed out.
#[derive(Debug)]
pub(super) struct IssuedCode {
    pub(super) session: Session,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
}

impl Directory {
    pub(super) fn authorize(&mut self, asked: &Asked) -> Answer {
        let parameters = &asked.parameters;
        let Ok(redirect_uri) = Url::parse(parameters.get("redirect_uri")) else {
            return Answer::html(400, "<p>AADSTS50011: the redirect URI is not registered.</p>");
        };
        if let Err(plan) = self.application(parameters.get("client_id")) {
            let description = plan.get("description").and_then(Value::as_str).unwrap_or_default();
            return Answer::html(400, &format!("<p>AADSTS700016: {description}</p>"));
        }
        let planned = |name: &str| asked.plan.get(name).and_then(Value::as_str);
        let refusal = planned("error").map(|error| (error, planned("description").unwrap_or("Planned by a test.")));
        let mut answer = match refusal.or_else(|| malformed(parameters)) {
            Some((error, description)) => {
                vec![("error", error.to_owned()), ("error_description", description.to_owned())]
            }
            None => self.code(asked, planned("username").unwrap_or(ADA), planned("nonce")),
        };
        answer.push(("state", planned("state").unwrap_or(parameters.get("state")).to_owned()));
        for (name, value) in asked.plan.get("with").and_then(Value::as_object).into_iter().flatten() {
            answer.push((name, value.as_str().unwrap_or_default().to_owned()));
        }
        send_back(redirect_uri, parameters.get("response_mode"), &answer)
    }

    fn code(&mut self, asked: &Asked, username: &str, nonce: Option<&str>) -> Vec<(&'static str, String)> {
        let (code, auth_time) = (self.numbered("code"), self.now());
        let parameters = &asked.parameters;
        let session = Session {
            client_id: parameters.get("client_id").to_owned(),
            username: username.to_owned(),
            nonce: nonce.unwrap_or(parameters.get("nonce")).to_owned(),
            scope: parameters.get("scope").to_owned(),
            auth_time,
        };
        let redirect_uri = parameters.get("redirect_uri").to_owned();
        let code_challenge = parameters.get("code_challenge").to_owned();
        self.codes.insert(code.clone(), IssuedCode { session, redirect_uri, code_challenge });
        let mut answer = vec![("code", code)];
        if parameters.get("client_info") == "1" {
            answer.push(("client_info", client_info(username)));
        }
        answer.push(("session_state", "5e5510a0-0000-4000-8000-000000000000".to_owned()));
        answer
    }
}

/// What is wrong with the request itself.
fn malformed(parameters: &Params) -> Option<(&'static str, &'static str)> {
    let claims = parameters.get("claims");
    if parameters.get("response_type") != "code" {
        return Some(("unsupported_response_type", "AADSTS700051: only code is offered."));
    }
    if parameters.get("code_challenge_method") != "S256" || parameters.get("code_challenge").len() != 43 {
        return Some(("invalid_request", "AADSTS9002325: Proof Key for Code Exchange is required."));
    }
    if !PROMPTS.contains(&parameters.get("prompt")) {
        return Some(("invalid_request", "AADSTS90023: unsupported prompt."));
    }
    if !claims.is_empty() && serde_json::from_str::<serde_json::Map<String, Value>>(claims).is_err() {
        return Some(("invalid_request", "AADSTS90014: claims is not a JSON object."));
    }
    refusal_of_scopes(parameters.get("scope"))
}

fn refusal_of_scopes(scope: &str) -> Option<(&'static str, &'static str)> {
    super::scope::Scopes::parse(scope).err().map(|_| ("invalid_request", "AADSTS28000: more than one resource."))
}

fn send_back(mut redirect_uri: Url, mode: &str, answer: &[(&str, String)]) -> Answer {
    if mode == "form_post" {
        let field = |(name, value): &(&str, String)| format!(r#"<input type="hidden" name="{name}" value="{value}">"#);
        let fields: String = answer.iter().map(field).collect();
        return Answer::html(200, &format!(r#"<form method="POST" action="{redirect_uri}">{fields}</form>"#));
    }
    redirect_uri.query_pairs_mut().extend_pairs(answer);
    Answer::redirect(&redirect_uri)
}

impl IssuedCode {
    /// Whether this request may have what the code stands for.
    pub(super) fn redeemable(&self, parameters: &Params) -> Result<(), Value> {
        if self.session.client_id != parameters.get("client_id") || self.redirect_uri != parameters.get("redirect_uri")
        {
            return refusal::refuse("invalid_grant", 70_000, "The code is of another client or redirect URI.");
        }
        if crate::jose::code_challenge(parameters.get("code_verifier")) != self.code_challenge {
            return refusal::refuse("invalid_grant", 501_481, "The code verifier does not match the code challenge.");
        }
        Ok(())
    }
}
