//! Registering, showing and removing applications.

use std::sync::Arc;

use token_broker_proto::{
    Invalid,
    calls::{Application, ApplicationSelector, CredentialKind, ExistingApplication, NewApplication},
    oauth::{ApplicationName, Authority, MicrosoftAuthority, clouds},
};

use super::Desk;
use crate::{
    access::Caller,
    model::{Credential, DeskError, RegisteredApplication},
    ports::entropy,
    store::{RemovedApplication, SavedApplication, StoredApplication, StoredProvider},
};

/// What became of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// It is new.
    Added,
    /// It took the place of another.
    Replaced,
    /// It was there already, just like this.
    Unchanged,
}

impl Desk {
    /// Registers an application, after a look at its metadata unless it is told not to look. The answer says what changed.
    pub async fn add_application(
        &self,
        caller: &Caller,
        new: NewApplication,
    ) -> Result<(Application, Registration), DeskError> {
        tracing::debug!(%caller, "add application");
        if new.existing == ExistingApplication::Refuse && self.registered(&new.name)?.is_some() {
            return Err(DeskError::AlreadyExists(new.name.to_string()));
        }
        let credential = self.credential(&new).await?;
        check_options(&new, &credential)?;
        let found = if new.offline || new.authority.managed_identity().is_some() {
            None
        } else {
            Some(self.provider.discover(&new.authority, entropy::correlation_id(&*self.entropy)).await?)
        };
        let registered = self.registered(&new.name)?;
        let before = registered.as_ref().map(|stored| &stored.application.authority);
        let aliases = found.as_ref().map_or(&[][..], |metadata| &metadata.aliases);
        let new = NewApplication { authority: in_its_cloud(new.authority, aliases, before), ..new };
        let (existing, authority, name) = (new.existing, new.authority.clone(), new.name.clone());
        let saved = self.vault.save_application(registration(new, credential), existing).await?;
        if let Some(metadata) = found
            && !matches!(authority, Authority::Endpoints(_))
        {
            self.vault.save_provider(&authority, StoredProvider { metadata, jwks: None }).await?;
        }
        match saved {
            SavedApplication::Added(stored) => Ok((shown(stored), Registration::Added)),
            SavedApplication::Replaced(stored) => Ok((shown(stored), Registration::Replaced)),
            SavedApplication::Unchanged(stored) => Ok((shown(stored), Registration::Unchanged)),
            SavedApplication::Exists => Err(DeskError::AlreadyExists(name.to_string())),
        }
    }

    /// Every registered application, by name.
    pub fn list_applications(&self, caller: &Caller) -> Result<Vec<Application>, DeskError> {
        tracing::debug!(%caller, "list applications");
        Ok(self.vault.applications()?.into_iter().map(shown).collect())
    }

    /// One registered application.
    pub fn show_application(&self, caller: &Caller, name: &ApplicationName) -> Result<Application, DeskError> {
        tracing::debug!(%caller, "show application");
        let found = self.vault.applications()?.into_iter().find(|stored| stored.application.name == *name);
        found.map(shown).ok_or_else(|| DeskError::ApplicationNotFound(name.to_string()))
    }

    /// Removes an application, and its accounts and tokens unless another name shares its client id.
    pub async fn remove_application(
        &self,
        caller: &Caller,
        name: &ApplicationName,
    ) -> Result<RemovedApplication, DeskError> {
        tracing::debug!(%caller, "remove application");
        let removed = self.vault.remove_application(name).await?;
        removed.ok_or_else(|| DeskError::ApplicationNotFound(name.to_string()))
    }

    fn registered(&self, name: &ApplicationName) -> Result<Option<Arc<StoredApplication>>, DeskError> {
        Ok(self.vault.find_application(&ApplicationSelector::Name(name.clone()))?)
    }
}

