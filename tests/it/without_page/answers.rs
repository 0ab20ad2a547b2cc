//! Nonsense from user realm discovery and from federation servers: each is named, nothing is stored, the password is told to nobody,
//! and the same user signs in as soon as the answers are good again.

use serde_json::{Value, json};
use token_broker_client::Reason;
use token_broker_tests::entra::{PASSWORD, Place};

use super::{Stage, WRONG};
use crate::bad_input::refused;

const FRED: &str = "fred@federated.example";
const DTD: &str = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";

/// What each place answers, and what is said of it.
fn nonsense() -> Vec<(Place, Value, Reason, &'static str)> {
    let xml = |body: &str| json!({"body": body, "type": "application/soap+xml"});
    let with = |name: &str, value: &str| json!({"with": {name: value}});
    let large = format!("<a>{}</a>", "x".repeat(10 << 20));
    let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
    let page = json!({"body": "<html><p>Sign in<br></html>"});
    let busy = json!({"body": "<h1>503</h1>", "status": 503});
    let refused_by = Reason::AuthorityRefused;
    vec![
        (Place::UserRealm, page.clone(), refused_by, "user realm discovery: the provider answered 200 with text/html"),
        (
            Place::UserRealm,
            busy.clone(),
            Reason::AuthorityUnavailable,
            "user realm discovery: the provider answered 503",
        ),
        (
            Place::UserRealm,
            with("federation_metadata_url", "http://sts.federated.example/adfs/services/trust/mex"),
            refused_by,
            "federation_metadata_url of the user's federation server is no https URL, and no password is sent there",
        ),
        (Place::Mex, page.clone(), refused_by, "sts.federated.example answered with text/html instead of XML"),
        (Place::Mex, xml(DTD), refused_by, "answered with XML that has a document type (DTD), which is never read"),
        (Place::Mex, xml(&large), refused_by, "answered with XML of more than 262144 bytes"),
        (Place::Mex, xml(&deep), refused_by, "answered with XML of more than 64 levels"),
        (Place::Mex, xml("<a/>"), Reason::Unsupported, "offers no https endpoint for user name and password"),
        (
            Place::Mex,
            busy.clone(),
            Reason::AuthorityUnavailable,
            "the federation server sts.federated.example answered 503",
        ),
        (Place::Trust, page, refused_by, "answered with text/html instead of XML"),
        (Place::Trust, xml(DTD), refused_by, "answered with XML that has a document type (DTD), which is never read"),
        (Place::Trust, xml(&large), refused_by, "answered with XML of more than 262144 bytes"),
        (Place::Trust, busy, Reason::AuthorityUnavailable, "the federation server sts.federated.example answered 503"),
    ]
}

#[tokio::test]
async fn every_bad_answer_is_named_and_costs_nothing() {
    let stage = Stage::set().await;
    for (place, plan, reason, words) in nonsense() {
        stage.entra.plan(place, plan);
        let failure = refused(stage.by_password(FRED, PASSWORD).await);
        assert!(failure.reason == reason && failure.message.contains(words), "{words}: {failure:?}");
        assert!(!format!("{failure:?}").contains("rse>"), "{failure:?}");
        stage.has_nothing().await;
    }
    let account = stage.by_password(FRED, PASSWORD).await.expect("the answers are good again");
    assert_eq!(account.username, FRED);
}

#[tokio::test]
async fn a_fault_gives_its_reason_but_no_password() {
    let stage = Stage::set().await;
    let failure = refused(stage.by_password(FRED, WRONG).await);
    let provider = failure.provider.as_ref().expect("the words of the federation server");
    assert_eq!((failure.reason, provider.error.as_str()), (Reason::AuthorityRefused, "FailedAuthentication"));
    let said = provider.description.as_deref().unwrap_or_default();
    assert!(said.starts_with("The federation server sts.federated.example says: ID3242: The security token"), "{said}");
    assert!(!format!("{failure:?}").contains(WRONG), "{failure:?}");

    stage.entra.plan(Place::Trust, json!({"fault": format!("{WRONG} is no password of fred")}));
    let failure = refused(stage.by_password(FRED, WRONG).await);
    assert!(!format!("{failure:?}").contains(WRONG), "{failure:?}");
    stage.has_nothing().await;
}

#[tokio::test]
async fn a_password_that_xml_cannot_carry_is_not_sent() {
    let stage = Stage::set().await;
    let failure = refused(stage.by_password(FRED, "M4rker\u{1}").await);
    let words = "cannot be sent the password: it has a control character, which XML cannot carry";
    assert!(failure.reason == Reason::Unsupported && failure.message.contains(words), "{failure:?}");
    assert!(!stage.entra.requests().iter().any(|request| request.place == Place::Trust), "nothing was sent");
    stage.has_nothing().await;
}
