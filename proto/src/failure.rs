//! A failed call: reason, message and facts, and both conversions to a gRPC status (`google.rpc.Status` details in the
//! trailer, kept under 4 KiB).

use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::pb;

use crate::{Account, Reason, reason::DOMAIN, wire::v1};

const ERROR_INFO_URL: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const ERROR_DETAIL_URL: &str = "type.googleapis.com/token_broker.v1.ErrorDetail";
/// Longest text that is passed on, in bytes.
const MAX_TEXT: usize = 800;
/// Most bytes of the details: they ride in a trailer.
const MAX_DETAILS: usize = 4 * 1024;
/// Most candidates that are listed.
const MAX_CANDIDATES: usize = 8;

/// Why a call failed, with everything that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stable word for programs.
    pub reason: Reason,
    /// One sentence for people.
    pub message: String,
    /// Correlation id of the call, if it got that far.
    pub correlation_id: Option<String>,
    /// The provider's error answer.
    pub provider: Option<ProviderError>,
    /// Accounts to choose from.
    pub candidates: Vec<Account>,
    /// What to do next; usually a command.
    pub advice: Option<String>,
    /// How long to wait before trying again.
    pub retry_after: Option<Duration>,
    /// The field that broke a rule.
    pub field: Option<String>,
    /// The limit that was met.
    pub limit: Option<String>,
}

/// An OAuth 2.0 error answer (RFC 6749, section 5.2), unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderError {
    /// `error`.
    pub error: String,
    /// `suberror` of Microsoft Entra ID.
    pub suberror: Option<String>,
    /// `error_codes` of Microsoft Entra ID.
    pub error_codes: Vec<i64>,
    /// `error_description`.
    pub description: Option<String>,
    /// `claims` that the next sign-in must ask for.
    pub claims: Option<String>,
    /// The provider's own correlation id.
    pub correlation_id: Option<String>,
    /// `error_uri`.
    pub error_uri: Option<String>,
    /// `trace_id` of Microsoft Entra ID.
    pub trace_id: Option<String>,
    /// `timestamp` of Microsoft Entra ID, as it was written.
    pub timestamp: Option<String>,
}

impl Failure {
    /// A failure of which only the reason is known.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            correlation_id: None,
            provider: None,
            candidates: Vec::new(),
            advice: None,
            retry_after: None,
            field: None,
            limit: None,
        }
    }

    /// The gRPC status with its details.
    #[must_use]
    pub fn to_status(&self) -> Status {
        let info = pb::ErrorInfo {
            reason: self.reason.as_str().to_owned(),
            domain: DOMAIN.to_owned(),
            metadata: std::collections::HashMap::new(),
        };
        let message = shortened(&self.message);
        let encoded = |detail: &v1::ErrorDetail| {
            let details =
                vec![any(ERROR_INFO_URL, info.encode_to_vec()), any(ERROR_DETAIL_URL, detail.encode_to_vec())];
            pb::Status { code: self.reason.code().into(), message: message.clone(), details }.encode_to_vec()
        };
        let mut detail = self.to_detail();
        let mut details = encoded(&detail);
        for lighten in LIGHTEN {
            if details.len() < MAX_DETAILS {
                break;
            }
            lighten(&mut detail);
            details = encoded(&detail);
        }
        Status::with_details(self.reason.code(), message, details.into())
    }

    /// Reads a status back. `None` if it is not one of ours.
    #[must_use]
    pub fn from_status(status: &Status) -> Option<Self> {
        let details = pb::Status::decode(status.details()).ok()?.details;
        let find = |url: &str| details.iter().find(|any| any.type_url == url).map(|any| any.value.as_slice());
        let info = pb::ErrorInfo::decode(find(ERROR_INFO_URL)?).ok()?;
        if info.domain != DOMAIN {
            return None;
        }
        let reason = info.reason.parse().unwrap_or_else(|_| nearest(status.code()));
        let detail = v1::ErrorDetail::decode(find(ERROR_DETAIL_URL).unwrap_or_default()).ok()?;
        Some(Self::from_detail(reason, status.message(), detail))
    }

    fn to_detail(&self) -> v1::ErrorDetail {
        v1::ErrorDetail {
            correlation_id: self.correlation_id.clone().unwrap_or_default(),
            provider: self.provider.as_ref().map(ProviderError::to_wire),
            candidates: self.candidates.iter().take(MAX_CANDIDATES).cloned().map(Into::into).collect(),
            advice: self.advice.as_deref().filter(|advice| advice.len() <= 2 * MAX_TEXT).unwrap_or_default().to_owned(),
            retry_after_seconds: self.retry_after.map_or(0, |wait| i64::try_from(wait.as_secs()).unwrap_or(i64::MAX)),
            field: self.field.clone().unwrap_or_default(),
            limit: self.limit.clone().unwrap_or_default(),
        }
    }

    fn from_detail(reason: Reason, message: &str, detail: v1::ErrorDetail) -> Self {
        Self {
            reason,
            message: message.to_owned(),
            correlation_id: given(detail.correlation_id),
            provider: detail.provider.map(ProviderError::from_wire),
            candidates: detail.candidates.into_iter().map(Into::into).collect(),
            advice: given(detail.advice),
            retry_after: u64::try_from(detail.retry_after_seconds)
                .ok()
                .filter(|wait| *wait > 0)
                .map(Duration::from_secs),
            field: given(detail.field),
            limit: given(detail.limit),
        }
    }
}

