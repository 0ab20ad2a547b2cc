//! Table `provider_metadata`: what an authority published of itself, and its keys (JWKS), as fetched. Public, yet sealed: it
//! tells whom the user deals with.

use serde::{Deserialize, Serialize};
use token_broker_proto::oauth::{Authority, UnixTime};

use super::{SealedRow, Tables};
use crate::{
    model::{ClientAuthentication, Dialect, ProviderMetadata},
    store::{
        error::StoreError,
        seal::{Keyring, Lookup, Table},
    },
};

const TABLE: Table = Table::Provider;

/// A provider as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProvider {
    /// Its metadata.
    pub metadata: ProviderMetadata,
    /// Its JSON Web Key Set (RFC 7517, section 5), if it was fetched.
    pub jwks: Option<String>,
}

/// `n`ame of the authority, `i`ssuer, endpoints (`a`uthorization, `t`oken, `d`evice, `r`evocation), JWKS `u`ri, `o`ffline
/// access, issuer `p`arameter, `m`ethod of client authentication, al`g`orithms of client assertions, `f`etched on, `k`eys,
/// a`l`iases.
#[derive(Serialize, Deserialize)]
struct Record {
    n: String,
    i: String,
    a: Option<String>,
    t: String,
    d: Option<String>,
    r: Option<String>,
    u: Option<String>,
    #[serde(default)]
    o: bool,
    #[serde(default)]
    p: bool,
    m: ClientAuthentication,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    g: Vec<String>,
    f: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    l: Vec<String>,
}

fn authority_hash(keys: &Keyring, authority: &str) -> Lookup {
    keys.lookup(TABLE, "authority", &[authority])
}

impl Tables<'_> {
    pub(in crate::store) fn provider(&self, authority: &Authority) -> Result<Option<StoredProvider>, StoreError> {
        let sql = "SELECT id, authority_hash, sealed FROM provider_metadata WHERE authority_hash = ?1";
        let Some(mut row) = self.row(TABLE, sql, [authority_hash(self.keys, &authority.to_string())])? else {
            return Ok(None);
        };
        let name = row.name;
        let record: Record = row.open(self.keys)?;
        let mut found = stored(record).ok_or_else(|| name.corrupt())?;
        found.metadata.dialect = Dialect::of(authority);
        Ok(Some(found))
    }

    /// Adds a provider, or brings it up to date.
    pub(in crate::store) fn put_provider(
        &self,
        authority: &Authority,
        stored: &StoredProvider,
    ) -> Result<(), StoreError> {
        let hash = authority_hash(self.keys, &authority.to_string());
        let sealed = self.keys.seal(TABLE, &hash, &record(authority, stored))?;
        let sql = "INSERT INTO provider_metadata (authority_hash, sealed) VALUES (?1, ?2)
            ON CONFLICT (authority_hash) DO UPDATE SET sealed = excluded.sealed";
        self.change(sql, (hash, sealed))?;
        Ok(())
    }
}

/// What the lookup column of a row should be.
pub(in crate::store) fn expected(keys: &Keyring, mut row: SealedRow) -> Result<Vec<Lookup>, StoreError> {
    let name = row.name;
    let record: Record = row.open(keys)?;
    let hash = authority_hash(keys, &record.n);
    stored(record).map(|_| vec![hash]).ok_or_else(|| name.corrupt())
}

fn stored(record: Record) -> Option<StoredProvider> {
    let url = |text: Option<String>| text.map(|text| text.parse()).transpose().ok();
    let metadata = ProviderMetadata {
        issuer: record.i,
        authorization_endpoint: url(record.a)?,
        token_endpoint: record.t.parse().ok()?,
        device_authorization_endpoint: url(record.d)?,
        revocation_endpoint: url(record.r)?,
        jwks_uri: url(record.u)?,
        offers_offline_access: record.o,
        sends_issuer_parameter: record.p,
        client_authentication: record.m,
        assertion_algorithms: record.g,
        dialect: Dialect::Standard,
        aliases: record.l,
        fetched_on: UnixTime::from_seconds(record.f),
    };
    Some(StoredProvider { metadata, jwks: record.k })
}

fn record(authority: &Authority, stored: &StoredProvider) -> Record {
    let StoredProvider { metadata, jwks } = stored;
    let text = |url: &Option<_>| url.as_ref().map(ToString::to_string);
    Record {
        n: authority.to_string(),
        i: metadata.issuer.clone(),
        a: text(&metadata.authorization_endpoint),
        t: metadata.token_endpoint.to_string(),
        d: text(&metadata.device_authorization_endpoint),
        r: text(&metadata.revocation_endpoint),
        u: text(&metadata.jwks_uri),
        o: metadata.offers_offline_access,
        p: metadata.sends_issuer_parameter,
        m: metadata.client_authentication,
        g: metadata.assertion_algorithms.clone(),
        f: metadata.fetched_on.seconds(),
        k: jwks.clone(),
        l: metadata.aliases.clone(),
    }
}
