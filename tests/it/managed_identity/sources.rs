//! Tokens from every source: asked for once and cached, renewed at half their life, asked for again by MSAL.NET's table, kept apart
//! from those of another identity, and shown to Microsoft Entra ID in place of a credential.

use token_broker_client::{
    Reason,
    calls::{CredentialKind, Subject, TokenRequest, TokenSource},
    oauth::{Claims, ManagedIdentityId, ManagedIdentitySource},
};
use token_broker_tests::{
    authorization_server::{Fault, Gate},
    daemon::{name, scopes},
    within,
};

use super::{Stage, VAULT, managed, refused, request};

fn by_client_id() -> ManagedIdentityId {
    ManagedIdentityId::from_client_id("c-1").expect("an id")
}

#[tokio::test]
async fn every_source_gives_one_token_that_is_cached_under_both_names_of_its_resource() {
    for source in ManagedIdentitySource::ALL {
        let stage = Stage::with_vm(source).await;
        let first = stage.token("vm").await.expect("a token");
        assert_eq!((first.access_token.expose(), first.source), ("marker-mi-token-1", TokenSource::IdentityProvider));
        assert!(first.account.is_none() && first.scopes == scopes(VAULT), "{source}: {first:?}");
        assert_eq!(first.expires_on.seconds() - stage.now(), 86_399, "{source}");
        assert_eq!(first.refresh_on.map(|at| at.seconds() - stage.now()), Some(43_199), "{source}: half its life");
        let asked = stage.asked();
        for (subject, scope) in [
            (Subject::User(None), "https://vault.azure.net/.default"),
            (Subject::Application, "https://vault.azure.net openid"),
        ] {
            let again = TokenRequest { subject, scopes: Some(scopes(scope)), ..request("vm") };
            let again = stage.client.token(&again).await.expect("the same token");
            assert_eq!((again.access_token.expose(), again.source), ("marker-mi-token-1", TokenSource::Cache));
        }
        assert_eq!(stage.asked(), asked, "{source}: the cache answered");
        let [entry] = &*stage.client.cache_entries(None).await.expect("the list") else { panic!("one entry") };
        assert_eq!((entry.environment.as_str(), entry.application.as_deref()), ("localhost", Some("vm")));
        let other = TokenRequest { scopes: Some(scopes("https://graph.microsoft.com")), ..request("vm") };
        let other = stage.client.token(&other).await.expect("another token");
        assert_eq!(other.access_token.expose(), "marker-mi-token-2", "{source}: another resource");
    }
}

#[tokio::test]
async fn what_an_application_is_can_be_seen() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    stage.add("web", by_client_id(), Some(ManagedIdentitySource::AppService)).await;
    let shown = stage.client.application(&name("web")).await.expect("shown");
    assert_eq!((shown.client_id.as_str(), shown.authority.as_str()), ("c-1", "managed_identity"));
    assert_eq!(shown.credential, CredentialKind::ManagedIdentity);
    let identity = shown.managed_identity.expect("it is one");
    assert_eq!((identity.id, identity.source), (by_client_id(), Some(ManagedIdentitySource::AppService)));
    let shown = stage.client.application(&name("vm")).await.expect("shown");
    assert_eq!(shown.client_id, "SYSTEM_ASSIGNED_MANAGED_IDENTITY");
}

#[tokio::test]
async fn tokens_of_other_identities_and_other_sources_are_other_tokens() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    stage.add("by-client", by_client_id(), None).await;
    // The same text as another kind of id names another identity.
    stage.add("by-object", ManagedIdentityId::from_object_id("c-1").expect("an id"), None).await;
    for (number, application) in ["vm", "by-client", "by-object"].into_iter().enumerate() {
        assert_eq!(stage.access_token(application).await, format!("marker-mi-token-{}", number + 1));
    }
    // The machine becomes another one: its old tokens are of another source.
    stage.environment.become_like(&stage.host.environment(ManagedIdentitySource::AppService));
    assert_eq!(stage.access_token("vm").await, "marker-mi-token-4");
    assert_eq!(stage.host.asked().last().map(|asked| asked.path.clone()).as_deref(), Some("/app-service/msi/token"));
    stage.environment.become_like(&stage.host.environment(ManagedIdentitySource::Imds));
    assert_eq!(stage.access_token("vm").await, "marker-mi-token-1");
}