impl ProviderError {
    fn to_wire(&self) -> v1::ProviderError {
        let text = |text: &Option<String>| text.as_deref().map(shortened).unwrap_or_default();
        v1::ProviderError {
            error: shortened(&self.error),
            suberror: text(&self.suberror),
            error_codes: self.error_codes.iter().take(16).copied().collect(),
            description: text(&self.description),
            // Never cut: half a JSON object is worth nothing.
            claims: self.claims.clone().filter(|claims| claims.len() <= 2 * MAX_TEXT).unwrap_or_default(),
            correlation_id: text(&self.correlation_id),
            error_uri: text(&self.error_uri),
            trace_id: text(&self.trace_id),
            timestamp: text(&self.timestamp),
        }
    }

    fn from_wire(wire: v1::ProviderError) -> Self {
        Self {
            error: wire.error,
            suberror: given(wire.suberror),
            error_codes: wire.error_codes,
            description: given(wire.description),
            claims: given(wire.claims),
            correlation_id: given(wire.correlation_id),
            error_uri: given(wire.error_uri),
            trace_id: given(wire.trace_id),
            timestamp: given(wire.timestamp),
        }
    }
}

/// What goes when the details are too large, the least missed first.
const LIGHTEN: [fn(&mut v1::ErrorDetail); 5] = [
    |detail| detail.provider.iter_mut().for_each(|provider| provider.error_uri.clear()),
    |detail| detail.provider.iter_mut().for_each(|provider| provider.description.clear()),
    |detail| detail.candidates.truncate(2),
    |detail| detail.candidates.clear(),
    // The message says the command, too.
    |detail| detail.advice.clear(),
];

/// The reason of an older version that stands for a gRPC code, when a newer daemon uses a word that this one does not know.
fn nearest(code: Code) -> Reason {
    Reason::ALL.iter().copied().find(|reason| reason.code() == code).unwrap_or(Reason::Internal)
}

fn any(type_url: &str, value: Vec<u8>) -> prost_types::Any {
    prost_types::Any { type_url: type_url.to_owned(), value }
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn shortened(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}\u{2026}", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failure, ProviderError};
    use crate::{Account, Reason};

    fn account(number: usize) -> Account {
        Account {
            home_account_id: format!("{number}{}", "x".repeat(60)),
            username: format!("user{number}@{}", "example.".repeat(5)),
            name: Some("Name".into()),
            environment: "id.example".into(),
            tenant: String::new(),
            application: "app".into(),
        }
    }

    #[test]
    fn everything_known_reads_back() {
        for reason in Reason::ALL {
            let failure = Failure {
                correlation_id: Some("id".into()),
                provider: Some(ProviderError {
                    error: "invalid_grant".into(),
                    suberror: Some("bad_token".into()),
                    error_codes: vec![70043],
                    claims: Some("{}".into()),
                    trace_id: Some("trace".into()),
                    timestamp: Some("2026-01-01 00:00:00Z".into()),
                    ..ProviderError::default()
                }),
                candidates: vec![account(1)],
                advice: Some("broker-cli login app".into()),
                retry_after: Some(Duration::from_secs(7)),
                field: Some("scopes".into()),
                limit: Some("sign-ins".into()),
                ..Failure::new(*reason, "it failed")
            };
            assert_eq!(Failure::from_status(&failure.to_status()), Some(failure));
        }
    }

    #[test]
    fn details_stay_small_and_keep_the_claims() {
        let claims = format!("{{\"x\":\"{}\"}}", "y".repeat(1500));
        let failure = Failure {
            provider: Some(ProviderError {
                error: "e".into(),
                description: Some("\u{e9}".repeat(9000)),
                error_uri: Some("u".repeat(9000)),
                claims: Some(claims.clone()),
                ..ProviderError::default()
            }),
            advice: Some("a".repeat(9000)),
            candidates: (0..50).map(account).collect(),
            ..Failure::new(Reason::AccountAmbiguous, "m".repeat(9000))
        };
        let status = failure.to_status();
        assert!(status.details().len() < 4096, "{}", status.details().len());
        let read = Failure::from_status(&status).expect("our own status");
        assert_eq!(read.provider.and_then(|provider| provider.claims), Some(claims));
    }
}
