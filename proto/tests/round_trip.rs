//! Every message that has words, both ways: what is well formed on the wire becomes words and the very same message again.

use std::fmt::Debug;

use proptest::{collection::vec, option, prelude::*};
use token_broker_proto::{
    Account, Failure, ProviderError, Reason,
    calls::{
        Application, CacheEntry, DaemonStatus, GrantStatus, NewApplication, SignHttpRequest, SignInEvent,
        SignInRequest, SignOutAnswer, SignOutRequest, SignedHttpRequest, TokenAnswer, TokenRequest,
    },
    oauth::{PublicKey, ScopeSet},
    wire::v1,
};

/// The message as words and back. Some messages print nothing of themselves, so that only their sizes can be shown.
#[expect(clippy::needless_pass_by_value, reason = "each case hands its message over")]
fn same<M, W, E>(wire: M, back: impl Fn(W) -> M) -> Result<(), TestCaseError>
where
    M: Clone + PartialEq + TryInto<W, Error = E>,
    E: Debug,
{
    match wire.clone().try_into() {
        Ok(words) => prop_assert!(back(words) == wire, "it comes back as another message"),
        Err(error) => prop_assert!(false, "it is refused: {error:?}"),
    }
    Ok(())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{1,24}"]
}

fn some_text() -> impl Strategy<Value = String> {
    "\\PC{1,24}"
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._-]{1,64}"
}

fn client_id() -> impl Strategy<Value = String> {
    "[ -~]{1,40}"
}

fn correlation_id() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"]
}

fn claims() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\{\"[a-z]{1,8}\":[1-9][0-9]{0,2}\\}"]
}

/// Sorted and without repeats, as a set is sent.
fn scopes() -> impl Strategy<Value = Vec<String>> {
    vec("[!#-\\[\\]-~]{1,12}", 0..6).prop_map(|texts| {
        ScopeSet::parse(texts.iter().map(String::as_str)).map(|set| set.to_strings()).unwrap_or_default()
    })
}

fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 1..=i64::MAX]
}

fn issuer() -> impl Strategy<Value = String> {
    prop_oneof![
        "https://[a-z]{1,8}\\.example(:[1-9][0-9]{1,3})?(/[a-z]{1,6}){0,2}/?",
        "http://127\\.0\\.0\\.1:[1-9][0-9]{1,3}",
        "https://login\\.microsoftonline\\.com/[a-z0-9]{1,8}",
    ]
}

fn account() -> impl Strategy<Value = v1::Account> {
    (text(), text(), text(), text(), text(), text()).prop_map(
        |(home_account_id, username, name, environment, tenant, application)| v1::Account {
            home_account_id,
            username,
            name,
            environment,
            tenant,
            application,
        },
    )
}

fn selector() -> impl Strategy<Value = v1::GetTokenRequest> {
    prop_oneof![
        name().prop_map(|application| v1::GetTokenRequest { application, ..Default::default() }),
        (client_id(), issuer()).prop_map(|(client_id, authority)| v1::GetTokenRequest {
            client_id,
            authority,
            ..Default::default()
        }),
    ]
}

/// For whom, and what goes along with that.
fn subject() -> impl Strategy<Value = v1::GetTokenRequest> {
    let key = || option::of("[!-~]{1,24}");
    prop_oneof![
        (text(), text()).prop_map(|(account, kerberos_service_principal)| v1::GetTokenRequest {
            account,
            kerberos_service_principal,
            ..Default::default()
        }),
        text().prop_map(|fmi_path| v1::GetTokenRequest { app_only: true, fmi_path, ..Default::default() }),
        ("[!-~]{1,24}", text(), option::of("https://[a-z]{1,8}\\.example/")).prop_map(
            |(on_behalf_of, audience, resource)| v1::GetTokenRequest {
                on_behalf_of,
                audience,
                resource: resource.unwrap_or_default(),
                ..Default::default()
            }
        ),
        ("[!-~]{0,24}", key()).prop_map(|(on_behalf_of, key)| {
            // Without an assertion there is a key; with one, an empty key asks for one.
            let session_key =
                Some(key.unwrap_or_else(|| if on_behalf_of.is_empty() { "k".to_owned() } else { String::new() }));
            v1::GetTokenRequest { on_behalf_of, session_key, ..Default::default() }
        }),
    ]
}

