//! Exchanges about a federated user: the realm at Microsoft, the metadata of the federation server, and the assertion that it gives
//! for a password. What was found of realms and servers is used for a day; of passwords and assertions nothing is kept.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use token_broker_proto::{
    ProviderError,
    oauth::{CorrelationId, MicrosoftAuthority, UnixTime},
};
use url::Url;

use super::{Provider, from_http};
use crate::{
    flow::{
        microsoft::{
            user_realm::{self, Federation, FederationServer, UserRealm, UserRealmError},
            ws_trust::{
                Fault, WsTrustError,
                mex::{self, Endpoint},
                rst::{self, Ask},
                rstr::{self, SamlAssertion},
            },
        },
        oauth::{DocumentError, password::ResourceOwner},
    },
    model::DeskError,
};

/// How long what was found is used.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// Most users, and most servers, that are remembered.
const CAPACITY: usize = 256;

/// What was found; nothing of it outlives the daemon.
#[derive(Debug, Default)]
pub(super) struct Found {
    realms: Mutex<Remembered<UserRealm>>,
    endpoints: Mutex<Remembered<Endpoint>>,
}

/// Answers by what was asked, with the time that they came.
#[derive(Debug)]
struct Remembered<V>(HashMap<String, (UnixTime, V)>);

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V: Clone> Remembered<V> {
    fn find(&self, asked: &str, now: UnixTime) -> Option<V> {
        // One that seems to be of the future came before the clock was set back.
        self.0.get(asked).filter(|(came, _)| *came <= now && came.plus(AGE) > now).map(|(_, value)| value.clone())
    }

    fn keep(&mut self, asked: String, now: UnixTime, value: V) {
        self.0.retain(|_, (came, _)| *came <= now && came.plus(AGE) > now);
        if self.0.len() >= CAPACITY {
            let oldest = self.0.iter().min_by_key(|(_, (came, _))| *came).map(|(asked, _)| asked.clone());
            oldest.and_then(|asked| self.0.remove(&asked));
        }
        self.0.insert(asked, (now, value));
    }
}

/// Never left half changed, so a poisoned lock is still good.
fn locked<V>(remembered: &Mutex<V>) -> MutexGuard<'_, V> {
    remembered.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Provider {
    /// Where the password of a user goes.
    pub async fn user_realm(
        &self,
        authority: &MicrosoftAuthority,
        username: &str,
        correlation_id: CorrelationId,
    ) -> Result<UserRealm, DeskError> {
        let Some(request) = user_realm::request(authority, username, correlation_id) else {
            return Ok(UserRealm::Managed);
        };
        let (host, user) = (authority.host.clone(), format!("{} {}", authority.host, username.to_lowercase()));
        let now = self.clock.now();
        // A host that has no such service has it for nobody.
        let kept = { [&host, &user].into_iter().find_map(|asked| locked(&self.found.realms).find(asked, now)) };
        if let Some(realm) = kept {
            return Ok(realm);
        }
        let response = self.send(request).await.map_err(|error| from_http(&error))?;
        let realm = user_realm::parse(&response).map_err(|error| from_user_realm(&error))?;
        let asked = if response.status() == http::StatusCode::NOT_FOUND { host } else { user };
        locked(&self.found.realms).keep(asked, now, realm.clone());
        Ok(realm)
    }

    /// Where the federation server takes a password.
    pub async fn federation_endpoint(
        &self,
        federation: &Federation,
        correlation_id: CorrelationId,
    ) -> Result<Endpoint, DeskError> {
        let url = match &federation.server {
            FederationServer::Endpoint(url) => {
                return Endpoint::named(url).map_err(|error| from_ws_trust(url, error));
            }
            FederationServer::Metadata(url) => url,
        };
        let now = self.clock.now();
        let kept = locked(&self.found.endpoints).find(url.as_str(), now);
        if let Some(endpoint) = kept {
            return Ok(endpoint);
        }
        let response = self.send(mex::request(url, correlation_id)).await.map_err(|error| from_http(&error))?;
        let endpoint = mex::parse(&response).map_err(|error| from_ws_trust(url, error))?;
        locked(&self.found.endpoints).keep(url.to_string(), now, endpoint.clone());
        Ok(endpoint)
    }

    /// What the federation server says of the user, for their password.
    pub async fn saml_assertion(
        &self,
        endpoint: &Endpoint,
        owner: ResourceOwner<'_>,
        ask: Ask<'_>,
        correlation_id: CorrelationId,
    ) -> Result<SamlAssertion, DeskError> {
        let refused = |error| from_ws_trust(&endpoint.url, error);
        let request = rst::request(endpoint, owner, ask, correlation_id).map_err(refused)?;
        let response = self.send(request).await.map_err(|error| from_http(&error))?;
        rstr::parse(&response, owner.password).map_err(refused)
    }
}

fn from_user_realm(error: &UserRealmError) -> DeskError {
    match error {
        UserRealmError::Document(DocumentError::Unavailable { retry_after, .. }) => {
            DeskError::AuthorityUnavailable { what: error.to_string(), retry_after: *retry_after, provider: None }
        }
        other => DeskError::AuthorityUnusable(other.to_string()),
    }
}

/// A failure of the federation server, by its host.
fn from_ws_trust(url: &Url, error: WsTrustError) -> DeskError {
    let host = url.host_str().unwrap_or_default();
    let what = format!("the federation server {host} {error}");
    match error {
        WsTrustError::Unavailable { retry_after, .. } => {
            DeskError::AuthorityUnavailable { what, retry_after, provider: None }
        }
        WsTrustError::Refused(Fault { code, reason }) => {
            let reason = if reason.is_empty() { "(it gives no reason)" } else { &reason };
            let description = Some(format!("The federation server {host} says: {reason}"));
            DeskError::AuthorityRefused(Box::new(ProviderError {
                error: code,
                description,
                ..ProviderError::default()
            }))
        }
        WsTrustError::NoEndpoint | WsTrustError::Unwritable(_) => DeskError::Unsupported(what),
        WsTrustError::NotXml(_) | WsTrustError::Xml(_) | WsTrustError::NoToken | WsTrustError::UnknownTokenType(_) => {
            DeskError::AuthorityUnusable(what)
        }
    }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::UnixTime;

    use super::{CAPACITY, Remembered};

    #[test]
    fn what_was_found_is_used_for_a_day() {
        let at = UnixTime::from_seconds;
        let mut found = Remembered::default();
        found.keep("ada".into(), at(1000), 1);
        let find = |now| found.find("ada", at(now));
        assert_eq!((find(1000), find(1000 + 86_399), find(1000 + 86_400), find(999)), (Some(1), Some(1), None, None));
        for number in 0..1000 {
            found.keep(number.to_string(), at(2000 + number), 2);
        }
        assert!(found.0.len() <= CAPACITY && found.find("999", at(3000)).is_some());
    }
}
