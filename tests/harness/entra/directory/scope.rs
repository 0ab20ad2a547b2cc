//! Scopes of the v2.0 endpoints: one resource per access token, `.default` for what was consented before, the reserved scopes
//! for the other tokens. A scope without a resource is Microsoft Graph's.

use serde_json::Value;

use super::refusal::refuse;

/// The resource of scopes that name none.
const GRAPH: &str = "https://graph.microsoft.com";
/// Scopes of OpenID Connect: they bring tokens, and are not scopes of the access token's resource.
const RESERVED: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What was asked for, taken apart.
#[derive(Debug)]
pub(super) struct Scopes<'a> {
    asked: Vec<&'a str>,
}

impl<'a> Scopes<'a> {
    /// The scopes of a user's request; refused when they are of several resources.
    pub(super) fn parse(text: &'a str) -> Result<Self, Value> {
        let asked: Vec<_> = text.split(' ').filter(|scope| !scope.is_empty()).collect();
        let mut resources: Vec<_> =
            asked.iter().filter(|scope| !RESERVED.contains(scope)).map(|scope| resource(scope)).collect();
        resources.dedup();
        if resources.len() > 1 {
            return refuse("invalid_request", 28000, "The scopes are of more than one resource.");
        }
        Ok(Self { asked })
    }

    /// Whether this reserved scope was asked for.
    pub(super) fn asks(&self, reserved: &str) -> bool {
        self.asked.contains(&reserved)
    }

    /// What the answer says was granted: those of the resource in the form asked for, `user_impersonation` before `.default`, and
    /// at Graph the ones that every sign-in grants.
    pub(super) fn granted(&self) -> String {
        let own = self.asked.iter().filter(|scope| !RESERVED.contains(scope));
        let mut granted: Vec<String> = own
            .flat_map(|scope| match scope.strip_suffix("/.default") {
                Some(resource) => vec![format!("{resource}/user_impersonation"), (*scope).to_owned()],
                None => vec![(*scope).to_owned()],
            })
            .collect();
        if granted.iter().all(|scope| resource(scope) == GRAPH) {
            granted.extend(["profile", "openid", "email"].map(str::to_owned));
        }
        granted.join(" ")
    }
}

/// An application's own scope: exactly one, `RESOURCE/.default`.
pub(super) fn application_scope(text: &str) -> Result<(), Value> {
    if text.ends_with("/.default") && !text.contains(' ') {
        return Ok(());
    }
    refuse(
        "invalid_scope",
        1_002_012,
        "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.",
    )
}

fn resource(scope: &str) -> &str {
    scope.rsplit_once('/').map_or(GRAPH, |(resource, _)| resource)
}
