//! What a client shows the provider in a request: its secret, or an assertion that is signed with its certificate, read from a
//! file, or got as a token of another application (RFC 7523, section 2.2). Signed assertions are kept in memory where the
//! provider lets them be sent again; elsewhere each request has its own.

use std::{
    collections::HashMap,
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use token_broker_proto::{
    Invalid, Secret,
    calls::{Subject, TokenRequest},
    oauth::{ApplicationName, Claims, CorrelationId, UnixTime},
};

use super::{Desk, managed_identity::assertion_scopes};
use crate::{
    flow::oauth::client_assertion::{Algorithm, AssertionError, Statement, audience, is_reusable, sign},
    model::{Certificate, Credential, DeskError, Presented, ProviderMetadata, RegisteredApplication},
    ports::{assertion_file, entropy},
};

/// How long an assertion is sent again; it is valid for a minute longer.
const REUSE: Duration = Duration::from_secs(540);

/// Signed assertions.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<KeptKey, (UnixTime, Secret)>>);

/// Everything that an assertion is made of, but the time.
#[derive(Clone, PartialEq, Eq, Hash)]
struct KeptKey {
    client_id: String,
    audience: String,
    chain: Vec<Vec<u8>>,
    send_x5c: bool,
    claims: Option<Claims>,
}

impl Kept {
    fn find(&self, key: &KeptKey, now: UnixTime) -> Option<Secret> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that seems to be of the future was made before the clock was set back.
        kept.get(key).filter(|(made, _)| *made <= now && made.plus(REUSE) > now).map(|(_, assertion)| assertion.clone())
    }

    fn keep(&self, key: KeptKey, now: UnixTime, assertion: Secret) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (made, _)| *made <= now && made.plus(REUSE) > now);
        kept.insert(key, (now, assertion));
    }
}

impl Desk {
    /// What this client shows in its next request.
    pub(super) async fn presented(
        self: &Arc<Self>,
        application: &RegisteredApplication,
        metadata: &ProviderMetadata,
        correlation_id: CorrelationId,
    ) -> Result<Presented, DeskError> {
        match &application.credential {
            Credential::Public => Ok(Presented::Nothing),
            Credential::Secret(secret) => Ok(Presented::Secret(secret.clone())),
            Credential::Certificate(certificate) => {
                self.signed(application, certificate, metadata).await.map(Presented::Assertion)
            }
            Credential::AssertionFile(path) => from_file(path).await.map(Presented::Assertion),
            Credential::AssertionFrom(other) => {
                self.from_application(application, other, correlation_id).await.map(Presented::Assertion)
            }
        }
    }

    async fn signed(
        &self,
        application: &RegisteredApplication,
        certificate: &Arc<Certificate>,
        metadata: &ProviderMetadata,
    ) -> Result<Secret, DeskError> {
        let authority = &application.authority;
        let audience = audience(authority, metadata).to_owned();
        let now = self.clock.now();
        let claims = application.options.assertion_claims.clone();
        let key = KeptKey {
            client_id: application.client_id.to_string(),
            audience: audience.clone(),
            chain: certificate.chain.clone(),
            send_x5c: certificate.send_x5c,
            claims: claims.clone(),
        };
        let reusable = is_reusable(authority);
        if let Some(assertion) = Some(&key).filter(|_| reusable).and_then(|key| self.assertions.find(key, now)) {
            return Ok(assertion);
        }
        let algorithm =
            Algorithm::choose(certificate.key.kind, authority, metadata).map_err(|error| from_assertion(&error))?;
        let (certificate, client_id) = (Arc::clone(certificate), application.client_id.clone());
        let id = self.new_correlation_id();
        let work = move || {
            let claims = claims.as_ref();
            let statement = Statement { client_id: &client_id, audience: &audience, now, id, claims };
            sign(&certificate, algorithm, &statement, &entropy::for_signing())
        };
        let signed = tokio::task::spawn_blocking(work).await;
        let signed = signed.map_err(|error| DeskError::Internal(format!("signing broke: {error}")))?;
        let assertion = signed.map_err(|error| from_assertion(&error))?;
        if reusable {
            self.assertions.keep(key, now, assertion.clone());
        }
        Ok(assertion)
    }

    /// The other application's own token. Boxed, and with its type written out, since that request comes through here, too.
    fn from_application<'a>(
        self: &'a Arc<Self>,
        ours: &'a RegisteredApplication,
        other: &'a ApplicationName,
        correlation_id: CorrelationId,
    ) -> Pin<Box<dyn Future<Output = Result<Secret, DeskError>> + Send + 'a>> {
        Box::pin(async move {
            let stored = self.find_application_named(other)?;
            if let Credential::AssertionFrom(_) = stored.application.credential {
                let ours = &ours.name;
                return Err(unusable(format!("{ours} takes its assertions from {other}, which has none of its own")));
            }
            let request = TokenRequest {
                subject: Subject::Application,
                scopes: assertion_scopes(ours, &stored.application),
                correlation_id: Some(correlation_id),
                ..TokenRequest::new(other.clone())
            };
            let wanted = self.wanted(&request).await?;
            Ok(self.for_application(&wanted).await?.access_token)
        })
    }
}

async fn from_file(path: &Path) -> Result<Secret, DeskError> {
    let read = assertion_file::read(path).await;
    read.map_err(|error| unusable(format!("its assertion file {} cannot be used: {error}", path.display())))
}

fn from_assertion(error: &AssertionError) -> DeskError {
    match error {
        AssertionError::NoAlgorithm { .. } => DeskError::Unsupported(error.to_string()),
        AssertionError::Key => DeskError::Internal(error.to_string()),
    }
}

fn unusable(rule: String) -> DeskError {
    Invalid::new("application", rule).into()
}

#[cfg(test)]
mod tests {
    use token_broker_proto::{Secret, oauth::UnixTime};

    use super::{Kept, KeptKey};

    #[test]
    fn trap_14_an_assertion_is_sent_again_for_nine_minutes() {
        let kept = Kept::default();
        let key = KeptKey {
            client_id: "client".into(),
            audience: "https://id.example/token".into(),
            chain: vec![vec![1], vec![9]],
            send_x5c: false,
            claims: None,
        };
        let other = KeptKey { chain: vec![vec![2], vec![9]], ..key.clone() };
        let sent_along = KeptKey { send_x5c: true, ..key.clone() };
        let at = UnixTime::from_seconds;
        kept.keep(key.clone(), at(1000), Secret::new("a.b.c"));
        assert!(kept.find(&key, at(1000)).is_some() && kept.find(&key, at(1539)).is_some());
        assert!(kept.find(&key, at(1540)).is_none(), "it lives for a minute longer, but must arrive");
        assert!(kept.find(&key, at(999)).is_none(), "the clock was set back");
        assert!(kept.find(&other, at(1000)).is_none(), "another certificate");
        assert!(kept.find(&sent_along, at(1000)).is_none(), "the certificates are to be in it");
    }
}
