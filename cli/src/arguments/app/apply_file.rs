//! The file of `app apply`: a declarative list of applications that teams keep in git. Unknown keys are refused by name, and
//! secrets are not accepted at all. The whole file is parsed before anything is sent.
//!
//! ```toml
//! [[application]]
//! name = "work"
//! client_id = "11111111-2222-3333-4444-555555555555"
//! tenant = "contoso.com" # or authority, or issuer, or endpoints.token (.authorization, .device_authorization)
//! scopes = ["User.Read"]
//! certificate = "work.pem" # or assertion_file, or assertion_from_app; paths begin at the folder of this file
//! keep_alive = "30d" # refresh a grant that nobody used for so long
//! region = "westus2" # and extra_query.NAME, extra_body.NAME, exclude_scopes, assertion_claims, app_name, app_version
//!
//! [[application]]
//! name = "vm"
//! managed_identity.client_id = "11111111-2222-3333-4444-555555555555" # or .resource_id, or .object_id, or `managed_identity = {}`
//! scopes = ["https://vault.azure.net"]
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use token_broker_client::{
    Invalid,
    calls::{ExistingApplication, NewApplication, NewCredential, OptionTexts, keep_alive, redirect_uri},
    oauth::{ApplicationName, client_capabilities},
};

use super::{
    super::{duration, scopes},
    authority::{AuthorityTexts, EndpointTexts, ManagedIdentityTexts, client_id},
    credential::certificate_file,
};

