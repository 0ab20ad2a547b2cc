//! Trap 10: token type and key set tokens apart. Whatever was issued for one way of use or one key is never served for another, and
//! does not take its place either.

use std::time::Duration;

use token_broker_client::{
    calls::{TokenAnswer, TokenRequest, TokenScheme, TokenSource},
    oauth::PublicKey,
};
use token_broker_tests::within;

use super::{Stage, is_cached, job, key, work};

fn text(answer: &TokenAnswer) -> &str {
    answer.access_token.expose()
}

fn is_bearer(answer: &TokenAnswer) -> bool {
    answer.token_type.eq_ignore_ascii_case("bearer") && answer.key_id.is_none()
}

/// The sign-in left a bearer token with these very scopes.
#[tokio::test]
async fn trap_10_a_bearer_token_is_never_served_for_a_certificate() {
    let stage = Stage::set().await;
    let bearer = stage.token(TokenScheme::Bearer).await;
    let certificate = stage.token(TokenScheme::SshCert(key(1))).await;
    assert!(is_cached(&bearer) && is_bearer(&bearer) && !is_cached(&certificate));
    assert_eq!(certificate.token_type, "ssh-cert");
    let again = stage.token(TokenScheme::SshCert(key(1))).await;
    assert!(is_cached(&again) && text(&again) == text(&certificate));
}

#[tokio::test]
async fn trap_10_a_certificate_is_never_served_for_a_bearer_token() {
    let stage = Stage::set().await;
    let before = stage.token(TokenScheme::Bearer).await;
    stage.token(TokenScheme::SshCert(key(1))).await;
    let after = stage.token(TokenScheme::Bearer).await;
    assert!(is_cached(&after) && text(&after) == text(&before), "it was not overwritten");
    // Nor when the bearer token has run out and only a certificate is left.
    stage.clock.advance(Duration::from_secs(3000));
    let certificate = stage.ask(TokenRequest { force_refresh: true, ..bound(key(1)) }).await.expect("issued anew");
    stage.clock.advance(Duration::from_secs(1000));
    assert!(is_cached(&stage.token(TokenScheme::SshCert(key(1))).await), "the certificate is still good");
    let fresh = stage.token(TokenScheme::Bearer).await;
    // Renewed just now, or ahead of time: it was in use.
    assert!(is_bearer(&fresh) && text(&fresh) != text(&certificate) && text(&fresh) != text(&before));
}

fn bound(key: PublicKey) -> TokenRequest {
    TokenRequest { scheme: TokenScheme::SshCert(key), ..work() }
}

#[tokio::test]
async fn trap_10_a_certificate_of_one_key_is_never_served_for_another() {
    let stage = Stage::set().await;
    let [one, two] = [stage.token(TokenScheme::SshCert(key(1))).await, stage.token(TokenScheme::SshCert(key(2))).await];
    assert!(!is_cached(&two) && text(&one) != text(&two) && one.key_id != two.key_id);
    for (number, first) in [(1, &one), (2, &two)] {
        let again = stage.token(TokenScheme::SshCert(key(number))).await;
        assert!(is_cached(&again) && text(&again) == text(first) && again.key_id == first.key_id);
        assert!(key(number).certificate_line(text(&again)).is_some(), "it is over this key");
    }
    assert!(key(1).certificate_line(text(&two)).is_none());
}

/// A key is named by what it is: who gives it another `kid` gives the same key, and two keys with one `kid` are two.
#[tokio::test]
async fn trap_10_a_key_is_named_by_its_thumbprint_alone() {
    let stage = Stage::set().await;
    let one = stage.token(TokenScheme::SshCert(key(1))).await;
    let named = |key: &PublicKey| {
        let jwk = key.canonical_jwk().replacen('{', "{\"kid\":\"same\",", 1);
        TokenScheme::SshCert(PublicKey::parse(&jwk).unwrap())
    };
    let again = stage.token(named(&key(1))).await;
    assert!(is_cached(&again) && text(&again) == text(&one));
    let two = stage.token(named(&key(2))).await;
    assert!(!is_cached(&two) && two.key_id != one.key_id);
}

#[tokio::test]
async fn trap_10_a_pop_token_is_never_served_for_another_use_nor_the_reverse() {
    let stage = Stage::set().await;
    let pop = stage.token(TokenScheme::Pop(key(1))).await;
    assert!(!is_cached(&pop) && pop.token_type == "pop");
    let certificate = stage.token(TokenScheme::SshCert(key(1))).await;
    assert!(!is_cached(&certificate) && certificate.key_id == pop.key_id, "one key, two uses");
    let bearer = stage.token(TokenScheme::Bearer).await;
    assert!(is_cached(&bearer) && is_bearer(&bearer));
    let signed = stage.sign("https://api.example/").await;
    assert_eq!(signed.source, TokenSource::IdentityProvider, "the daemon's key is not the caller's");
    assert_eq!(stage.sign("https://api.example/").await.source, TokenSource::Cache);
    for scheme in [TokenScheme::Pop(key(1)), TokenScheme::SshCert(key(1)), TokenScheme::Bearer] {
        assert!(is_cached(&stage.token(scheme).await), "each is still in its place");
    }
}

#[tokio::test]
async fn trap_10_holds_for_the_applications_own_tokens() {
    let stage = Stage::set().await;
    let ask = |scheme| stage.ask(TokenRequest { scheme, ..job() });
    let bearer = ask(TokenScheme::Bearer).await.expect("a token");
    let certificate = ask(TokenScheme::SshCert(key(1))).await.expect("a certificate");
    assert!(!is_cached(&bearer) && !is_cached(&certificate) && text(&bearer) != text(&certificate));
    for (scheme, first) in [(TokenScheme::Bearer, &bearer), (TokenScheme::SshCert(key(1)), &certificate)] {
        let again = ask(scheme).await.expect("a token");
        assert!(is_cached(&again) && text(&again) == text(first));
    }
}

/// A refresh that is under way for one key answers nobody who wants another.
#[tokio::test]
async fn trap_10_a_flight_for_one_key_lands_for_that_key_alone() {
    let stage = Stage::set().await;
    let asked = [TokenScheme::SshCert(key(1)), TokenScheme::SshCert(key(2)), TokenScheme::Pop(key(1))];
    let asked = asked.map(|scheme| {
        let client = stage.client();
        tokio::spawn(async move { client.token(&TokenRequest { scheme, ..work() }).await })
    });
    let mut got = Vec::new();
    for answer in asked {
        got.push(within(answer).await.expect("no panic").expect("a token"));
    }
    assert!(key(1).certificate_line(text(&got[0])).is_some() && key(2).certificate_line(text(&got[1])).is_some());
    assert_eq!(got[2].token_type, "pop");
    assert_eq!(stage.refreshes().len(), 3);
}
