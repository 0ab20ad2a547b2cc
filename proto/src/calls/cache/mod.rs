//! Entries of the cache as they may be shown: everything but the token.

mod import;

use std::{fmt, str::FromStr};

use super::{Incomplete, given};
use crate::{Account, Invalid, oauth::UnixTime, wire::v1};

pub use import::{ImportReport, ImportedKind, LeftOut};

/// What an entry of the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheEntryKind {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An ID token.
    IdToken,
}

impl CacheEntryKind {
    /// Every kind, with the prefix of its ids.
    const PREFIXES: [(Self, &'static str); 3] =
        [(Self::AccessToken, "at"), (Self::RefreshToken, "rt"), (Self::IdToken, "id")];

    /// The word of the JSON output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::IdToken => "id_token",
        }
    }
}

/// Names an entry: `at-17`, `rt-3`, `id-9`. Never used again once the entry is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheEntryId {
    /// Which table.
    pub kind: CacheEntryKind,
    /// Which row.
    pub row: i64,
}

impl fmt::Display for CacheEntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix =
            CacheEntryKind::PREFIXES.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, prefix)| *prefix);
        write!(f, "{prefix}-{}", self.row)
    }
}

impl FromStr for CacheEntryId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parsed = text.split_once('-').and_then(|(prefix, row)| {
            let (kind, _) = CacheEntryKind::PREFIXES.into_iter().find(|(_, own)| *own == prefix)?;
            Some(Self { kind, row: row.parse().ok().filter(|row| *row > 0)? })
        });
        parsed.ok_or_else(|| Invalid::new("id", "must be an id from `cache list`, such as at-17"))
    }
}

/// An entry of the cache, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// Its id.
    pub id: CacheEntryId,
    /// Name of an application that it serves.
    pub application: Option<String>,
    /// Whose it is; `None` for an app-only token.
    pub account: Option<Account>,
    /// Granted scopes.
    pub scopes: Vec<String>,
    /// `Bearer` and the like; access tokens only.
    pub token_type: Option<String>,
    /// When it expires, if known.
    pub expires_on: Option<UnixTime>,
    /// Keyed fingerprint, 16 hex digits.
    pub fingerprint: String,
    /// Environment of the authority that issued it.
    pub environment: String,
    /// RFC 6749, section 2.2.
    pub client_id: String,
    /// Rotation of the grant, from 1; refresh tokens only.
    pub generation: Option<i64>,
    /// Thumbprint of the key that the token is bound to (RFC 7638).
    pub key_id: Option<String>,
}

impl From<CacheEntry> for v1::CacheEntry {
    fn from(entry: CacheEntry) -> Self {
        let kind = match entry.id.kind {
            CacheEntryKind::AccessToken => v1::CacheEntryKind::AccessToken,
            CacheEntryKind::RefreshToken => v1::CacheEntryKind::RefreshToken,
            CacheEntryKind::IdToken => v1::CacheEntryKind::IdToken,
        };
        Self {
            id: entry.id.to_string(),
            kind: kind.into(),
            application: entry.application.unwrap_or_default(),
            account: entry.account.map(Into::into),
            scopes: entry.scopes,
            token_type: entry.token_type.unwrap_or_default(),
            expires_on: entry.expires_on.map_or(0, UnixTime::seconds),
            fingerprint: entry.fingerprint,
            environment: entry.environment,
            client_id: entry.client_id,
            generation: entry.generation.unwrap_or(0),
            key_id: entry.key_id.unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::CacheEntry> for CacheEntry {
    type Error = Incomplete;

    fn try_from(wire: v1::CacheEntry) -> Result<Self, Incomplete> {
        Ok(Self {
            id: wire.id.parse().map_err(|_| Incomplete("id"))?,
            application: given(wire.application),
            account: wire.account.map(Into::into),
            scopes: wire.scopes,
            token_type: given(wire.token_type),
            expires_on: UnixTime::from_wire(wire.expires_on),
            fingerprint: wire.fingerprint,
            environment: wire.environment,
            client_id: wire.client_id,
            generation: Some(wire.generation).filter(|generation| *generation > 0),
            key_id: given(wire.key_id),
        })
    }
}
