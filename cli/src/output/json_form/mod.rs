//! The stable JSON forms, as a list of types: one for each command, fields in the order they are documented. Fields are only
//! ever added. Instants are Unix seconds, lengths of time are seconds.

mod checks;
mod convert;
mod grant;
mod options;
mod service;
mod watch;

use serde::Serialize;

pub(crate) use checks::{CheckJson, ChecksJson, MetricsJson};
pub(crate) use grant::GrantJson;
pub(crate) use options::OptionsJson;
pub(crate) use service::{InstalledJson, RunningJson, ServiceStatusJson, UninstalledJson, UnitJson};
pub(crate) use watch::{EventJson, TokenEventJson};

/// A signed-in account, in every form that has one.
#[derive(Serialize)]
pub(crate) struct AccountJson<'a> {
    home_account_id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    environment: &'a str,
    tenant: &'a str,
    application: &'a str,
}

/// `token`.
#[derive(Serialize)]
pub(crate) struct TokenJson<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_on: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_on: Option<i64>,
    scopes: Vec<&'a str>,
    account: Option<AccountJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    token_source: &'static str,
    correlation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_key: Option<&'a str>,
}

/// `token --ssh-cert`: the same, and where the certificate is.
#[derive(Serialize)]
pub(crate) struct CertificateJson<'a> {
    #[serde(flatten)]
    pub(crate) token: TokenJson<'a>,
    /// Path of the file.
    pub(crate) certificate_file: String,
}

/// `token --pop`.
#[derive(Serialize)]
pub(crate) struct SignedJson<'a> {
    authorization: &'a str,
    token_type: &'static str,
    expires_on: i64,
    scopes: Vec<&'a str>,
    account: Option<AccountJson<'a>>,
    token_source: &'static str,
    key_id: &'a str,
    correlation_id: String,
}

/// `login`: one for each event, a line each.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum SignInJson<'a> {
    OpenUrl {
        url: &'a str,
    },
    UserCode {
        verification_uri: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        verification_uri_complete: Option<&'a str>,
        user_code: &'a str,
        expires_on: i64,
    },
    SignedIn {
        account: AccountJson<'a>,
    },
}

/// `logout`.
#[derive(Serialize)]
pub(crate) struct SignOutJson<'a> {
    account: Option<AccountJson<'a>>,
    revocation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_failure: Option<&'a str>,
}

/// `accounts`.
#[derive(Serialize)]
pub(crate) struct AccountsJson<'a> {
    accounts: Vec<AccountJson<'a>>,
}

/// `app show`, and in the other forms of `app`.
#[derive(Serialize)]
pub(crate) struct ApplicationJson<'a> {
    name: &'a str,
    client_id: &'a str,
    authority: &'a str,
    credential: &'static str,
    scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_fingerprint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive_seconds: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    client_capabilities: &'a [String],
    #[serde(skip_serializing_if = "is_false")]
    no_instance_discovery: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_identity: Option<ManagedIdentityJson>,
    #[serde(flatten)]
    options: OptionsJson<'a>,
}

/// Which managed identity an application is.
#[derive(Serialize)]
pub(crate) struct ManagedIdentityJson {
    id_kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// `app list`.
#[derive(Serialize)]
pub(crate) struct ApplicationsJson<'a> {
    applications: Vec<ApplicationJson<'a>>,
}

/// `app add`.
#[derive(Serialize)]
pub(crate) struct AddedJson<'a> {
    pub(crate) application: ApplicationJson<'a>,
    pub(crate) changed: bool,
}

/// `app remove`.
#[derive(Serialize)]
pub(crate) struct RemovedJson<'a> {
    name: &'a str,
    accounts_removed: i64,
    tokens_removed: i64,
}

/// `app apply`.
#[derive(Serialize)]
pub(crate) struct AppliedListJson {
    pub(crate) applications: Vec<AppliedJson>,
}

/// One application of `app apply`.
#[derive(Serialize)]
pub(crate) struct AppliedJson {
    pub(crate) name: String,
    /// `added`, `changed` or `unchanged`.
    pub(crate) result: &'static str,
}

/// `cache show`, and in the list.
#[derive(Serialize)]
pub(crate) struct EntryJson<'a> {
    id: String,
    kind: &'static str,
    application: Option<&'a str>,
    account: Option<AccountJson<'a>>,
    scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_on: Option<i64>,
    fingerprint: &'a str,
    environment: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
}

/// `cache list`.
#[derive(Serialize)]
pub(crate) struct EntriesJson<'a> {
    entries: Vec<EntryJson<'a>>,
}

/// `cache remove`.
#[derive(Serialize)]
pub(crate) struct EntryRemovedJson {
    pub(crate) removed: String,
}

/// `cache import-msal`.
#[derive(Serialize)]
pub(crate) struct ImportJson<'a> {
    pub(crate) dry_run: bool,
    pub(crate) imported: ImportedJson,
    pub(crate) already_there: u64,
    pub(crate) left_out: Vec<LeftOutJson<'a>>,
}

/// How many of each kind were imported.
#[derive(Serialize)]
pub(crate) struct ImportedJson {
    pub(crate) accounts: u64,
    pub(crate) access_tokens: u64,
    pub(crate) refresh_tokens: u64,
    pub(crate) id_tokens: u64,
}

/// Entries that were left out for one reason.
#[derive(Serialize)]
pub(crate) struct LeftOutJson<'a> {
    pub(crate) kind: &'static str,
    pub(crate) why: &'a str,
    pub(crate) count: u64,
}

/// `cache verify`.
#[derive(Serialize)]
pub(crate) struct VerificationJson<'a> {
    rows_checked: i64,
    problems: &'a [String],
}

/// `status`.
#[derive(Serialize)]
pub(crate) struct StatusJson<'a> {
    version: &'a str,
    pid: i64,
    uptime_seconds: i64,
    locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notices: &'a [String],
    key_source: &'a str,
    data_dir: &'a str,
    socket: &'a str,
    counts: CountsJson,
    #[serde(skip_serializing_if = "str::is_empty")]
    executable: &'a str,
    executable_replaced: bool,
    grants: Vec<GrantJson<'a>>,
}

/// What the store holds.
#[derive(Serialize)]
pub(crate) struct CountsJson {
    applications: i64,
    accounts: i64,
    access_tokens: i64,
    refresh_tokens: i64,
}

/// Any error.
#[derive(Serialize)]
pub(crate) struct ErrorOutput<'a> {
    pub(crate) error: ErrorJson<'a>,
}

/// What went wrong.
#[derive(Serialize)]
pub(crate) struct ErrorJson<'a> {
    reason: &'static str,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<ProviderJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<AccountJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
}

/// The provider's own words.
#[derive(Serialize)]
pub(crate) struct ProviderJson<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suberror: Option<&'a str>,
    #[serde(skip_serializing_if = "<[i64]>::is_empty")]
    error_codes: &'a [i64],
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<&'a str>,
}
