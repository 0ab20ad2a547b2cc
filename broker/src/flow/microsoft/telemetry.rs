//! What a token request tells Microsoft of itself, in headers: who we are, what the call is for, and how calls went since the
//! last one that succeeded. Under our own product's name, and to Microsoft's authorities only.

use http::{HeaderName, HeaderValue};
use token_broker_proto::calls::ApplicationOptions;

use super::ws_trust::saml_bearer;
use crate::model::HttpRequest;

/// The product that asks.
const SKU: &str = "token-broker";
/// What we do: wait as long as `Retry-After` says, and leave alone who answers 429.
const CAPABILITY: &str = "retry-after, h429";
/// Longest header of past failures; the provider cuts what is longer.
const MAX_LAST: usize = 350;

/// What a token request is for; rides along as an extension of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    api: u16,
    cause: Cause,
    client_id: String,
}

/// Why the cache did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It was not asked: a user signs in.
    NotSilent,
    /// The request goes past it.
    Forced,
    /// It has no such token.
    Absent,
    /// Its token has expired.
    Expired,
    /// Its token is due to be renewed.
    Aging,
}

impl Call {
    /// `x-client-current-telemetry`.
    fn current(&self) -> String {
        let cause = match self.cause {
            Cause::NotSilent => 0,
            Cause::Forced => 1,
            Cause::Absent => 2,
            Cause::Expired => 3,
            Cause::Aging => 4,
        };
        format!("4|{},{cause}|", self.api)
    }

    /// The client that asks.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

/// How the calls of a client went that the provider has not been told of.
#[derive(Debug, Default)]
pub struct Since {
    hits: u32,
    failures: Vec<(u16, String, String)>,
    size: usize,
}

impl Since {
    /// The cache answered.
    pub fn hit(&mut self) {
        self.hits = self.hits.saturating_add(1);
    }

    /// The call ended: with an error, or well, and then everything has been told.
    pub fn ended(&mut self, request: &(Call, String), error: Option<&str>) {
        let (call, correlation_id) = request;
        let Some(error) = error else {
            *self = Self::default();
            return;
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let error: String = error.chars().filter(|c| plain(*c)).take(64).collect();
        let size = format!(",{},{correlation_id},{error}", call.api).len();
        if self.size + size < MAX_LAST {
            self.size += size;
            self.failures.push((call.api, correlation_id.clone(), error));
        }
    }

    /// `x-client-last-telemetry`.
    fn last(&self) -> String {
        let joined = |texts: Vec<String>| texts.join(",");
        let failed = joined(self.failures.iter().map(|(api, id, _)| format!("{api},{id}")).collect());
        let errors = joined(self.failures.iter().map(|(_, _, error)| error.clone()).collect());
        format!("4|{}|{failed}|{errors}|", self.hits)
    }
}

/// Puts on a token request who asks and what for. The grant type tells the call.
pub(in crate::flow) fn announce(request: &mut HttpRequest, grant_type: &str, client_id: &str) {
    for (name, value) in [
        ("x-client-sku", SKU),
        ("x-client-ver", env!("CARGO_PKG_VERSION")),
        ("x-client-os", std::env::consts::OS),
        ("x-ms-lib-capability", CAPABILITY),
    ] {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let (api, cause) = match grant_type {
        "refresh_token" => (84, Cause::Absent),
        "authorization_code" => (169, Cause::NotSilent),
        "password" | saml_bearer::SAML_1_1 | saml_bearer::SAML_2_0 => (301, Cause::NotSilent),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => (523, Cause::NotSilent),
        "urn:ietf:params:oauth:grant-type:device_code" => (622, Cause::NotSilent),
        "client_credentials" => (730, Cause::Absent),
        "user_fic" => (950, Cause::NotSilent),
        _ => return,
    };
    request.extensions_mut().insert(Call { api, cause, client_id: client_id.to_owned() });
}

/// Names the program that asks, as it is registered.
pub(in crate::flow) fn name(request: &mut HttpRequest, options: &ApplicationOptions) {
    for (name, value) in [("x-app-name", &options.app_name), ("x-app-ver", &options.app_version)] {
        if let Some(value) = value {
            insert(request, name, value);
        }
    }
}

/// Adds why the cache did not answer and whose token it is, so that it reaches the datacenter of the account. Does nothing to a
/// request that is not for Microsoft.
pub fn explain(request: &mut HttpRequest, cause: Cause, home_account_id: Option<&str>) {
    let Some(call) = request.extensions_mut().get_mut::<Call>() else { return };
    call.cause = cause;
    if let Some(home_account_id) = home_account_id {
        anchor(request, home_account_id);
    }
}

/// Says that the code was brought to a web application and not to this machine's browser. Does nothing to a request that is not
/// for Microsoft.
pub fn for_web_application(request: &mut HttpRequest) {
    if let Some(call) = request.extensions_mut().get_mut::<Call>() {
        call.api = 832;
    }
}

/// Says that the refresh token comes from elsewhere. Does nothing to a request that is not for Microsoft.
pub fn for_imported_token(request: &mut HttpRequest) {
    if let Some(call) = request.extensions_mut().get_mut::<Call>() {
        (call.api, call.cause) = (85, Cause::Forced);
    }
}

/// Names the account by its username, of which no more is known. Does nothing to a request that is not for Microsoft.
pub(in crate::flow) fn anchor_username(request: &mut HttpRequest, username: &str) {
    if request.extensions().get::<Call>().is_some() {
        insert(request, "x-anchormailbox", &format!("upn:{username}"));
    }
}

/// Names the account by its object and tenant.
pub(in crate::flow) fn anchor(request: &mut HttpRequest, home_account_id: &str) {
    let Some((object, tenant)) = home_account_id.split_once('.') else { return };
    insert(request, "x-anchormailbox", &format!("Oid:{object}@{tenant}"));
}

/// Puts on what changes from call to call, when it is sent.
pub fn stamp(request: &mut HttpRequest, call: &Call, since: &Since) {
    insert(request, "x-client-current-telemetry", &call.current());
    insert(request, "x-client-last-telemetry", &since.last());
}

fn insert(request: &mut HttpRequest, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Cause, Since};

    fn call() -> Call {
        Call { api: 84, cause: Cause::Expired, client_id: "c".into() }
    }

    #[test]
    fn a_call_tells_what_it_is_and_what_went_before() {
        let mut since = Since::default();
        assert_eq!((call().current().as_str(), since.last().as_str()), ("4|84,3|", "4|0|||"));
        since.hit();
        since.ended(&(call(), "id-1".into()), Some("invalid_grant"));
        since.ended(&(call(), "id-2".into()), Some("bad\r\nerror|,"));
        assert_eq!(since.last(), "4|1|84,id-1,84,id-2|invalid_grant,baderror|");
        since.ended(&(call(), "id-3".into()), None);
        assert_eq!(since.last(), "4|0|||");
    }

    #[test]
    fn what_is_told_stays_short() {
        let mut since = Since::default();
        for number in 0..100 {
            since.ended(&(call(), format!("00000000-0000-4000-8000-{number:012}")), Some("temporarily_unavailable"));
        }
        assert!(since.last().len() < 400, "{}", since.last().len());
    }
}