fn token_request() -> impl Strategy<Value = v1::GetTokenRequest> {
    let flags = (any::<bool>(), any::<bool>(), scheme(), seconds());
    (selector(), subject(), scopes(), text(), flags, (claims(), claims()), correlation_id()).prop_map(
        |(start, subject, scopes, tenant, flags, (claims, client_claims), correlation_id)| {
            let (force_refresh, include_id_token, (scheme, public_key), min_validity_seconds) = flags;
            let v1::GetTokenRequest { application, client_id, authority, .. } = start;
            v1::GetTokenRequest {
                application,
                client_id,
                authority,
                client_claims,
                scopes,
                tenant,
                force_refresh,
                include_id_token,
                scheme,
                min_validity_seconds,
                claims,
                correlation_id,
                public_key,
                ..subject
            }
        },
    )
}

/// A scheme, with a key where it needs one.
fn scheme() -> impl Strategy<Value = (i32, String)> {
    let key = || vec(any::<u8>(), 32).prop_map(|point| PublicKey::Ed25519(point).canonical_jwk());
    prop_oneof![
        prop_oneof![Just(1), Just(4)].prop_map(|scheme| (scheme, String::new())),
        (2..=3_i32, key()).prop_map(|(scheme, key)| (scheme, key)),
    ]
}

fn sign_http_request() -> impl Strategy<Value = v1::SignHttpRequestRequest> {
    let http = ("[A-Z]{1,8}", "https://[a-z]{1,8}\\.example/[a-z]{0,4}(\\?[a-z]=[a-z0-9])?", "[!-~]{0,16}");
    (token_request(), http, claims()).prop_map(|(token, (method, url, nonce), client_claims)| {
        let scheme = v1::TokenScheme::Pop.into();
        // A key that the daemon makes has no place in the answer.
        let session_key = token.session_key.clone().filter(|key| !key.is_empty());
        let bound = v1::GetTokenRequest { scheme, public_key: String::new(), session_key, ..token };
        let token = v1::GetTokenRequest { include_id_token: false, ..bound };
        v1::SignHttpRequestRequest { token: Some(token), method, url, nonce, client_claims }
    })
}

fn signed_http_request() -> impl Strategy<Value = v1::SignHttpRequestResponse> {
    let id = correlation_id().prop_filter("an answer has one", |id| !id.is_empty());
    let times = (any::<i64>(), 1..=2_i32);
    (some_text(), times, scopes(), option::of(account()), text(), id).prop_map(
        |(authorization, (expires_on, source), scopes, account, key_id, correlation_id)| v1::SignHttpRequestResponse {
            authorization,
            expires_on,
            scopes,
            account,
            source,
            key_id,
            correlation_id,
        },
    )
}

fn token_answer() -> impl Strategy<Value = v1::GetTokenResponse> {
    let times = (any::<i64>(), seconds(), 1..=2_i32);
    let id = correlation_id().prop_filter("an answer has one", |id| !id.is_empty());
    (some_text(), text(), times, scopes(), option::of(account()), (text(), text()), id).prop_map(
        |(access_token, token_type, times, scopes, account, (id_token, key_id), correlation_id)| {
            let (expires_on, refresh_on, source) = times;
            v1::GetTokenResponse {
                access_token,
                token_type,
                expires_on,
                refresh_on,
                source,
                scopes,
                account,
                id_token,
                correlation_id,
                key_id,
                session_key: String::new(),
            }
        },
    )
}

fn sign_in_request() -> impl Strategy<Value = v1::SignInRequest> {
    (name(), scopes(), 1..=2_i32, (text(), text(), text()), claims(), (seconds(), seconds()), correlation_id())
        .prop_map(
            |(
                application,
                scopes,
                method,
                (login_hint, prompt, domain_hint),
                claims,
                (timeout_seconds, max_age_seconds),
                correlation_id,
            )| {
                v1::SignInRequest {
                    application,
                    scopes,
                    method,
                    login_hint,
                    prompt,
                    domain_hint,
                    claims,
                    timeout_seconds,
                    correlation_id,
                    max_age_seconds: (method == 1).then_some(max_age_seconds),
                    // The facts of the other methods: see the tests of `calls::sign_in`.
                    ..v1::SignInRequest::default()
                }
            },
        )
}

