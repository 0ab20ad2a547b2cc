//! What a browser brings back, and signed tokens: any token at all, and claims of any kind under a good signature, which no
//! fuzzer could guess.

use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use token_broker::{
    flow::oauth::{
        ClientContext,
        authorization_code::{AuthorizationRequest, PendingAuthorization, RedirectError},
        id_token::{self, Expectation},
        jose::{self, JwkSet},
    },
    model::Presented,
};
use token_broker_proto::{
    Secret,
    oauth::{CorrelationId, ScopeSet},
};
use url::Url;

use crate::exchange::{NOW, assert_showable, client_id, metadata};

/// The public test key of RFC 8037, appendix A.
const TEST_KEY: &str = include_str!("../../vectors/oauth/keys/ed25519_test_key.json");
/// Keys of several kinds.
const KEYS: &str = include_str!("../../vectors/oauth/id_token/signed_es256.json");

/// Parameters of a redirect, in a query or a form; `state=STATE` stands for the right state.
pub(crate) fn redirect(bytes: &[u8]) {
    let (Ok(text), Some(pending)) = (std::str::from_utf8(bytes), pending()) else { return };
    let url = Url::parse(pending.url().expose());
    let state =
        url.ok().and_then(|url| url.query_pairs().find(|(name, _)| name == "state").map(|(_, it)| it.to_string()));
    let Some(state) = state else { return };
    // A fuzzer learns it from the comparison.
    let is_guessed = text.contains('%') || text.contains(state.split_at(8).0);
    match pending.accept(&text.replacen("state=STATE", &format!("state={state}"), 1)) {
        Ok(redirect) => {
            assert!(text.contains("STATE") || is_guessed, "a redirect without our state is accepted");
            drop(redirect);
        }
        Err(error) => {
            if let RedirectError::Refused(words) = &error {
                assert_showable(&words.error);
            }
            assert!(is_guessed || !error.to_string().contains(&state), "the state is shown");
            assert_showable(&error.to_string());
        }
    }
}

fn pending() -> Option<PendingAuthorization> {
    let (metadata, client_id) = (metadata()?, client_id()?);
    let request = AuthorizationRequest {
        client: ClientContext {
            metadata: &metadata,
            client_id: &client_id,
            credential: &Presented::Nothing,
            options: &token_broker_proto::calls::ApplicationOptions::default(),
        },
        redirect_uri: "http://127.0.0.1:9/".to_owned(),
        scopes: ScopeSet::openid(),
        prompt: None,
        login_hint: None,
        domain_hint: None,
        claims: None,
        max_age: None,
        response_mode: None,
        correlation_id: CorrelationId::from_random([0; 16]),
    };
    PendingAuthorization::begin(request, [7; 96]).ok()
}

/// A token, and after a line break the key set if there is one.
pub(crate) fn jws(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (token, own_keys) = text.split_once('\n').unwrap_or((text, ""));
    let known: Option<Value> = serde_json::from_str(KEYS).ok();
    let known = known.map(|case| json!({ "keys": case.get("keys") }).to_string()).unwrap_or_default();
    for keys in [own_keys, &known] {
        let Ok(keys) = JwkSet::from_json(keys) else { continue };
        match jose::verify(token, &keys) {
            Ok(verified) => assert!(token.len() > verified.payload().len() && token.matches('.').count() == 2),
            Err(error) => assert_showable(&error.to_string()),
        }
    }
}

/// The payload of an ID token, under a good signature.
pub(crate) fn id_token(bytes: &[u8]) {
    let (Some((token, keys)), Some(client_id)) = (signed(bytes), client_id()) else { return };
    let nonce = Secret::new("nonce");
    for (issuer, nonce) in [("https://id.example", None), ("https://id.example/{tenantid}/v2.0", Some(&nonce))] {
        let expected = Expectation { issuer, client_id: &client_id, nonce, max_age: None };
        match id_token::verify(&token, keys, &expected, NOW) {
            Ok(verified) => {
                let user = verified.user(None);
                assert!(!user.home_account_id.is_empty());
                for text in [&user.username, &user.tenant, user.name.as_ref().unwrap_or(&user.username)] {
                    assert_showable(text);
                }
            }
            Err(error) => assert_showable(&error.to_string()),
        }
    }
}

fn signed(payload: &[u8]) -> Option<(Secret, &'static JwkSet)> {
    let (pair, keys) = SIGNER.get_or_init(signer).as_ref()?;
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"test"}"#);
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(pair.sign(input.as_bytes())));
    Some((Secret::new(token), keys))
}

/// The test key and the set with its public half.
type Signer = Option<(Ed25519KeyPair, JwkSet)>;

/// Made once.
static SIGNER: OnceLock<Signer> = OnceLock::new();

fn signer() -> Signer {
    let key: Value = serde_json::from_str(TEST_KEY).ok()?;
    let seed = URL_SAFE_NO_PAD.decode(key.get("d")?.as_str()?).ok()?;
    let keys = JwkSet::from_json(&json!({ "keys": [key.get("jwk")?] }).to_string()).ok()?;
    Some((Ed25519KeyPair::from_seed_unchecked(&seed).ok()?, keys))
}
