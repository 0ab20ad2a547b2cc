//! What a provider answers: tokens and errors with their `Retry-After`, metadata, keys, device authorizations and polls.

use std::time::Duration;

use token_broker::{
    flow::microsoft::issuer,
    flow::oauth::{
        ClientContext, TokenError,
        device_code::{self, DeviceAuthorization, Poll},
        discovery,
        jwks::JwkSet,
        revocation,
        token_response::{self, TokenResponse},
    },
    model::{Presented, RefreshToken},
};
use token_broker_proto::{
    calls::ApplicationOptions,
    oauth::{Authority, CorrelationId, ScopeSet},
};

use crate::exchange::{NOW, assert_showable, client_id, metadata, response};

/// The longest wait that is believed.
const HOUR: Duration = Duration::from_secs(3600);

/// A token answer or a token error.
pub(crate) fn token_response(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    match token_response::parse(&response, &ScopeSet::openid(), NOW) {
        Ok(tokens) => check_tokens(&tokens),
        Err(error) => check_error(&error),
    }
}

fn check_tokens(tokens: &TokenResponse) {
    assert!(!tokens.access_token.is_empty());
    assert!(tokens.expires_on >= NOW && tokens.refresh_on.is_none_or(|on| on >= NOW && on <= tokens.expires_on));
    assert!(tokens.token_type.eq_ignore_ascii_case("bearer") && !tokens.scopes.is_empty());
    for token in [tokens.refresh_token.as_ref().map(RefreshToken::secret), tokens.id_token.as_ref()] {
        assert!(token.is_none_or(|token| token.expose().bytes().all(|byte| (0x20..=0x7E).contains(&byte))));
    }
}

fn check_error(error: &TokenError) {
    assert_showable(&error.to_string());
    if let TokenError::Unavailable { retry_after, .. } = error {
        assert!(retry_after.is_none_or(|wait| wait <= HOUR));
    }
    if let Some(words) = error.provider() {
        assert!(!words.error.is_empty());
        [&words.description, &words.suberror, &words.error_uri, &words.correlation_id]
            .into_iter()
            .flatten()
            .for_each(|text| assert_showable(text));
    }
}

/// Provider metadata, for each kind of authority.
pub(crate) fn discovery(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    let authorities = [
        Authority::from_issuer("https://id.example"),
        Authority::from_issuer("http://127.0.0.1:9400"),
        Authority::from_tenant("organizations"),
    ];
    for authority in authorities.into_iter().flatten() {
        let found = match discovery::parse(&authority, &response, NOW) {
            Ok(found) => found,
            Err(error) => return assert_showable(&error.to_string()),
        };
        let is_local = authority.to_string().starts_with("http://127.0.0.1");
        let endpoints = [found.authorization_endpoint, found.device_authorization_endpoint, found.revocation_endpoint];
        for url in endpoints.into_iter().flatten().chain([found.token_endpoint]) {
            assert!(url.scheme() == "https" || is_local, "{url}");
            assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
        }
        if let Authority::OpenIdConnect { text, .. } = &authority {
            // Microsoft serves tenants under domains of their own, and names its own issuer there.
            assert!(found.issuer == *text || issuer::is_microsofts(&found.issuer), "{}", found.issuer);
        }
    }
}

/// A key set.
pub(crate) fn jwks(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    match JwkSet::parse(&response) {
        Ok(keys) => {
            let kept = keys.to_json();
            assert_eq!(JwkSet::from_json(&kept).as_ref(), Ok(&keys), "it reads back");
            assert!(!kept.contains("\"d\":"), "a private member is kept");
        }
        Err(error) => assert_showable(&error.to_string()),
    }
}

/// The answer to a revocation.
pub(crate) fn revocation(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    if let Err(error) = revocation::parse(&response) {
        check_error(&error);
    }
}

/// A device authorization.
pub(crate) fn device_authorization(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    match device_code::parse(&response, &ScopeSet::openid(), NOW) {
        Ok(authorization) => check_authorization(&authorization),
        Err(error) => check_error(&error),
    }
}

fn check_authorization(authorization: &DeviceAuthorization) {
    let code = authorization.user_code();
    assert_showable(code.user_code.expose());
    assert!(code.verification_uri.to_ascii_lowercase().starts_with("http"));
    assert!(authorization.wait() >= Duration::from_secs(1) && authorization.wait() <= HOUR);
    let (Some(metadata), Some(client_id)) = (metadata(), client_id()) else { return };
    let client = ClientContext {
        metadata: &metadata,
        client_id: &client_id,
        credential: &Presented::Nothing,
        options: &ApplicationOptions::default(),
    };
    assert_eq!(authorization.poll_request(client, None, CorrelationId::from_random([0; 16])).method(), "POST");
}

/// Answers to polls, parted by `~`; what is no answer is a timeout.
pub(crate) fn device_poll(bytes: &[u8]) {
    let begun = "200\n\n{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_uri\":\"https://id.example/d\",\"expires_in\":600}";
    let Some(begun) = response(begun.as_bytes()) else { return };
    let Ok(mut waiting) = device_code::parse(&begun, &ScopeSet::openid(), NOW) else { return };
    let (mut now, mut wait) = (NOW, waiting.wait());
    for answer in bytes.split(|byte| *byte == b'~').take(64) {
        now = now.plus(wait);
        let poll = match response(answer) {
            Some(response) => waiting.after(&response, now),
            None => waiting.after_timeout(now),
        };
        waiting = match poll {
            Poll::Wait(next) => next,
            Poll::Done(tokens) => return assert!(!tokens.access_token.is_empty()),
            Poll::Failed(error) => return check_error(&error),
            Poll::Expired | Poll::Declined(_) => return,
        };
        assert!(now < waiting.expires_on(), "it polls on after the code has expired");
        wait = waiting.wait();
        assert!(wait >= Duration::from_secs(1) && wait <= HOUR);
    }
}