fn sign_in_event() -> impl Strategy<Value = v1::SignInResponse> {
    use v1::sign_in_response::Event;
    (0..3_u8, text(), text(), text(), any::<i64>(), account()).prop_map(|(kind, uri, complete, code, time, account)| {
        let event = match kind {
            0 => Event::OpenUrl(v1::OpenUrl { url: uri }),
            1 => Event::UserCode(v1::UserCode {
                verification_uri: uri,
                verification_uri_complete: complete,
                user_code: code,
                expires_on: time,
            }),
            _ => Event::SignedIn(v1::SignedIn { account: Some(account) }),
        };
        v1::SignInResponse { event: Some(event) }
    })
}

/// One of its kinds, at one of its sources.
fn managed_identity(source: i32, id: &str) -> v1::ManagedIdentity {
    use v1::managed_identity::Id;
    let id = match id.len() % 4 {
        0 => None,
        1 => Some(Id::ClientId(id.to_owned())),
        2 => Some(Id::ResourceId(id.to_owned())),
        _ => Some(Id::ObjectId(id.to_owned())),
    };
    v1::ManagedIdentity { id, source }
}

/// One of the ways to name who issues the tokens.
fn issued_by(way: u8, issuer: String, word: &str, existing: i32) -> v1::add_application_request::Authority {
    use v1::add_application_request::Authority as Wire;
    match way {
        0 => Wire::Issuer(issuer),
        1 => Wire::AuthorityUrl(format!("https://login.microsoftonline.com/{word}")),
        3 | 4 => Wire::ManagedIdentity(managed_identity(existing, word)),
        _ => Wire::Endpoints(v1::Endpoints {
            token_endpoint: format!("https://{word}.example/token"),
            device_authorization_endpoint: format!("https://{word}.example/device"),
            ..Default::default()
        }),
    }
}

fn with_options() -> v1::AddApplicationRequest {
    v1::AddApplicationRequest {
        region: "westus2".to_owned(),
        extra_body: vec![v1::Parameter { name: "tag".into(), value: "c".into() }],
        exclude_scopes: vec!["offline_access".into()],
        assertion_claims: r#"{"a":[1]}"#.into(),
        app_name: "Report maker".into(),
        app_version: "1.2".into(),
        ..Default::default()
    }
}

fn new_application() -> impl Strategy<Value = v1::AddApplicationRequest> {
    use v1::add_application_request::Authority as Wire;
    // The way to name it, and two texts for that: the message itself prints nothing, so that it is made last.
    let authority = (0..5_u8, issuer(), "[a-z0-9]{1,8}");
    let redirect = prop_oneof![Just(String::new()), "http://(127\\.0\\.0\\.1|localhost):[1-9][0-9]{1,3}/[a-z]{0,4}"];
    let keep = prop_oneof![Just(0), 3600..=31_536_000_i64];
    (name(), client_id(), authority, scopes(), redirect, text(), any::<bool>(), 1..=3_i32, keep).prop_map(
        |(
            name,
            client_id,
            (way, issuer, word),
            scopes,
            redirect_uri,
            client_secret,
            offline,
            existing,
            keep_alive_seconds,
        )| {
            let authority = issued_by(way, issuer, &word, existing);
            let is_managed = matches!(authority, Wire::ManagedIdentity(_));
            // It names itself and has nothing of its own.
            let own = |text: String| if is_managed { String::new() } else { text };
            let (client_id, redirect_uri, client_secret) = (own(client_id), own(redirect_uri), own(client_secret));
            let keep_alive_seconds = if is_managed { 0 } else { keep_alive_seconds };
            v1::AddApplicationRequest {
                name,
                client_id,
                authority: Some(authority),
                scopes,
                redirect_uri,
                client_secret,
                offline,
                existing,
                keep_alive_seconds,
                extra_query: vec![v1::Parameter { name: "tag".into(), value: "a b&=".into() }],
                ..if offline { with_options() } else { v1::AddApplicationRequest::default() }
            }
        },
    )
}

fn failure() -> impl Strategy<Value = Failure> {
    let provider = ("[a-z_]{1,20}", option::of(some_text()), vec(any::<i64>(), 0..3)).prop_map(
        |(error, description, error_codes)| ProviderError { error, description, error_codes, ..Default::default() },
    );
    let accounts = vec(account().prop_map(Account::from), 0..3);
    (proptest::sample::select(Reason::ALL), text(), option::of(provider), accounts, option::of(1..100_000_u64))
        .prop_map(|(reason, message, provider, candidates, wait)| Failure {
            provider,
            candidates,
            retry_after: wait.map(std::time::Duration::from_secs),
            ..Failure::new(reason, message)
        })
}

