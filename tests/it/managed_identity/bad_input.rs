//! What a source may do wrong: hang, send elsewhere, answer HTML or 10 MB, name another file, show another certificate, or not be
//! there at all. Each is named, nothing of it is stored, and no secret of the machine is in the message.

use std::{fs, os::unix::fs::symlink, time::Duration};

use serde_json::{Value, json};
use token_broker::ports::http::HttpLimits;
use token_broker_client::{
    Reason,
    oauth::{ManagedIdentityId, ManagedIdentitySource},
};
use token_broker_tests::{
    authorization_server::{Fault, Gate},
    managed_identity::Host,
    within,
};

use super::{Stage, refused};

/// The failure of a token request; its message has these words, and the store is as empty as before.
async fn fails(stage: &Stage, application: &str, reason: Reason, words: &[&str]) {
    let said = refused(within(stage.token(application)).await);
    assert_eq!(said.reason, reason, "{said:?}");
    let description = said.provider.as_ref().and_then(|words| words.description.clone()).unwrap_or_default();
    let text = format!("{} {description}", said.message);
    for word in words {
        assert!(text.contains(word), "{word:?} in {text:?}");
    }
    assert_eq!(stage.entries().await, 0, "nothing is stored: {text}");
}

#[tokio::test]
async fn a_source_that_answers_nonsense_is_named() {
    let huge = format!("{{\"access_token\":\"{}\"}}", "x".repeat(10 * 1024 * 1024));
    let answers = [
        (
            Fault::redirect("http://169.254.169.254.attacker.example/x"),
            Reason::AuthorityRefused,
            "redirect to 169.254.169.254.attacker.example",
        ),
        (
            Fault::answer(200, "text/html", "<p>Sign in to the Wi-Fi</p>"),
            Reason::AuthorityRefused,
            "text/html instead of JSON",
        ),
        (Fault::answer(400, "text/html", "<p>no</p>"), Reason::AuthorityRefused, "text/html instead of JSON"),
        (Fault::answer(200, "application/json", huge), Reason::AuthorityRefused, "more than 1048576 bytes"),
        (Fault::answer(200, "application/json", "{}"), Reason::AuthorityRefused, "without an access_token"),
        (Fault::answer(200, "application/json", "[1]"), Reason::AuthorityRefused, "not an object"),
        (Fault::answer(200, "application/json", ""), Reason::AuthorityRefused, "empty body"),
    ];
    for source in ManagedIdentitySource::ALL {
        for (fault, reason, words) in answers.clone() {
            let stage = Stage::with_vm(source).await;
            // Azure Arc is asked for a challenge first.
            let is_arc = source == ManagedIdentitySource::AzureArc;
            stage.host.plan_times(1, &fault);
            let words = if is_arc && !words.contains("bytes") { "where it should ask" } else { words };
            fails(&stage, "vm", reason, &[words]).await;
            assert_eq!(stage.access_token("vm").await, "marker-mi-token-1", "{source}: and then it is well again");
        }
    }
}

#[tokio::test]
async fn members_that_cannot_be_are_refused_and_odd_times_are_read() {
    for (member, value, words) in [
        ("access_token", json!("line\nbreak"), "not visible ASCII"),
        ("access_token", json!(["x"]), "not a text"),
        ("token_type", json!("pop"), "not Bearer"),
        ("expires_in", json!("0"), "expired already"),
    ] {
        let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
        stage.host.answer_with(member, value);
        fails(&stage, "vm", Reason::AuthorityRefused, &[words]).await;
    }
    for (expires_in, expires_on, lifetime) in [
        (json!(3600), Value::Null, 3600),
        (json!("3600"), json!("1"), 3600),
        (Value::Null, json!(1_800_003_600_i64), 3600),
        (Value::Null, json!("1800003600"), 3600),
        (json!("soon"), json!("01/16/2027 5:24:12 AM +00:00"), 600),
        (Value::Null, Value::Null, 600),
    ] {
        let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
        stage.host.answer_with("expires_in", expires_in.clone());
        stage.host.answer_with("expires_on", expires_on.clone());
        let token = stage.token("vm").await.expect("a token");
        assert_eq!(token.expires_on.seconds() - stage.now(), lifetime, "{expires_in} {expires_on}");
    }
}

