//! Table `application`: registrations with their credential, found by name and by (client id, authority). Several names may
//! be one client.

mod certificate;
mod managed_identity;
mod options;

use std::{borrow::Cow, sync::Arc, time::Duration};

use rusqlite::OptionalExtension as _;
use serde::{Deserialize, Serialize};
use token_broker_proto::{
    Secret,
    oauth::{ApplicationName, Authority, ClientId, Endpoints, MicrosoftAuthority, MicrosoftKind, ScopeSet},
};

use self::{certificate::CertificateRecord, managed_identity::ManagedIdentityRecord, options::OptionsRecord};
use super::{SealedRow, Tables, is_empty};
use crate::{
    model::{ApplicationStamp, Client, Credential, RegisteredApplication},
    store::{
        error::StoreError,
        seal::{Keyring, Lookup, Table},
    },
};

const TABLE: Table = Table::Application;

/// A registration as stored.
#[derive(Debug, Clone)]
pub struct StoredApplication {
    /// Changes whenever the registration does.
    pub stamp: ApplicationStamp,
    /// The registration.
    pub application: RegisteredApplication,
    /// Keyed fingerprint of its secret, 16 hex digits, or `x5t#S256` of its certificate; `None` where it has neither.
    pub fingerprint: Option<String>,
}

/// `n`ame, `c`lient id, `a`uthority, client secret `k`, certificate `x`, assertion `f`ile, application that assertions come
/// `p`roduced by, `s`copes, `r`edirect URI, `w`hat the client is capable of, seconds to keep ali`v`e, `o`ptions. Borrows, so that no copy
/// of a secret is made.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    n: String,
    c: String,
    a: AuthorityRecord,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    k: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    x: Option<CertificateRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<String>,
    #[serde(default, skip_serializing_if = "is_empty")]
    s: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    w: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<OptionsRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AuthorityRecord {
    Issuer(String),
    /// As the first version wrote it: its host is its cloud.
    Entra {
        host: String,
        tenant: String,
    },
    Microsoft {
        kind: KindRecord,
        host: String,
        path: String,
        cloud: String,
        #[serde(default)]
        vouched: bool,
    },
    Endpoints {
        token: String,
        authorization: Option<String>,
        device: Option<String>,
    },
    ManagedIdentity(ManagedIdentityRecord),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindRecord {
    EntraId,
    External,
    B2c,
    AdFs,
    Dsts,
}

/// Lookup columns: name, registration, client.
fn columns(keys: &Keyring, application: &RegisteredApplication) -> [Lookup; 3] {
    [
        name_hash(keys, &application.name),
        registration_hash(keys, &application.client_id, &application.authority),
        client_hash(keys, &application.client()),
    ]
}

fn name_hash(keys: &Keyring, name: &ApplicationName) -> Lookup {
    keys.lookup(TABLE, "name", &[name.as_str()])
}

fn registration_hash(keys: &Keyring, client_id: &ClientId, authority: &Authority) -> Lookup {
    keys.lookup(TABLE, "registration", &[client_id.as_str(), &registered_as(authority)])
}

/// An authority of the first version is registered under its own host.
fn registered_as(authority: &Authority) -> String {
    match authority {
        Authority::Microsoft(microsoft) if microsoft.cloud == microsoft.host => authority.to_string(),
        _ => authority.registered_as(),
    }
}

fn client_hash(keys: &Keyring, client: &Client) -> Lookup {
    keys.lookup(TABLE, "client", &[&client.environment, client.client_id.as_str()])
}

impl Tables<'_> {
    pub(in crate::store) fn application_by_name(
        &self,
        name: &ApplicationName,
    ) -> Result<Option<StoredApplication>, StoreError> {
        let sql = "SELECT id, name_hash, sealed FROM application WHERE name_hash = ?1";
        self.row(TABLE, sql, [name_hash(self.keys, name)])?.map(|row| read(self.keys, row)).transpose()
    }

    /// The first name with that registration.
    pub(in crate::store) fn application_by_registration(
        &self,
        client_id: &ClientId,
        authority: &Authority,
    ) -> Result<Option<StoredApplication>, StoreError> {
        let sql = "SELECT id, name_hash, sealed FROM application WHERE registration_hash = ?1 ORDER BY id LIMIT 1";
        let Some(row) = self.row(TABLE, sql, [registration_hash(self.keys, client_id, authority)])? else {
            return Ok(None);
        };
        let name = row.name;
        let found = read(self.keys, row)?;
        let fits = found.application.client_id == *client_id
            && registered_as(&found.application.authority) == registered_as(authority);
        if fits { Ok(Some(found)) } else { Err(name.corrupt()) }
    }

    /// Every registration, by row id.
    pub(in crate::store) fn all_applications(&self) -> Result<Vec<StoredApplication>, StoreError> {
        let sql = "SELECT id, name_hash, sealed FROM application ORDER BY id";
        self.rows(TABLE, sql, [], |row| read(self.keys, row))
    }

    pub(in crate::store) fn insert_application(
        &self,
        application: RegisteredApplication,
    ) -> Result<StoredApplication, StoreError> {
        let [name, registration, client] = columns(self.keys, &application);
        let sealed = self.keys.seal(TABLE, &name, &record(&application))?;
        let sql = "INSERT INTO application (name_hash, registration_hash, client_hash, sealed) VALUES (?1, ?2, ?3, ?4)";
        self.change(sql, (name, registration, client, sealed))?;
        Ok(stored(self.keys, self.db.last_insert_rowid(), application))
    }

    /// Whether there was one.
    pub(in crate::store) fn delete_application(&self, name: &ApplicationName) -> Result<bool, StoreError> {
        Ok(self.change("DELETE FROM application WHERE name_hash = ?1", [name_hash(self.keys, name)])? > 0)
    }

    /// Whether this very registration is still there.
    pub(in crate::store) fn is_registered(&self, stamp: ApplicationStamp) -> Result<bool, StoreError> {
        Ok(self.db.prepare_cached("SELECT 1 FROM application WHERE id = ?1")?.exists([stamp.0])?)
    }

    /// Whether any name stands for that client.
    pub(in crate::store) fn is_client_registered(&self, client: &Client) -> Result<bool, StoreError> {
        let mut query = self.db.prepare_cached("SELECT 1 FROM application WHERE client_hash = ?1 LIMIT 1")?;
        Ok(query.query_row([client_hash(self.keys, client)], |_| Ok(())).optional()?.is_some())
    }
}