proptest! {
    #[test]
    fn a_token_request(wire in token_request()) {
        same(wire, |words: TokenRequest| (&words).into())?;
    }

    #[test]
    fn a_token_answer(wire in token_answer()) {
        same::<_, TokenAnswer, _>(wire, Into::into)?;
    }

    #[test]
    fn a_sign_in(request in sign_in_request(), event in sign_in_event()) {
        same(request, |words: SignInRequest| (&words).into())?;
        same::<_, SignInEvent, _>(event, Into::into)?;
    }

    #[test]
    fn a_sign_out(name in name(), texts in (text(), some_text()), revoke in any::<bool>(), id in correlation_id(), of in option::of(account()), kind in 1..=3_i32) {
        let request = v1::SignOutRequest { application: name, account: texts.0, revoke, correlation_id: id };
        same(request, |words: SignOutRequest| (&words).into())?;
        let failed = kind == i32::from(v1::Revocation::Failed);
        let revocation_failure = if failed { texts.1 } else { String::new() };
        same::<_, SignOutAnswer, _>(v1::SignOutResponse { account: of, revocation: kind, revocation_failure }, Into::into)?;
    }

    #[test]
    fn a_signed_http_request(request in sign_http_request(), answer in signed_http_request()) {
        same::<_, SignHttpRequest, _>(request, |words| (&words).into())?;
        same::<_, SignedHttpRequest, _>(answer, Into::into)?;
    }

    #[test]
    fn an_application(new in new_application(), texts in vec(text(), 4), kind in 1..=5_i32) {
        let shown = v1::Application {
            name: new.name.clone(),
            client_id: texts[0].clone(),
            authority: texts[1].clone(),
            credential: kind,
            credential_fingerprint: texts[2].clone(),
            scopes: new.scopes.clone(),
            redirect_uri: texts[3].clone(),
            managed_identity: (kind == 5).then(|| managed_identity(kind, "m")),
            region: new.region.clone(),
            extra_query: new.extra_query.clone(),
            extra_body: new.extra_body.clone(),
            exclude_scopes: new.exclude_scopes.clone(),
            assertion_claims: new.assertion_claims.clone(),
            app_name: new.app_name.clone(),
            app_version: new.app_version.clone(),
            ..Default::default()
        };
        same(new, |words: NewApplication| (&words).into())?;
        same::<_, Application, _>(shown, Into::into)?;
    }

    #[test]
    fn an_entry_of_the_cache(kind in 0..3_usize, row in 1..=i64::MAX, texts in vec(text(), 6), of in option::of(account()), scopes in scopes(), numbers in (seconds(), seconds())) {
        let [application, token_type, fingerprint, environment, client_id, key_id] = texts.try_into().unwrap();
        let entry = v1::CacheEntry {
            id: format!("{}-{row}", ["at", "rt", "id"][kind]),
            kind: i32::try_from(kind).unwrap() + 1,
            application,
            account: of,
            scopes,
            token_type,
            expires_on: numbers.0,
            fingerprint,
            environment,
            client_id,
            generation: numbers.1,
            key_id,
        };
        same::<_, CacheEntry, _>(entry, Into::into)?;
    }

    #[test]
    fn a_status(texts in vec(text(), 6), of in account(), health in 1..=3_i32, times in vec(seconds(), 4), locked in any::<bool>()) {
        let grant = v1::GrantStatus {
            account: Some(of),
            client_id: texts[0].clone(),
            health,
            valid_until: times[0],
            next_renewal: times[1],
            backoff_until: times[2],
            ..Default::default()
        };
        same::<_, GrantStatus, _>(grant, Into::into)?;
        let status = v1::GetStatusResponse {
            version: texts[0].clone(),
            pid: times[3],
            locked,
            lock_reason: if locked { texts[1].clone() } else { String::new() },
            key_source: texts[2].clone(),
            data_dir: texts[3].clone(),
            socket: texts[4].clone(),
            executable: texts[5].clone(),
            counts: Some(v1::StoreCounts { applications: times[0], ..Default::default() }),
            ..Default::default()
        };
        prop_assert!(v1::GetStatusResponse::from(DaemonStatus::from(status.clone())) == status);
    }

    #[test]
    fn an_account(wire in account()) {
        prop_assert_eq!(v1::Account::from(Account::from(wire.clone())), wire);
    }

    #[test]
    fn a_failure_that_fits_its_trailer(failure in failure()) {
        prop_assert_eq!(Failure::from_status(&failure.to_status()), Some(failure));
    }
}