#[tokio::test]
async fn the_words_of_a_refusal_are_kept_without_the_secret_that_came_back_with_them() {
    let secret = Host::SECRET;
    for (source, body, error, words) in [
        (
            ManagedIdentitySource::Imds,
            r#"{"error":"invalid_request","error_description":"Identity not found"}"#.to_owned(),
            "invalid_request",
            "Identity not found",
        ),
        (
            ManagedIdentitySource::AppService,
            format!(r#"{{"statusCode":400,"message":"bad header {secret}"}}"#),
            "http_400",
            "bad header [redacted]",
        ),
        (
            ManagedIdentitySource::ServiceFabric,
            format!(
                r#"{{"error":{{"code":"ManagedIdentityNotFound","message":"for {secret}","correlationId":"7f30"}}}}"#
            ),
            "ManagedIdentityNotFound",
            "for [redacted]",
        ),
        (
            ManagedIdentitySource::CloudShell,
            r#"{"error":{"code":"AudienceNotSupported","message":"Audience is not supported"}}"#.to_owned(),
            "AudienceNotSupported",
            "Audience is not supported",
        ),
    ] {
        let stage = Stage::with_vm(source).await;
        stage.host.plan(Fault::answer(400, "application/json", body));
        let said = refused(stage.token("vm").await);
        assert_eq!(said.reason, Reason::AuthorityRefused, "{said:?}");
        let provider = said.provider.expect("its words");
        assert_eq!((provider.error.as_str(), provider.description.as_deref()), (error, Some(words)), "{source}");
    }
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up() {
    let http = HttpLimits { total: Duration::from_millis(200), ..HttpLimits::default() };
    let stage = Stage::limited(ManagedIdentitySource::Imds, http).await;
    stage.add("vm", ManagedIdentityId::SystemAssigned, None).await;
    stage.host.plan(Fault::HoldBefore(Gate::closed()));
    fails(&stage, "vm", Reason::AuthorityUnavailable, &["imds", "did not answer"]).await;
    assert_eq!(stage.asked(), 1, "once is enough");
}

#[tokio::test]
async fn where_no_source_is_the_variables_are_named() {
    let stage = Stage::with_vm(ManagedIdentitySource::Imds).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address");
    stage.environment.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", Some(&format!("http://{nobody}")));
    let words = ["no managed identity was found", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "cannot be reached"];
    fails(&stage, "vm", Reason::AuthorityUnavailable, &words).await;
    for (source, variable) in [
        (ManagedIdentitySource::ServiceFabric, "IDENTITY_ENDPOINT"),
        (ManagedIdentitySource::AppService, "IDENTITY_ENDPOINT"),
        (ManagedIdentitySource::MachineLearning, "MSI_ENDPOINT"),
    ] {
        let name = source.as_str();
        stage.add(name, ManagedIdentityId::SystemAssigned, Some(source)).await;
        fails(&stage, name, Reason::InvalidRequest, &["application", name, variable, "not set"]).await;
    }
}

#[tokio::test]
async fn variables_that_cannot_be_used_are_named_and_not_shown() {
    for (source, variable, value, words) in [
        (ManagedIdentitySource::AppService, "IDENTITY_ENDPOINT", "marker-no-url", "is not a URL"),
        (ManagedIdentitySource::AppService, "IDENTITY_ENDPOINT", "file:///marker-file", "not an http or https URL"),
        (ManagedIdentitySource::MachineLearning, "MSI_ENDPOINT", "http://u:marker-p@127.0.0.1/", "user name"),
        (ManagedIdentitySource::ServiceFabric, "IDENTITY_ENDPOINT", "http://127.0.0.1/marker", "must be an https URL"),
        (ManagedIdentitySource::ServiceFabric, "IDENTITY_SERVER_THUMBPRINT", "marker-beef", "SHA-1 thumbprint"),
        (ManagedIdentitySource::Imds, "AZURE_POD_IDENTITY_AUTHORITY_HOST", "marker-host", "is not a URL"),
    ] {
        let stage = Stage::with_vm(source).await;
        stage.environment.set(variable, Some(value));
        fails(&stage, "vm", Reason::InvalidRequest, &[variable, words]).await;
        assert_eq!(stage.asked(), 0);
    }
}

#[tokio::test]
async fn a_source_with_one_identity_is_not_asked_for_another() {
    for source in [ManagedIdentitySource::ServiceFabric, ManagedIdentitySource::CloudShell] {
        let stage = Stage::with(source).await;
        stage.add("vm", ManagedIdentityId::from_client_id("c-1").expect("an id"), None).await;
        fails(&stage, "vm", Reason::InvalidRequest, &[source.as_str(), "one identity"]).await;
        assert_eq!(stage.asked(), 0);
    }
    // An old agent of Azure Arc gives out the machine's own token whatever is asked for.
    let stage = Stage::with(ManagedIdentitySource::AzureArc).await;
    stage.add("vm", ManagedIdentityId::from_client_id("c-1").expect("an id"), None).await;
    for value in [Value::Null, json!("another")] {
        stage.host.answer_with("client_id", value);
        fails(&stage, "vm", Reason::AuthorityRefused, &["did not confirm", "too old"]).await;
    }
}

#[tokio::test]
async fn another_certificate_at_service_fabric_is_sent_nothing() {
    let stage = Stage::with_vm(ManagedIdentitySource::ServiceFabric).await;
    stage.host.change_certificate();
    let words = ["service-fabric", "certificate is not the one whose thumbprint was given"];
    fails(&stage, "vm", Reason::AuthorityUnavailable, &words).await;
    assert_eq!(stage.asked(), 0, "the secret header did not go out");
}

#[tokio::test]
async fn only_a_key_of_the_agents_own_folder_answers_its_challenge() {
    let stage = Stage::with_vm(ManagedIdentitySource::AzureArc).await;
    let folder = stage.host.keys().display().to_string();
    let elsewhere = tempfile::tempdir().expect("a scratch folder");
    fs::write(elsewhere.path().join("other.key"), "marker-of-somebody").expect("written");
    for challenge in [
        format!("Basic realm={}/other.key", elsewhere.path().display()),
        format!("Basic realm={folder}/../other.key"),
        format!("Basic realm={folder}//agent.key"),
        format!("Basic realm={folder}/agent.txt"),
        format!("Basic realm={folder}/.key"),
        format!("Basic realm={folder}/sub/agent.key"),
        "Basic realm=agent.key".to_owned(),
        "Basic realm=/etc/shadow".to_owned(),
        format!("Bearer realm={folder}/agent.key"),
        "Basic".to_owned(),
        String::new(),
    ] {
        stage.host.challenge_with(&challenge);
        let words = if challenge.starts_with("Basic realm") { "no key of the agent" } else { "not `Basic realm=FILE`" };
        fails(&stage, "vm", Reason::AuthorityRefused, &[words]).await;
    }
    let asked = stage.host.asked();
    assert!(asked.iter().all(|asked| asked.header("authorization").is_empty()), "no file was sent: {asked:?}");
}

#[tokio::test]
async fn a_key_file_that_is_none_is_not_sent() {
    let stage = Stage::with_vm(ManagedIdentitySource::AzureArc).await;
    let folder = stage.host.keys().to_owned();
    fs::write(folder.join("large.key"), "marker-x".repeat(1024)).expect("written");
    fs::write(folder.join("empty.key"), "").expect("written");
    symlink(folder.join("agent.key"), folder.join("link.key")).expect("linked");
    fs::create_dir(folder.join("folder.key")).expect("made");
    for (file, words) in [
        ("large.key", "longer than 4096 bytes"),
        ("empty.key", "does not hold a key"),
        ("link.key", "is a link"),
        ("folder.key", "no regular file"),
        ("none.key", "himds"),
    ] {
        stage.host.challenge_with(&format!("Basic realm={}/{file}", folder.display()));
        fails(&stage, "vm", Reason::AuthorityRefused, &[file, words]).await;
    }
    let asked = stage.host.asked();
    assert!(asked.iter().all(|asked| asked.header("authorization").is_empty()), "no file was sent: {asked:?}");
}