/// What the lookup columns of a row should be, its own hash first.
pub(in crate::store) fn expected(keys: &Keyring, row: SealedRow) -> Result<Vec<Lookup>, StoreError> {
    Ok(columns(keys, &read(keys, row)?.application).to_vec())
}

fn read(keys: &Keyring, mut row: SealedRow) -> Result<StoredApplication, StoreError> {
    let name = row.name;
    let record: Record<'_> = row.open(keys)?;
    Ok(stored(keys, name.id, application(record).ok_or_else(|| name.corrupt())?))
}

fn stored(keys: &Keyring, id: i64, application: RegisteredApplication) -> StoredApplication {
    let fingerprint = match &application.credential {
        Credential::Public | Credential::AssertionFile(_) | Credential::AssertionFrom(_) => None,
        Credential::Secret(secret) => Some(keys.fingerprint(secret.expose())),
        Credential::Certificate(certificate) => Some(certificate::thumbprint(certificate)),
    };
    StoredApplication { stamp: ApplicationStamp(id), application, fingerprint }
}

fn record(application: &RegisteredApplication) -> Record<'_> {
    let mut record = Record {
        n: application.name.to_string(),
        c: application.client_id.to_string(),
        a: authority_record(&application.authority),
        k: None,
        x: None,
        f: None,
        p: None,
        s: application.scopes.to_string(),
        r: application.redirect_uri.clone(),
        w: application.client_capabilities.clone(),
        v: application.keep_alive.map(|span| span.as_secs()),
        o: options::record(&application.options),
    };
    match &application.credential {
        Credential::Public => {}
        Credential::Secret(secret) => record.k = Some(Cow::Borrowed(secret.expose())),
        Credential::Certificate(certificate) => record.x = Some(certificate::record(certificate)),
        Credential::AssertionFile(path) => record.f = Some(path.to_string_lossy().into_owned()),
        Credential::AssertionFrom(name) => record.p = Some(name.to_string()),
    }
    record
}

