//! The credential of an application that is being registered: a certificate file is read and checked before anything is stored,
//! and an assertion must come from where there can be one.

use std::sync::Arc;

use token_broker_proto::{
    Invalid,
    calls::{ApplicationSelector, CertificateFile, NewApplication, NewCredential},
    oauth::{ApplicationName, Authority},
};

use super::Desk;
use crate::{
    certificate,
    model::{Certificate, Credential, DeskError, KeyKind},
    ports::entropy,
};

impl Desk {
    /// What the new application authenticates with.
    pub(super) async fn credential(&self, new: &NewApplication) -> Result<Credential, DeskError> {
        match &new.credential {
            NewCredential::None => Ok(Credential::Public),
            NewCredential::Secret(secret) => Ok(Credential::Secret(secret.clone())),
            NewCredential::Certificate(file) => {
                let certificate = self.certificate(file.clone()).await?;
                check_kind(certificate.key.kind, &new.authority)?;
                Ok(Credential::Certificate(Arc::new(certificate)))
            }
            NewCredential::AssertionFile(path) => Ok(Credential::AssertionFile(path.clone())),
            NewCredential::AssertionFrom(other) => {
                self.check_source(&new.name, other)?;
                Ok(Credential::AssertionFrom(other.clone()))
            }
        }
    }

    /// Reads the file away from the event loop: a password is stretched for a good part of a second.
    async fn certificate(&self, file: CertificateFile) -> Result<Certificate, DeskError> {
        let work = move || {
            let read = certificate::read(&file.bytes, file.password.as_ref(), &entropy::for_signing());
            read.map(|certificate| Certificate { send_x5c: file.send_x5c, ..certificate })
        };
        let read = tokio::task::spawn_blocking(work).await;
        let read = read.map_err(|error| DeskError::Internal(format!("reading a certificate broke: {error}")))?;
        let certificate = read.map_err(|error| Invalid::new("certificate", error.to_string()))?;
        if certificate.not_after <= self.clock.now() {
            tracing::warn!(not_after = certificate.not_after.seconds(), "a certificate that has expired is registered");
        }
        Ok(certificate)
    }

    fn check_source(&self, ours: &ApplicationName, other: &ApplicationName) -> Result<(), DeskError> {
        let invalid = |rule: String| Err(Invalid::new("assertion_from_application", rule).into());
        if ours == other {
            return invalid("must be another application".to_owned());
        }
        let found = self.vault.find_application(&ApplicationSelector::Name(other.clone()))?;
        if found.as_ref().is_some_and(|stored| stored.application.authority.managed_identity().is_some()) {
            return Ok(());
        }
        match found.as_ref().map(|stored| &stored.application.credential) {
            None => invalid(format!("no application {other} is registered")),
            Some(Credential::Public) => invalid(format!("{other} is a public client and gets no token of its own")),
            Some(Credential::AssertionFrom(_)) => {
                invalid(format!("{other} takes its own assertions from another application"))
            }
            Some(Credential::Secret(_) | Credential::Certificate(_) | Credential::AssertionFile(_)) => Ok(()),
        }
    }
}

fn check_kind(kind: KeyKind, authority: &Authority) -> Result<(), Invalid> {
    match (kind, authority) {
        (KeyKind::P256 | KeyKind::P384, Authority::Microsoft(_)) => {
            let rule = "Microsoft Entra ID takes certificates with RSA keys only; this one has an elliptic curve key";
            Err(Invalid::new("certificate", rule))
        }
        _ => Ok(()),
    }
}
