//! What a source of managed identity answers, the challenge of Azure Arc, and the variables that a source is found by.

use std::path::Path;

use token_broker::flow::{
    managed_identity::{Environment, Question, Source, challenged_file, parse},
    oauth::TokenError,
};
use token_broker_proto::{
    Secret,
    oauth::{CorrelationId, ManagedIdentity, ManagedIdentityId, ManagedIdentitySource, ScopeSet},
};

use crate::exchange::{NOW, assert_showable, response};

/// Ends what a variable has.
const MARK: &str = "m4rk3r";
/// Where the keys of Azure Arc are.
const KEYS: &str = "/var/opt/azcmagent/tokens";

/// An answer or a challenge; and the same bytes as a variable.
pub(crate) fn managed_identity(bytes: &[u8]) {
    sources(bytes);
    let Some(response) = response(bytes) else { return };
    if let Ok(name) = challenged_file(&response, Path::new(KEYS)) {
        let path = Path::new(KEYS).join(&name);
        assert!(path.parent() == Some(Path::new(KEYS)) && !name.contains(['/', '\0']), "{name:?}");
        assert!(path.extension().is_some_and(|end| end == "key"), "{name:?}");
    }
    let (Ok(resource), Ok(id)) = (ScopeSet::parse(["https://r.example"]), ManagedIdentityId::from_client_id("c"))
    else {
        return;
    };
    let correlation_id = CorrelationId::from_random([0; 16]);
    for source in ManagedIdentitySource::ALL {
        let question = Question { id: &id, resource: &resource, capabilities: &[], refused: None, correlation_id };
        match parse(&response, source, &question, NOW) {
            Ok(token) => {
                assert!(token.expires_on > NOW && token.scopes == resource);
                assert!(token.refresh_on.is_none_or(|on| on >= NOW && on <= token.expires_on));
                assert!(token.access_token.expose().bytes().all(|byte| (0x20..=0x7E).contains(&byte)));
                assert!(token.token_type.eq_ignore_ascii_case("bearer"));
            }
            Err(error) => check(&error),
        }
    }
}

fn check(error: &TokenError) {
    assert_showable(&error.to_string());
    if let Some(words) = error.provider() {
        assert!(!words.error.is_empty());
        [&words.description, &words.correlation_id].into_iter().flatten().for_each(|text| assert_showable(text));
    }
}

/// Every variable has this text; an error shows nothing of it.
fn sources(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for source in ManagedIdentitySource::ALL {
        if let Ok(found) = find(source, text) {
            let url = found.endpoint();
            assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{url}");
            assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
        }
        // With a mark, since the text may happen to be a part of what is said anyhow.
        if let Err(error) = find(source, &format!("{text}{MARK}")) {
            let said = error.to_string();
            assert_showable(&said);
            assert!(!said.contains(MARK), "{said}");
        }
    }
}

fn find(source: ManagedIdentitySource, text: &str) -> Result<Source, impl std::error::Error> {
    let variable = |_: &str| Some(Secret::new(text));
    let environment = Environment { variable: &variable, has_arc_agent: &|| false };
    Source::find(&ManagedIdentity { id: ManagedIdentityId::SystemAssigned, source: Some(source) }, &environment)
}