fn credential(record: &Record<'_>) -> Option<Credential> {
    match record {
        Record { k: None, x: None, f: None, p: None, .. } => Some(Credential::Public),
        Record { k: Some(secret), x: None, f: None, p: None, .. } => {
            Some(Credential::Secret(Secret::new(secret.as_ref())))
        }
        Record { k: None, x: Some(kept), f: None, p: None, .. } => {
            Some(Credential::Certificate(Arc::new(certificate::certificate(kept)?)))
        }
        Record { k: None, x: None, f: Some(path), p: None, .. } => Some(Credential::AssertionFile(path.into())),
        Record { k: None, x: None, f: None, p: Some(name), .. } => {
            Some(Credential::AssertionFrom(ApplicationName::parse("name", name).ok()?))
        }
        _ => None,
    }
}

fn application(record: Record<'_>) -> Option<RegisteredApplication> {
    let authority = authority(&record.a)?;
    Some(RegisteredApplication {
        name: ApplicationName::parse("name", &record.n).ok()?,
        client_id: ClientId::parse(&record.c).ok()?,
        authority,
        credential: credential(&record)?,
        scopes: ScopeSet::parse([record.s.as_str()]).ok()?,
        redirect_uri: record.r,
        client_capabilities: record.w,
        keep_alive: record.v.map(Duration::from_secs),
        options: options::options(record.o)?,
    })
}

fn authority_record(authority: &Authority) -> AuthorityRecord {
    match authority {
        Authority::OpenIdConnect { text, .. } => AuthorityRecord::Issuer(text.clone()),
        Authority::Microsoft(microsoft) => AuthorityRecord::Microsoft {
            kind: kind_record(microsoft.kind),
            host: microsoft.host.clone(),
            path: microsoft.path.clone(),
            cloud: microsoft.cloud.clone(),
            vouched: microsoft.is_vouched_for,
        },
        Authority::Endpoints(endpoints) => AuthorityRecord::Endpoints {
            token: endpoints.token.to_string(),
            authorization: endpoints.authorization.as_ref().map(ToString::to_string),
            device: endpoints.device_authorization.as_ref().map(ToString::to_string),
        },
        Authority::ManagedIdentity(identity) => AuthorityRecord::ManagedIdentity(managed_identity::record(identity)),
    }
}

fn authority(record: &AuthorityRecord) -> Option<Authority> {
    let url = |text: &Option<String>| text.as_deref().map(str::parse).transpose().ok();
    let microsoft = |kind, [host, path, cloud]: [&String; 3], is_vouched_for| {
        let (host, path, cloud) = (host.clone(), path.clone(), cloud.clone());
        Authority::Microsoft(MicrosoftAuthority { kind, host, path, cloud, is_vouched_for })
    };
    Some(match record {
        AuthorityRecord::Issuer(text) => Authority::from_issuer(text).ok()?,
        AuthorityRecord::Entra { host, tenant } => microsoft(MicrosoftKind::EntraId, [host, tenant, host], false),
        AuthorityRecord::Microsoft { kind, host, path, cloud, vouched } => {
            microsoft(kind_of(*kind), [host, path, cloud], *vouched)
        }
        AuthorityRecord::Endpoints { token, authorization, device } => Authority::Endpoints(Endpoints {
            token: token.parse().ok()?,
            authorization: url(authorization)?,
            device_authorization: url(device)?,
        }),
        AuthorityRecord::ManagedIdentity(record) => {
            Authority::ManagedIdentity(managed_identity::managed_identity(record)?)
        }
    })
}

fn kind_record(kind: MicrosoftKind) -> KindRecord {
    match kind {
        MicrosoftKind::EntraId => KindRecord::EntraId,
        MicrosoftKind::External => KindRecord::External,
        MicrosoftKind::B2c => KindRecord::B2c,
        MicrosoftKind::AdFs => KindRecord::AdFs,
        MicrosoftKind::Dsts => KindRecord::Dsts,
    }
}

fn kind_of(record: KindRecord) -> MicrosoftKind {
    match record {
        KindRecord::EntraId => MicrosoftKind::EntraId,
        KindRecord::External => MicrosoftKind::External,
        KindRecord::B2c => MicrosoftKind::B2c,
        KindRecord::AdFs => MicrosoftKind::AdFs,
        KindRecord::Dsts => MicrosoftKind::Dsts,
    }
}
