//! The six samples for Microsoft Graph, each as its users start it and visited by two people at once: connect, consent, profile,
//! messages after more consent, declined, signed out. The provider is `oidc-provider`, whose access tokens the stand-in for Graph
//! checks. Pictures of the first and the last sample's pages are in `target/screenshots`.

use std::sync::Arc;

use token_broker::ports::clock::SystemClock;
use token_broker_client::calls::SignOutRequest;
use token_broker_tests::{
    daemon::{Options, TestDaemon, application, name},
    folder,
    graph::{AUDIENCE, Graph},
    peers::{
        OidcProvider, chromium,
        oidc_provider::{self, CONFIDENTIAL_APP},
    },
    process::{SampleProcess, program},
    requirements::require,
};
use tokio::process::Command;

use super::person::Person;
use crate::python::python;

/// Those in Python, with what they call themselves.
const PYTHON: [(&str, &str); 5] = [
    ("sample_direct", "Flask"),
    ("sample_direct_bottle", "Bottle"),
    ("sample_flask", "Flask extension"),
    ("sample_requests", "requests"),
    ("sample_graph_session", "GraphSession"),
];

/// Provider, Microsoft Graph, and a daemon with the samples' application.
struct Stage {
    _provider: OidcProvider,
    graph: Graph,
    daemon: TestDaemon,
}

impl Stage {
    async fn set() -> Self {
        let resource = Some((AUDIENCE, "User.Read Mail.Read"));
        let provider =
            OidcProvider::start(oidc_provider::Options { resource, ..oidc_provider::Options::default() }).await;
        let graph = Graph::start(provider.issuer(), Arc::new(SystemClock));
        let daemon = TestDaemon::start(Options::default()).await;
        let client = (CONFIDENTIAL_APP.0, Some(CONFIDENTIAL_APP.1));
        let mut sample = application("graph-sample", provider.issuer(), client, "profile User.Read");
        sample.redirect_uri = Some("http://127.0.0.1/login/authorized".to_owned());
        daemon.client().add_application(&sample).await.expect("registered");
        Self { _provider: provider, graph, daemon }
    }

    async fn start(&self, command: Command) -> SampleProcess {
        SampleProcess::start(command, &self.daemon.socket(), self.graph.base()).await
    }

    /// Who is signed in, by name.
    async fn signed_in(&self) -> Vec<String> {
        let accounts = self.daemon.client().accounts(None).await.expect("accounts");
        accounts.iter().map(|account| account.label().to_owned()).collect()
    }

    /// Two people visit a sample; `pictures` names those that are taken on the way.
    async fn visit(&self, sample: &str, at: &SampleProcess, [ada, bob]: [&Person; 2], pictures: Option<&str>) {
        for person in [ada, bob] {
            person.open(at.origin()).await;
            assert_eq!(person.text("main h1").await, format!("{sample} sample"));
        }
        picture(ada, pictures, "home").await;
        // Both are away at once.
        for person in [ada, bob] {
            person.press("a.button").await;
            person.see("input[name=login]").await;
        }
        for (person, user, other) in [(ada, "ada", "bob"), (bob, "bob", "ada")] {
            person.log_in(user).await;
            person.consent().await;
            person.see("pre").await;
            assert_eq!(person.text("main h1").await, format!("Authenticated with {sample}"));
            assert_eq!(person.text("main h2").await, format!("{}/me", self.graph.base()));
            let profile = person.text("pre").await;
            assert!(
                profile.contains(&format!("Test user {user}")) && !profile.contains(&format!("Test user {other}")),
                "{profile}"
            );
        }
        picture(ada, pictures, "profile").await;
        Self::messages(ada, bob, pictures).await;
        ada.press("header button").await;
        assert!(ada.text("main a.button").await.contains("Connect"));
        assert_eq!(self.signed_in().await, ["bob"], "she signed out, he did not");
        ada.open(&format!("{}/graphcall", at.origin())).await;
        ada.see("form input[value=consent]").await;
        bob.open(&format!("{}/graphcall", at.origin())).await;
        assert!(bob.text("pre").await.contains("Test user bob"));
    }

    /// She lets it read her messages, he does not and stays signed in.
    async fn messages(ada: &Person, bob: &Person, pictures: Option<&str>) {
        for person in [ada, bob] {
            person.press("a[href='/messages']").await;
            person.see("form input[value=consent]").await;
        }
        ada.consent().await;
        let shown = ada.text("main ul").await;
        for subject in ["Minutes of Monday", "Lunch on Thursday?", "Welcome"] {
            assert!(shown.contains(subject), "{shown}");
        }
        picture(ada, pictures, "messages").await;
        bob.decline().await;
        bob.see("a[href='/']").await;
        assert_eq!(bob.text("main h1").await, "You declined");
        picture(bob, pictures, "declined").await;
    }

    /// Nobody is signed in, neither here nor at the provider.
    async fn clear(&self, people: [&Person; 2]) {
        for user in self.signed_in().await {
            let (application, account) = (name("graph-sample"), Some(user));
            let request = SignOutRequest { application, account, revoke: false, correlation_id: None };
            self.daemon.client().sign_out(&request).await.expect("signed out");
        }
        for person in people {
            // The cookies of a host are those of all its ports.
            person.browser.page.delete_all_cookies().await.expect("the cookies are gone");
        }
    }
}

async fn picture(person: &Person, sample: Option<&str>, page: &str) {
    if let Some(sample) = sample {
        person.picture(&format!("{sample}-{page}")).await;
    }
}

#[tokio::test]
async fn two_people_visit_each_sample() {
    let Some(()) = require(chromium::present()) else { return };
    let Some(()) = require(oidc_provider::present()) else { return };
    let Some(python) = require(python()) else { return };
    let stage = Stage::set().await;
    let (ada, bob) = (Person::new().await, Person::new().await);
    let of_python = PYTHON.map(|(file, name)| {
        let mut command = Command::new(&python);
        command.arg(folder("../client/python/samples").join(format!("{file}.py")));
        command.env("PYTHONPATH", folder("../client/python/src")).env("PYTHONDONTWRITEBYTECODE", "1");
        (command, name)
    });
    let of_rust = (Command::new(program("examples/graph_sample")), "Rust");
    for (command, name) in of_python.into_iter().chain([of_rust]) {
        let sample = stage.start(command).await;
        let pictures = match name {
            "Flask" => Some("sample"),
            "Rust" => Some("sample-rust"),
            _ => None,
        };
        stage.visit(name, &sample, [&ada, &bob], pictures).await;
        stage.clear([&ada, &bob]).await;
    }
    for person in [ada, bob] {
        person.browser.close().await;
    }
}