#[tokio::test]
async fn the_source_of_an_application_wins_over_the_environment() {
    let stage = Stage::with_vm(ManagedIdentitySource::AppService).await;
    for (name, value) in stage.host.environment(ManagedIdentitySource::Imds).variables() {
        stage.environment.set(&name, Some(&value));
    }
    stage.add("by-imds", ManagedIdentityId::SystemAssigned, Some(ManagedIdentitySource::Imds)).await;
    stage.access_token("vm").await;
    stage.access_token("by-imds").await;
    let paths: Vec<_> = stage.host.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/app-service/msi/token", "/metadata/identity/oauth2/token"]);
}

#[tokio::test]
async fn a_token_is_renewed_at_half_its_life_and_served_meanwhile_and_after_a_failure() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    stage.host.let_tokens_live(7200);
    assert_eq!(stage.access_token("vm").await, "marker-mi-token-1");
    let gate = Gate::closed();
    stage.host.plan(Fault::HoldBefore(gate.clone()));
    // At half its life and at the latest a twentieth later. The task that looks may be about to sleep just now.
    stage.pass(3600 + 361);
    for _ in 0..2 {
        within(stage.clock.timers_set(2)).await;
        stage.pass(60);
    }
    within(gate.reached(1)).await;
    assert_eq!(stage.access_token("vm").await, "marker-mi-token-1", "nobody waits for it");
    gate.open();
    let renewed = async {
        while stage.access_token("vm").await == "marker-mi-token-1" {
            tokio::task::yield_now().await;
        }
    };
    within(renewed).await;
    assert_eq!((stage.access_token("vm").await.as_str(), stage.asked()), ("marker-mi-token-2", 2));
    // In the last minutes of its life a token is good until another can be had, and nobody waits for the tries.
    stage.host.plan_times(100, &Fault::answer(500, "text/plain", "down"));
    stage.pass(7200 - 180);
    assert_eq!(within(stage.access_token("vm")).await, "marker-mi-token-2");
}

#[tokio::test]
async fn a_short_life_is_not_renewed_at_its_half() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    stage.host.let_tokens_live(7199);
    assert_eq!(stage.token("vm").await.expect("a token").refresh_on, None);
}