/// Parts of key names that stand for a secret.
const SECRET_WORDS: [&str; 3] = ["secret", "password", "private_key"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    application: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    client_id: Option<String>,
    tenant: Option<String>,
    authority: Option<String>,
    issuer: Option<String>,
    endpoints: Option<EndpointsEntry>,
    managed_identity: Option<ManagedIdentityEntry>,
    #[serde(default)]
    scopes: Vec<String>,
    redirect_uri: Option<String>,
    certificate: Option<PathBuf>,
    #[serde(default)]
    send_x5c: bool,
    assertion_file: Option<PathBuf>,
    assertion_from_app: Option<String>,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    no_instance_discovery: bool,
    keep_alive: Option<String>,
    #[serde(default)]
    region: String,
    #[serde(default)]
    extra_query: BTreeMap<String, String>,
    #[serde(default)]
    extra_body: BTreeMap<String, String>,
    #[serde(default)]
    exclude_scopes: Vec<String>,
    #[serde(default)]
    assertion_claims: String,
    #[serde(default)]
    app_name: String,
    #[serde(default)]
    app_version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointsEntry {
    token: String,
    authorization: Option<String>,
    device_authorization: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManagedIdentityEntry {
    client_id: Option<String>,
    resource_id: Option<String>,
    object_id: Option<String>,
    source: Option<String>,
}

/// Reads the file, which stands in this folder; the error is a sentence that names the place.
pub(crate) fn parse(text: &str, folder: &Path, offline: bool) -> Result<Vec<NewApplication>, String> {
    refuse_secrets(text)?;
    let file: File = toml::from_str(text).map_err(|error| placed(text, &error))?;
    let mut applications: Vec<NewApplication> = Vec::with_capacity(file.application.len());
    for entry in file.application {
        let name = entry.name.clone();
        let new = entry.parse(folder, offline).map_err(|what| format!("application {name:?}: {what}"))?;
        if applications.iter().any(|other| other.name == new.name) {
            return Err(format!("application {name:?} stands there twice"));
        }
        applications.push(new);
    }
    Ok(applications)
}

/// The line and what is wrong there; not the line itself, which could hold a secret that was put there by mistake.
fn placed(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

/// Says it before the parser calls the key unknown.
fn refuse_secrets(text: &str) -> Result<(), String> {
    // Broken TOML is for the parser proper to explain.
    let Ok(table) = toml::from_str::<toml::Table>(text) else { return Ok(()) };
    let entries = table.get("application").and_then(toml::Value::as_array).into_iter().flatten();
    let tables = entries.filter_map(toml::Value::as_table);
    match tables.flat_map(toml::Table::keys).find(|key| SECRET_WORDS.iter().any(|word| key.contains(word))) {
        None => Ok(()),
        Some(key) => Err(format!(
            "{key:?} does not belong here: secrets never stand in this file. Give it once with `broker-cli app add \
             NAME ... --replace --client-secret-stdin`; applying the file keeps it"
        )),
    }
}

impl Entry {
    /// What it authenticates with; secrets and passwords have no place here.
    fn credential(&self, folder: &Path) -> Result<NewCredential, String> {
        let credential = match (&self.certificate, &self.assertion_file, &self.assertion_from_app) {
            (None, None, None) => NewCredential::None,
            (Some(path), None, None) => certificate_file(&folder.join(path), None, self.send_x5c)?,
            (None, Some(path), None) => {
                let path = std::path::absolute(folder.join(path)).map_err(|error| error.to_string())?;
                NewCredential::assertion_file(&path).map_err(|invalid| invalid.to_string())?
            }
            (None, None, Some(name)) => {
                let name = ApplicationName::parse("assertion_from_app", name);
                NewCredential::AssertionFrom(name.map_err(|invalid| invalid.to_string())?)
            }
            _ => return Err("give only one of certificate, assertion_file and assertion_from_app".to_owned()),
        };
        if self.send_x5c && self.certificate.is_none() {
            return Err("send_x5c: needs a certificate".to_owned());
        }
        Ok(credential)
    }

    fn parse(self, folder: &Path, offline: bool) -> Result<NewApplication, String> {
        let credential = self.credential(folder)?;
        self.with(credential, offline).map_err(|invalid| invalid.to_string())
    }

    fn with(self, credential: NewCredential, offline: bool) -> Result<NewApplication, Invalid> {
        let endpoints = self.endpoints.map(|endpoints| EndpointTexts {
            token: endpoints.token,
            authorization: endpoints.authorization,
            device_authorization: endpoints.device_authorization,
        });
        let authority = AuthorityTexts {
            tenant: self.tenant,
            authority: self.authority,
            issuer: self.issuer,
            endpoints,
            managed_identity: self.managed_identity.map(ManagedIdentityEntry::into_texts),
            no_instance_discovery: self.no_instance_discovery,
        };
        let authority = authority.parse()?;
        if authority.managed_identity().is_some() && self.client_id.is_some() {
            return Err(Invalid::new("client_id", "belongs into managed_identity"));
        }
        let options = OptionTexts {
            region: self.region,
            extra_query: self.extra_query.into_iter().collect(),
            extra_body: self.extra_body.into_iter().collect(),
            exclude_scopes: self.exclude_scopes,
            assertion_claims: self.assertion_claims,
            app_name: self.app_name,
            app_version: self.app_version,
        };
        Ok(NewApplication {
            name: ApplicationName::parse("name", &self.name)?,
            client_id: client_id(&authority, self.client_id)?,
            authority,
            scopes: scopes(&self.scopes)?.unwrap_or_default(),
            redirect_uri: self.redirect_uri.map(redirect_uri).transpose()?,
            client_capabilities: client_capabilities(self.capabilities)?,
            credential,
            keep_alive: self.keep_alive.as_deref().map(span).transpose()?,
            options: options.try_into()?,
            offline,
            existing: ExistingApplication::Update,
        })
    }
}

impl ManagedIdentityEntry {
    fn into_texts(self) -> ManagedIdentityTexts {
        let Self { client_id, resource_id, object_id, source } = self;
        ManagedIdentityTexts { client_id, resource_id, object_id, source }
    }
}

/// As `--keep-alive` takes it.
fn span(text: &str) -> Result<Duration, Invalid> {
    keep_alive(duration::parse(text).map_err(|rule| Invalid::new("keep_alive", rule))?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use token_broker_client::calls::NewCredential;

    use super::parse;

    fn complaint(text: &str) -> String {
        parse(text, Path::new("/etc/broker"), false).map_or_else(|error| error, |_| String::new())
    }

    #[test]
    fn every_way_to_name_the_authority_is_read() {
        let text = r#"
            [[application]]
            name = "a"
            client_id = "1"
            scopes = ["x y", "z"]
            [[application]]
            name = "b"
            client_id = "1"
            issuer = "https://id.example"
            redirect_uri = "http://127.0.0.1:8000/cb"
            keep_alive = "30d"
            extra_query = { audience = "https://api.example", tag = "a" }
            extra_body.tag = "b"
            exclude_scopes = ["offline_access"]
            [[application]]
            name = "c"
            client_id = "1"
            endpoints.token = "https://id.example/t"
            endpoints.device_authorization = "https://id.example/d"
        "#;
        let applications = parse(text, Path::new("/etc/broker"), true).unwrap_or_default();
        let authorities: Vec<String> = applications.iter().map(|new| new.authority.to_string()).collect();
        assert_eq!(
            authorities,
            ["https://login.microsoftonline.com/common", "https://id.example", "https://id.example/t"]
        );
        assert_eq!(applications[0].scopes.to_string(), "x y z");
        let texts = applications[1].options.to_texts();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(texts.extra_query, [pair("audience", "https://api.example"), pair("tag", "a")]);
        assert_eq!(
            (texts.extra_body, texts.exclude_scopes),
            (vec![pair("tag", "b")], vec!["offline_access".to_owned()])
        );
        let days: Vec<_> = applications.iter().map(|new| Some(new.keep_alive?.as_secs() / 86_400)).collect();
        assert_eq!(days, [None, Some(30), None]);
        assert!(applications.iter().all(|new| new.offline && matches!(new.credential, NewCredential::None)));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let said = complaint("[[application]]\nname = 'a'\nclient_id = '1'\nclient_idd = '2'\n");
        assert!(said.contains("client_idd") && said.contains("line 4"), "{said}");
        assert!(complaint("[[app]]\nname = 'a'\n").contains("`app`"));
    }

    #[test]
    fn a_secret_is_refused_and_not_shown() {
        for key in ["client_secret", "password", "certificate_password"] {
            let said = complaint(&format!("[[application]]\nname = 'a'\nclient_id = '1'\n{key} = 'hunter2'\n"));
            assert!(said.contains(key) && said.contains("never") && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_wrong_value_names_application_and_field() {
        let said = complaint("[[application]]\nname = 'a'\nclient_id = '1'\nissuer = 'http://id.example'\n");
        assert!(said.contains("\"a\"") && said.contains("issuer") && said.contains("https"), "{said}");
        let said = complaint("[[application]]\nname = 'a'\nclient_id = '1'\nredirect_uri = 'http://x'\n");
        assert!(said.contains("redirect_uri"), "{said}");
        let said = complaint("[[application]]\nname = 'a'\nclient_id = '1'\nkeep_alive = '5s'\n");
        assert!(said.contains("keep_alive") && said.contains("hour"), "{said}");
        let said = complaint("[[application]]\nname = 'a'\nclient_id = '1'\nextra_body.state = '1'\n");
        assert!(said.contains("extra_body") && said.contains("state"), "{said}");
        let said = complaint("[[application]]\nname = 'a'\nclient_id = '1'\ntenant = 't'\nissuer = 'https://x'\n");
        assert!(said.contains("only one"), "{said}");
    }

    #[test]
    fn a_name_stands_there_once() {
        let said = complaint(&"[[application]]\nname = 'a'\nclient_id = '1'\n".repeat(2));
        assert!(said.contains("twice"), "{said}");
    }

    #[test]
    fn a_missing_key_and_broken_toml_are_explained() {
        assert!(complaint("[[application]]\nname = 'a'\n").contains("client_id"));
        assert!(complaint("[[application\n").contains("line 1"));
    }
}
