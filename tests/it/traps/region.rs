//! The region of an application: its own tokens alone are asked for there, and to look for the machine's takes no long time.

use std::time::Duration;

use serde_json::json;
use token_broker_client::calls::{ApplicationOptions, NewApplication, OptionTexts, Subject, TokenRequest};
use token_broker_tests::{
    daemon::{name, scopes},
    within,
};

use super::stage::{Stage, application, confidential, is_cached};

const CENTRAL: &str = "login.microsoftonline.com";
const REGIONAL: &str = "westus2.login.microsoft.com";

fn in_region(region: &str) -> NewApplication {
    let options = ApplicationOptions::try_from(OptionTexts { region: region.into(), ..OptionTexts::default() });
    let new = application("work", "https://login.microsoftonline.com/contoso.com", "client-1");
    confidential(NewApplication { options: options.expect("options"), ..new })
}

fn own(wanted: &str) -> TokenRequest {
    let request = TokenRequest::new(name("work"));
    TokenRequest { subject: Subject::Application, scopes: Some(scopes(wanted)), ..request }
}

/// The hosts that were asked for the application's own tokens.
fn hosts(stage: &Stage) -> Vec<String> {
    stage.microsoft.asked("client_credentials").into_iter().map(|seen| seen.host).collect()
}

#[tokio::test]
async fn a_region_is_for_the_applications_own_tokens() {
    let stage = Stage::empty().await;
    stage.add(in_region("westus2")).await;
    stage.sign_in("work").await.expect("signed in");
    stage.expire();
    stage.token("work", "User.Read").await.expect("a token");
    stage.ask(own("https://graph.microsoft.com/.default")).await.expect("a token");
    assert!(is_cached(&stage.ask(own("https://graph.microsoft.com/.default")).await.expect("a token")));
    assert_eq!(hosts(&stage), [REGIONAL]);
    for grant_type in ["device_code", "refresh_token"] {
        let asked = stage.microsoft.asked(grant_type);
        assert!(!asked.is_empty() && asked.iter().all(|seen| seen.host == CENTRAL), "{grant_type}: {asked:?}");
    }
    let entries = stage.client.cache_entries(None).await.expect("a list");
    assert!(entries.iter().all(|entry| entry.environment == CENTRAL), "{entries:?}");
}

#[tokio::test]
async fn the_region_is_looked_for_once_and_never_for_long() {
    let stage = Stage::empty().await;
    stage.add(in_region("auto")).await;
    // The machine does not answer.
    let asking = tokio::spawn({
        let client = stage.client.clone();
        async move { client.token(&own("https://graph.microsoft.com/.default")).await }
    });
    let waited = stage.poll().await;
    assert!(waited <= Duration::from_secs(2), "{waited:?}");
    within(asking).await.expect("no panic").expect("a token of the central endpoint");
    stage.ask(own("https://vault.azure.net/.default")).await.expect("a token");
    let looked = || stage.microsoft.visited("/metadata/instance/compute");
    assert_eq!((hosts(&stage), looked().len()), (vec![CENTRAL.to_owned(); 2], 1), "it is not looked for again");
    assert_eq!(looked()[0].headers.get("metadata").map(String::as_str), Some("true"));
    // An hour later it does, with a word that is none, and then with its region, which is kept.
    for location in [json!("evil.example/"), json!("westus2")] {
        stage.expire();
        stage.microsoft.locate(json!({ "location": location }));
        stage.ask(own("https://graph.microsoft.com/.default")).await.expect("a token");
    }
    stage.expire();
    stage.ask(own("https://graph.microsoft.com/.default")).await.expect("a token");
    assert_eq!(hosts(&stage)[2..], [CENTRAL, REGIONAL, REGIONAL]);
    assert_eq!(looked().len(), 3);
}