#[tokio::test]
async fn a_source_that_is_busy_is_asked_again_by_the_table_and_no_test_waits() {
    for (source, status, waits) in [
        (ManagedIdentitySource::Imds, 404, &[1, 2, 4][..]),
        (ManagedIdentitySource::Imds, 503, &[1, 2, 4]),
        (ManagedIdentitySource::Imds, 410, &[10; 7]),
        (ManagedIdentitySource::AppService, 500, &[1; 3]),
    ] {
        let stage = Stage::with_vm(source).await;
        let busy = Fault::answer(status, "application/json", r#"{"message":"busy"}"#);
        stage.host.plan_times(waits.len(), &busy);
        let token = while_time_passes(&stage, stage.token("vm")).await.expect("a token");
        assert_eq!(token.access_token.expose(), "marker-mi-token-1", "{source} {status}");
        assert_eq!(waited(&stage), waits, "{source} {status}");
        // One answer too many of that kind, and it has failed; after that it is left alone for a while.
        stage.host.plan_times(waits.len() + 1, &busy);
        let other = TokenRequest { scopes: Some(scopes("https://other.example")), ..request("vm") };
        let failed = refused(while_time_passes(&stage, stage.client.token(&other)).await);
        assert_eq!(failed.reason, Reason::AuthorityUnavailable, "{failed:?}");
        assert!(failed.message.contains(&status.to_string()) && failed.message.contains("busy"), "{failed:?}");
        assert!(failed.retry_after.is_some_and(|wait| !wait.is_zero()), "{failed:?}");
        assert_eq!(stage.asked(), 2 * waits.len() + 2, "{source} {status}");
    }
}

/// Lets time pass a second at a time until the call is answered, each second seen by whoever waits: the two standing tasks, and
/// the flight between two tries.
async fn while_time_passes<T>(stage: &Stage, call: impl Future<Output = T>) -> T {
    let mut call = std::pin::pin!(call);
    let answered = async {
        loop {
            tokio::select! {
                biased;
                answer = &mut call => return answer,
                () = stage.clock.timers_set(3) => stage.pass(1),
            }
        }
    };
    within(answered).await
}

/// The seconds between two requests each.
fn waited(stage: &Stage) -> Vec<i64> {
    let asked = stage.host.asked();
    asked.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

#[tokio::test]
async fn a_claims_challenge_ends_the_token_at_service_fabric_and_only_passes_the_cache_elsewhere() {
    let claims = Claims::parse(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#).expect("claims");
    for source in ManagedIdentitySource::ALL {
        let stage = Stage::with(source).await;
        let capable = managed("vm", ManagedIdentityId::SystemAssigned, None);
        let capable = token_broker_client::calls::NewApplication { client_capabilities: vec!["cp1".into()], ..capable };
        stage.register(capable).await.expect("registered");
        assert_eq!(stage.access_token("vm").await, "marker-mi-token-1");
        let challenged = TokenRequest { claims: claims.clone(), ..request("vm") };
        let new = stage.client.token(&challenged).await.expect("a new token");
        assert_eq!(new.access_token.expose(), "marker-mi-token-2", "{source}");
        assert_eq!(stage.access_token("vm").await, "marker-mi-token-2", "{source}: it took the place of the old one");
        let asked = stage.host.asked();
        let last = asked.last().expect("it was asked");
        let (hash, capabilities) = match source {
            // printf %s marker-mi-token-1 | sha256sum
            ManagedIdentitySource::ServiceFabric => {
                ("cac4be5cfd8c130aa74c77504fb2f5d14465aca7df5af3dd82e19528ef195045", "cp1")
            }
            _ => ("", ""),
        };
        let sent = (last.parameter("token_sha256_to_refresh"), last.parameter("xms_cc"), last.parameter("claims"));
        assert_eq!(sent, (hash, capabilities, ""), "{source}: and claims are not forwarded");
    }
}

#[tokio::test]
async fn a_managed_identity_has_no_users() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    let named = TokenRequest { subject: Subject::User(Some("ada".into())), ..request("vm") };
    let said = refused(stage.client.token(&named).await);
    assert!(said.reason == Reason::InvalidRequest && said.message.contains("no users"), "{said:?}");
    let tenant = TokenRequest { tenant: Some("contoso.com".into()), ..request("vm") };
    assert_eq!(refused(stage.client.token(&tenant).await).field.as_deref(), Some("tenant"));
    let sign_in = token_broker_client::calls::SignInRequest::new(name("vm"));
    let mut events = stage.client.sign_in(&sign_in).await.expect("it begins");
    let said = refused(events.next().await);
    assert!(said.reason == Reason::InvalidRequest && said.message.contains("nobody signs in"), "{said:?}");
    assert_eq!(stage.asked(), 0);
}

#[tokio::test]
async fn one_resource_at_a_time() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    for (asked, words) in [("https://a.example https://b.example", "one resource"), ("openid", "needs the resource")] {
        let request = TokenRequest { scopes: Some(scopes(asked)), ..request("vm") };
        let said = refused(stage.client.token(&request).await);
        assert_eq!((said.reason, said.field.as_deref()), (Reason::InvalidRequest, Some("scopes")));
        assert!(said.message.contains(words), "{said:?}");
    }
    assert_eq!(stage.asked(), 0);
}
