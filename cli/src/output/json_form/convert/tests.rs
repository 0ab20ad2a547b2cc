//! The JSON forms against the documented ones, field by field.

use serde::Serialize;
use serde_json::{Value, json};
use token_broker_client::{
    Account, Reason, RemovedApplication, Secret, Verification,
    calls::{
        Application, CacheEntry, CredentialKind, DaemonStatus, GrantFailure, GrantHealth, GrantStatus, OptionTexts,
        Revocation, SignInEvent, SignOutAnswer, StoreCounts, TokenAnswer, TokenSource, UserCode,
    },
    oauth::{ApplicationName, CorrelationId, ScopeSet, UnixTime},
};

use crate::output::json_form::{
    AccountsJson, ApplicationsJson, EntriesJson, RemovedJson, SignInJson, SignOutJson, StatusJson, TokenJson,
    VerificationJson,
};

fn value(form: impl Serialize) -> Value {
    serde_json::to_value(form).unwrap()
}

fn account() -> Account {
    Account {
        home_account_id: "uid.utid".into(),
        username: "alice@id.example".into(),
        name: None,
        environment: "id.example".into(),
        tenant: "t".into(),
        application: "work".into(),
    }
}

fn account_form() -> Value {
    json!({"home_account_id": "uid.utid", "username": "alice@id.example", "environment": "id.example", "tenant": "t",
           "application": "work"})
}

fn answer() -> TokenAnswer {
    TokenAnswer {
        access_token: Secret::new("token-1"),
        token_type: "Bearer".into(),
        expires_on: UnixTime::from_seconds(1_700_000_000),
        refresh_on: None,
        scopes: ScopeSet::parse(["b a"]).unwrap(),
        account: Some(account()),
        source: TokenSource::Cache,
        id_token: None,
        correlation_id: CorrelationId::from_random([0; 16]),
        key_id: None,
        session_key: None,
    }
}

#[test]
fn token() {
    let short = json!({"access_token": "token-1", "token_type": "Bearer", "expires_on": 1_700_000_000, "scopes": ["a", "b"],
        "account": account_form(), "token_source": "cache", "correlation_id": "00000000-0000-4000-8000-000000000000"});
    assert_eq!(value(TokenJson::from(&answer())), short);
    let full = TokenAnswer {
        refresh_on: Some(UnixTime::from_seconds(1_600_000_000)),
        id_token: Some(Secret::new("id-1")),
        account: None,
        source: TokenSource::IdentityProvider,
        ..answer()
    };
    let form = value(TokenJson::from(&full));
    assert_eq!(form["refresh_on"], 1_600_000_000);
    assert_eq!(form["id_token"], "id-1");
    assert_eq!(form["account"], Value::Null);
    assert_eq!(form["token_source"], "identity_provider");
}

#[test]
fn login() {
    let code = |complete: Option<&str>| {
        SignInEvent::UserCode(UserCode {
            verification_uri: "https://x/d".into(),
            verification_uri_complete: complete.map(Secret::new),
            user_code: Secret::new("ABCD"),
            expires_on: UnixTime::from_seconds(1_700_000_000),
        })
    };
    let forms = [
        (SignInEvent::OpenUrl(Secret::new("https://x/a")), json!({"event": "open_url", "url": "https://x/a"})),
        (
            code(None),
            json!({"event": "user_code", "verification_uri": "https://x/d", "user_code": "ABCD", "expires_on": 1_700_000_000}),
        ),
        (
            code(Some("https://x/d?c")),
            json!({"event": "user_code", "verification_uri": "https://x/d", "verification_uri_complete": "https://x/d?c",
                   "user_code": "ABCD", "expires_on": 1_700_000_000}),
        ),
        (SignInEvent::SignedIn(account()), json!({"event": "signed_in", "account": account_form()})),
    ];
    for (event, form) in forms {
        assert_eq!(value(SignInJson::from(&event)), form);
    }
}

#[test]
fn logout() {
    let answer = SignOutAnswer { account: None, revocation: Revocation::NotRequested };
    assert_eq!(value(SignOutJson::from(&answer)), json!({"account": null, "revocation": "not_requested"}));
    let answer = SignOutAnswer { account: Some(account()), revocation: Revocation::Failed("why".into()) };
    assert_eq!(
        value(SignOutJson::from(&answer)),
        json!({"account": account_form(), "revocation": "failed", "revocation_failure": "why"})
    );
}

#[test]
fn accounts() {
    let named = Account { name: Some("Alice".into()), ..account() };
    let form = value(AccountsJson::from(&[account(), named][..]));
    assert_eq!(form["accounts"][0], account_form());
    assert_eq!(form["accounts"][1]["name"], "Alice");
}

