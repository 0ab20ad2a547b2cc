//! What came of importing another program's token cache.

use std::collections::BTreeMap;

use super::super::Incomplete;
use crate::wire::v1;

/// What an entry of an imported cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportedKind {
    /// A user.
    Account,
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An ID token.
    IdToken,
}

impl ImportedKind {
    /// Every kind, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Account, Self::AccessToken, Self::RefreshToken, Self::IdToken];

    /// The word of the JSON output and of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::IdToken => "id_token",
        }
    }
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// How many of each kind were taken.
    pub taken: BTreeMap<ImportedKind, u64>,
    /// How many were there already, or had something newer in their place.
    pub known: u64,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// Entries that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What they are.
    pub kind: ImportedKind,
    /// Why, for people.
    pub why: String,
    /// How many.
    pub count: u64,
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

impl From<ImportReport> for v1::ImportMsalCacheResponse {
    fn from(report: ImportReport) -> Self {
        let taken = |kind| report.taken.get(&kind).copied().map_or(0, signed);
        Self {
            accounts: taken(ImportedKind::Account),
            access_tokens: taken(ImportedKind::AccessToken),
            refresh_tokens: taken(ImportedKind::RefreshToken),
            id_tokens: taken(ImportedKind::IdToken),
            already_there: signed(report.known),
            left_out: report.left_out.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<LeftOut> for v1::LeftOut {
    fn from(left: LeftOut) -> Self {
        Self { kind: left.kind.as_str().to_owned(), why: left.why, count: signed(left.count) }
    }
}

impl TryFrom<v1::ImportMsalCacheResponse> for ImportReport {
    type Error = Incomplete;

    fn try_from(wire: v1::ImportMsalCacheResponse) -> Result<Self, Incomplete> {
        let taken = [
            (ImportedKind::Account, wire.accounts),
            (ImportedKind::AccessToken, wire.access_tokens),
            (ImportedKind::RefreshToken, wire.refresh_tokens),
            (ImportedKind::IdToken, wire.id_tokens),
        ];
        Ok(Self {
            taken: taken.into_iter().map(|(kind, count)| (kind, unsigned(count))).filter(|(_, n)| *n > 0).collect(),
            known: unsigned(wire.already_there),
            left_out: wire.left_out.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<v1::LeftOut> for LeftOut {
    type Error = Incomplete;

    fn try_from(wire: v1::LeftOut) -> Result<Self, Incomplete> {
        let kind = ImportedKind::ALL.into_iter().find(|kind| kind.as_str() == wire.kind);
        Ok(Self { kind: kind.ok_or(Incomplete("kind"))?, why: wire.why, count: unsigned(wire.count) })
    }
}
