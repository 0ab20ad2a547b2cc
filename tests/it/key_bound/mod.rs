//! Tokens that are bound to a key, at the double of Microsoft's identity platform: SSH certificates over a caller's key, HTTP requests
//! signed with the daemon's, and that none of them is ever served for another. Owns the stage: `ada` signed in to `work`.

mod bad_input;
mod python_client;
mod secrets;
mod signed_http_request;
mod ssh_certificate;
mod traps;

use std::sync::Arc;

use token_broker_client::{
    Client, ClientError, Failure,
    calls::{
        HttpRequestToSign, NewApplication, SignHttpRequest, SignedHttpRequest, Subject, TokenAnswer, TokenRequest,
        TokenScheme, TokenSource,
    },
    oauth::{Authority, PublicKey},
};
use token_broker_tests::{
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name, sign_in_by_browser},
    entra::{Application, CONTOSO, Entra, Recorded},
    folder,
    user::User,
    within,
};

/// What is asked for; the tokens of the sign-in have it as well.
const SCOPE: &str = "https://pas.windows.net/CheckMyAccess/Linux/.default";
/// The public client, and the one with a secret.
const CLIENTS: [(&str, Option<&str>); 2] = [
    ("c1d00000-0000-4000-8000-000000000001", None),
    ("c1d00000-0000-4000-8000-000000000002", Some("s3cret of the tests")),
];

/// A platform and a daemon on one clock; `ada` is signed in to `work`, `job` has a secret.
struct Stage {
    clock: ManualClock,
    entra: Entra,
    daemon: TestDaemon,
}

impl Stage {
    async fn set() -> Self {
        let clock = ManualClock::at(1_800_000_000);
        let entra = Entra::start(&clock);
        for (client_id, secret) in CLIENTS {
            entra.register(registered(client_id, secret));
        }
        let options = Options { clock: Arc::new(clock.clone()), ..Options::default() };
        let daemon = TestDaemon::start_behind(options, Some(entra.http())).await;
        let client = daemon.client();
        for (text, with) in ["work", "job"].into_iter().zip(CLIENTS) {
            client.add_application(&of_entra(text, with)).await.expect("registered");
        }
        let ada = User::named("ada").with_client(entra.browser());
        sign_in_by_browser(&client, "work", &ada).await.expect("signed in");
        Self { clock, entra, daemon }
    }

    fn client(&self) -> Client {
        self.daemon.client()
    }

    async fn token(&self, scheme: TokenScheme) -> TokenAnswer {
        self.ask(TokenRequest { scheme, ..work() }).await.expect("a token")
    }

    async fn ask(&self, request: TokenRequest) -> Result<TokenAnswer, ClientError> {
        within(self.client().token(&request)).await
    }

    async fn sign(&self, url: &str) -> SignedHttpRequest {
        let http = HttpRequestToSign::parse("GET", url).expect("a request");
        self.try_sign(SignHttpRequest { token: work(), http }).await.expect("signed")
    }

    async fn try_sign(&self, request: SignHttpRequest) -> Result<SignedHttpRequest, ClientError> {
        within(self.client().sign_http_request(&request)).await
    }

    /// The refreshes that the platform was asked for.
    fn refreshes(&self) -> Vec<Recorded> {
        self.entra.requests().into_iter().filter(|request| request.kind() == "token:refresh_token").collect()
    }
}

fn registered(client_id: &str, secret: Option<&str>) -> Application {
    let secret = secret.map(str::to_owned);
    Application { client_id: client_id.to_owned(), secret, ..Application::default() }
}

fn of_entra(text: &str, with: (&str, Option<&str>)) -> NewApplication {
    let authority = Authority::from_tenant(CONTOSO).expect("a tenant");
    NewApplication { authority, ..application(text, "https://id.example", with, SCOPE) }
}

fn work() -> TokenRequest {
    TokenRequest::new(name("work"))
}

fn job() -> TokenRequest {
    TokenRequest { subject: Subject::Application, ..TokenRequest::new(name("job")) }
}

/// An RSA key of the user; there are two.
fn key(number: u8) -> PublicKey {
    let path = folder(&format!("peers/msal/id_rsa_{number}.pub"));
    PublicKey::parse(&std::fs::read_to_string(path).unwrap()).expect("a public key")
}

fn is_cached(answer: &TokenAnswer) -> bool {
    answer.source == TokenSource::Cache
}

/// The failure that the daemon answered with.
fn failure<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Failure {
    match answer {
        Err(ClientError::Broker(failure)) => *failure,
        other => panic!("no failure of the daemon: {other:?}"),
    }
}