#[test]
fn app_list_and_remove() {
    let application = Application {
        name: "work".into(),
        client_id: "1".into(),
        authority: "https://id.example".into(),
        credential: CredentialKind::Secret,
        credential_fingerprint: Some("0123456789abcdef".into()),
        scopes: vec!["a".into()],
        redirect_uri: None,
        client_capabilities: Vec::new(),
        no_instance_discovery: false,
        keep_alive: Some(std::time::Duration::from_secs(86_400)),
        managed_identity: None,
        options: OptionTexts {
            region: "westus2".into(),
            extra_query: vec![("audience".into(), "https://api.example".into())],
            exclude_scopes: vec!["profile".into()],
            ..OptionTexts::default()
        },
    };
    assert_eq!(
        value(ApplicationsJson::from(&[application][..])),
        json!({"applications": [{"name": "work", "client_id": "1", "authority": "https://id.example",
            "credential": "secret", "scopes": ["a"], "credential_fingerprint": "0123456789abcdef",
            "keep_alive_seconds": 86_400, "region": "westus2", "extra_query": {"audience": "https://api.example"},
            "exclude_scopes": ["profile"]}]})
    );
    let name = ApplicationName::parse("name", "work").unwrap();
    assert_eq!(
        value(RemovedJson::new(&name, RemovedApplication { accounts: 1, tokens: 3 })),
        json!({"name": "work", "accounts_removed": 1, "tokens_removed": 3})
    );
}

#[test]
fn cache_list_and_verify() {
    let entry = CacheEntry {
        id: "rt-3".parse().unwrap(),
        application: Some("work".into()),
        account: None,
        scopes: vec![],
        token_type: None,
        expires_on: None,
        fingerprint: "0123456789abcdef".into(),
        environment: "id.example".into(),
        client_id: "1".into(),
        generation: Some(2),
        key_id: None,
    };
    assert_eq!(
        value(EntriesJson::from(&[entry][..])),
        json!({"entries": [{"id": "rt-3", "kind": "refresh_token", "application": "work", "account": null, "scopes": [],
            "fingerprint": "0123456789abcdef", "environment": "id.example", "client_id": "1", "generation": 2}]})
    );
    let verification = Verification { rows_checked: 4, problems: vec!["access_token 17".into()] };
    assert_eq!(
        value(VerificationJson::from(&verification)),
        json!({"rows_checked": 4, "problems": ["access_token 17"]})
    );
}

fn grant() -> GrantStatus {
    GrantStatus {
        account: account(),
        client_id: "1".into(),
        health: GrantHealth::BackingOff,
        valid_until: Some(UnixTime::from_seconds(9)),
        next_renewal: None,
        backoff_until: Some(UnixTime::from_seconds(5)),
        last_failure: Some(GrantFailure {
            on: UnixTime::from_seconds(3),
            reason: Reason::AuthorityUnavailable,
            message: "it is down".into(),
            error: None,
            correlation_id: "c".into(),
        }),
    }
}

#[test]
fn status() {
    let status = DaemonStatus {
        version: "0.1.0".into(),
        pid: 7,
        uptime_seconds: 60,
        lock_reason: None,
        key_source: "file".into(),
        data_dir: "/d".into(),
        socket: "/s".into(),
        counts: StoreCounts { applications: 1, accounts: 2, access_tokens: 3, refresh_tokens: 4 },
        notices: Vec::new(),
        executable: "/bin/d".into(),
        executable_replaced: false,
        grants: vec![grant()],
    };
    assert_eq!(
        value(StatusJson::from(&status)),
        json!({"version": "0.1.0", "pid": 7, "uptime_seconds": 60, "locked": false, "key_source": "file",
            "data_dir": "/d", "socket": "/s",
            "counts": {"applications": 1, "accounts": 2, "access_tokens": 3, "refresh_tokens": 4},
            "executable": "/bin/d", "executable_replaced": false,
            "grants": [{"account": account_form(), "client_id": "1", "health": "backing_off", "valid_until": 9,
                "backoff_until": 5, "last_failure": {"failed_on": 3, "reason": "AUTHORITY_UNAVAILABLE",
                    "message": "it is down", "correlation_id": "c"}}]})
    );
    let locked = DaemonStatus { lock_reason: Some("the key is missing".into()), ..status };
    assert_eq!(value(StatusJson::from(&locked))["lock_reason"], "the key is missing");
    let kept = DaemonStatus { notices: vec!["kept aside".into()], ..locked };
    assert_eq!(value(StatusJson::from(&kept))["notices"], serde_json::json!(["kept aside"]));
}