/// A host that is not well known goes by the name that instance discovery prefers for its cloud. Where that cannot be asked, the
/// name of the last time holds: another one would make it another provider, whose accounts are others.
fn in_its_cloud(authority: Authority, aliases: &[String], before: Option<&Authority>) -> Authority {
    match authority {
        Authority::Microsoft(microsoft) if !microsoft.is_well_known() => {
            let preferred = aliases.first().map(|alias| clouds::name(alias));
            let kept = || match before {
                Some(Authority::Microsoft(before)) if before.host == microsoft.host => before.cloud.clone(),
                _ => microsoft.cloud.clone(),
            };
            let cloud = preferred.unwrap_or_else(kept);
            Authority::Microsoft(MicrosoftAuthority { cloud, ..microsoft })
        }
        other => other,
    }
}

/// What an option needs to mean anything. An update may keep a credential that is not looked at here.
fn check_options(new: &NewApplication, credential: &Credential) -> Result<(), Invalid> {
    let is_microsoft = matches!(new.authority, Authority::Microsoft(_));
    let keeps = new.existing == ExistingApplication::Update;
    let has = |what: fn(&Credential) -> bool| keeps || what(credential);
    if new.options.region.is_some() && !(is_microsoft && has(|it| !matches!(it, Credential::Public))) {
        let rule = "is for the own tokens of an application of Microsoft Entra ID with a credential";
        return Err(Invalid::new("region", rule));
    }
    if new.options.assertion_claims.is_some() && !has(|it| matches!(it, Credential::Certificate(_))) {
        return Err(Invalid::new("assertion_claims", "need a certificate, which signs the assertions"));
    }
    if new.options.app_name.is_some() && !is_microsoft {
        return Err(Invalid::new("app_name", "is for an application of Microsoft: no other provider is told"));
    }
    Ok(())
}

fn registration(new: NewApplication, credential: Credential) -> RegisteredApplication {
    RegisteredApplication {
        name: new.name,
        client_id: new.client_id,
        authority: new.authority,
        credential,
        scopes: new.scopes,
        redirect_uri: new.redirect_uri,
        client_capabilities: new.client_capabilities,
        keep_alive: new.keep_alive,
        options: new.options,
    }
}

/// The application without its secret.
fn shown(stored: StoredApplication) -> Application {
    let application = stored.application;
    Application {
        name: application.name.to_string(),
        client_id: application.client_id.to_string(),
        authority: application.authority.to_string(),
        credential: match application.credential {
            Credential::Public if application.authority.managed_identity().is_some() => CredentialKind::ManagedIdentity,
            Credential::Public => CredentialKind::None,
            Credential::Secret(_) => CredentialKind::Secret,
            Credential::Certificate(_) => CredentialKind::Certificate,
            Credential::AssertionFile(_) | Credential::AssertionFrom(_) => CredentialKind::Assertion,
        },
        credential_fingerprint: stored.fingerprint,
        scopes: application.scopes.to_strings(),
        redirect_uri: application.redirect_uri,
        client_capabilities: application.client_capabilities,
        no_instance_discovery: application.authority.is_vouched_for(),
        keep_alive: application.keep_alive,
        managed_identity: application.authority.managed_identity().cloned(),
        options: application.options.to_texts(),
    }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::Authority;

    use super::in_its_cloud;

    fn microsoft(url: &str) -> Authority {
        Authority::from_authority_url(url).expect("an authority")
    }

    #[test]
    fn a_cloud_keeps_its_name_while_its_aliases_cannot_be_asked() {
        let url = "https://login.sovereign.example/contoso.example";
        let aliases = ["login.preferred.example", "login.sovereign.example"].map(str::to_owned);
        let first = in_its_cloud(microsoft(url), &aliases, None);
        assert_eq!(first.environment(), "login.preferred.example");
        assert_eq!(in_its_cloud(microsoft(url), &[], Some(&first)), first);
        assert_eq!(in_its_cloud(microsoft(url), &[], None).environment(), "login.sovereign.example");
        let elsewhere = microsoft("https://login.other.example/contoso.example");
        assert_eq!(in_its_cloud(elsewhere, &[], Some(&first)).environment(), "login.other.example");
    }
}
