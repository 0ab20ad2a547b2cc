//! The harness against itself: each server and the scripted user go through every flow by plain HTTP, before the daemon meets
//! them. What fails here is the harness, not the daemon.

mod clock;
mod embedded;
mod faults;
mod glewlwyd;
mod graph;
mod loopback;
mod oidc_provider;
mod relying_party;

use relying_party::RelyingParty;
use token_broker_tests::http::Reply;

/// The scopes of a usual sign-in.
const SCOPES: &str = "openid profile offline_access api:read";

/// The new refresh token replaces the old one; the old one then revokes the new one too.
async fn rotation_detects_replay(party: &RelyingParty, first: &Reply) {
    let old = first.text("refresh_token");
    let second = party.refresh(&old).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let new = second.text("refresh_token");
    assert!(!new.is_empty() && new != old, "the refresh token was replaced");
    assert_eq!(party.refresh(&old).await.status, 400, "the old one is refused");
    assert_eq!(party.refresh(&new).await.status, 400, "and the new one is revoked with it");
}

/// The tokens of a sign-in are all there, and the id token is about this client.
fn assert_signed_in(tokens: &Reply, client_id: &str) {
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert!(!tokens.text("access_token").is_empty() && !tokens.text("refresh_token").is_empty());
    assert!(tokens.text("token_type").eq_ignore_ascii_case("bearer"));
    let claims = token_broker_tests::jose::claims(&tokens.text("id_token"));
    assert_eq!(claims["aud"], client_id);
}
