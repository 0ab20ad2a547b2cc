//! The entries of a unified cache and how each is read. Times are seconds since the epoch, as texts or as numbers; what older
//! and other libraries name differently is known by both names; what nobody here needs is passed over.

use serde::{Deserialize, Deserializer};
use token_broker_proto::{Secret, oauth::UnixTime};

/// The sections that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Access tokens.
    AccessToken,
    /// Refresh tokens.
    RefreshToken,
    /// ID tokens.
    IdToken,
    /// Users.
    Account,
    /// What is known of clients.
    AppMetadata,
}

/// One entry.
#[derive(Debug)]
pub enum Entry {
    /// An access token.
    AccessToken(AccessTokenEntry),
    /// A refresh token.
    RefreshToken(RefreshTokenEntry),
    /// An ID token.
    IdToken(IdTokenEntry),
    /// A user.
    Account(AccountEntry),
    /// What is known of a client.
    AppMetadata(AppMetadataEntry),
    /// One of this section that is not as it should be.
    Unreadable(Section),
}

/// An access token.
#[derive(Debug, Deserialize)]
pub struct AccessTokenEntry {
    /// The token.
    #[serde(deserialize_with = "secret")]
    pub secret: Secret,
    /// Whose it is; none for a token of the application itself.
    pub home_account_id: Option<String>,
    /// Host of the cloud, by whichever alias.
    pub environment: String,
    /// RFC 6749, section 2.2.
    pub client_id: String,
    /// Granted scopes, separated by spaces.
    #[serde(default)]
    pub target: Option<String>,
    /// Tenant.
    #[serde(default)]
    pub realm: Option<String>,
    /// RFC 6749, section 7.1; `Bearer` if it is not said.
    #[serde(default)]
    pub token_type: Option<String>,
    /// When it was issued.
    #[serde(default, deserialize_with = "time")]
    pub cached_at: Option<UnixTime>,
    /// When it expires.
    #[serde(default, deserialize_with = "time")]
    pub expires_on: Option<UnixTime>,
    /// When it is to be renewed.
    #[serde(default, deserialize_with = "time")]
    pub refresh_on: Option<UnixTime>,
    /// Key that it is bound to.
    #[serde(default, alias = "keyid", alias = "kid")]
    pub key_id: Option<String>,
    /// What else sets it apart.
    #[serde(default)]
    pub ext_cache_key: Option<String>,
    /// Hash of the assertion that it was got on behalf of.
    #[serde(default)]
    pub user_assertion_hash: Option<String>,
}

/// A refresh token.
#[derive(Debug, Deserialize)]
pub struct RefreshTokenEntry {
    /// The token.
    #[serde(deserialize_with = "secret")]
    pub secret: Secret,
    /// Whose it is.
    pub home_account_id: String,
    /// Host of the cloud, by whichever alias.
    pub environment: String,
    /// RFC 6749, section 2.2.
    pub client_id: String,
    /// Scopes it was granted with.
    #[serde(default)]
    pub target: Option<String>,
    /// When the provider issued it.
    #[serde(default, deserialize_with = "time")]
    pub last_modification_time: Option<UnixTime>,
    /// Family of clients that share it.
    #[serde(default)]
    pub family_id: Option<String>,
    /// Hash of the assertion that it was got on behalf of.
    #[serde(default)]
    pub user_assertion_hash: Option<String>,
}

/// An ID token.
#[derive(Debug, Deserialize)]
pub struct IdTokenEntry {
    /// The token.
    #[serde(deserialize_with = "secret")]
    pub secret: Secret,
    /// Whose it is.
    pub home_account_id: String,
    /// Host of the cloud, by whichever alias.
    pub environment: String,
    /// RFC 6749, section 2.2.
    pub client_id: String,
    /// Tenant.
    #[serde(default)]
    pub realm: Option<String>,
}

/// A user.
#[derive(Debug, Deserialize)]
pub struct AccountEntry {
    /// `{uid}.{utid}`, or the `sub` claim.
    pub home_account_id: String,
    /// Host of the cloud, by whichever alias.
    pub environment: String,
    /// Tenant.
    #[serde(default)]
    pub realm: Option<String>,
    /// The `oid` claim, else `sub`.
    #[serde(default)]
    pub local_account_id: Option<String>,
    /// What the user types to sign in.
    #[serde(default)]
    pub username: Option<String>,
    /// What people call the user.
    #[serde(default)]
    pub name: Option<String>,
}

/// What is known of a client.
#[derive(Debug, Deserialize)]
pub struct AppMetadataEntry {
    /// RFC 6749, section 2.2.
    pub client_id: String,
    /// Host of the cloud, by whichever alias.
    pub environment: String,
    /// Family that the client belongs to; none: it is known to belong to none.
    #[serde(default)]
    pub family_id: Option<String>,
}

impl Section {
    /// The section of that name in the file.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "AccessToken" => Some(Self::AccessToken),
            "RefreshToken" => Some(Self::RefreshToken),
            "IdToken" => Some(Self::IdToken),
            "Account" => Some(Self::Account),
            "AppMetadata" => Some(Self::AppMetadata),
            _ => None,
        }
    }

    /// One of its entries.
    pub(super) fn read(self, json: &str) -> Entry {
        let read = match self {
            Self::AccessToken => serde_json::from_str(json).map(Entry::AccessToken),
            Self::RefreshToken => serde_json::from_str(json).map(Entry::RefreshToken),
            Self::IdToken => serde_json::from_str(json).map(Entry::IdToken),
            Self::Account => serde_json::from_str(json).map(Entry::Account),
            Self::AppMetadata => serde_json::from_str(json).map(Entry::AppMetadata),
        };
        read.unwrap_or(Entry::Unreadable(self))
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Err(serde::de::Error::custom("an empty secret")) } else { Ok(Secret::new(text)) }
}

/// Seconds since the epoch: a number, or a text as Python writes it, with a fraction or none.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixTime>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    let seconds = match Option::<Written>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Written::Number(seconds)) => Some(seconds),
        Some(Written::Text(text)) => text.trim().parse().ok(),
    };
    let whole = seconds.filter(|seconds| (0.0..1e11).contains(seconds));
    #[expect(clippy::cast_possible_truncation, reason = "within the range that was just checked")]
    let whole = whole.map(|seconds: f64| seconds as i64);
    whole.map(|seconds| Some(UnixTime::from_seconds(seconds))).ok_or_else(|| serde::de::Error::custom("not a time"))
}
