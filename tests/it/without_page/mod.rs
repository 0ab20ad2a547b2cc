//! Sign-in with nobody in front of a page, where MSAL is no judge: answers that are none, what people are told, what is stored, and
//! a generic provider. The flows themselves are compared with MSAL's in tests/it/msal. Owns the stage: a daemon at the platform.

mod answers;
mod sentences;

use std::sync::Arc;

use token_broker_client::{
    Account, Client, ClientError, Secret,
    calls::{
        ExistingApplication, FederatedUser, NewApplication, NewCredential, SignInEvent, SignInMethod, SignInRequest,
    },
    oauth::{Authority, ClientId},
};
use token_broker_tests::{
    clock::ManualClock,
    daemon::{Options, TestDaemon, name, scopes},
    entra::{Application, Entra},
    within,
};

/// A wrong password that stands out.
const WRONG: &str = "M4rker-wr0ng";

/// The platform, and a daemon that reaches it, with the applications `desk` (public) and `agent` (confidential).
struct Stage {
    entra: Entra,
    daemon: TestDaemon,
    client: Client,
}

impl Stage {
    async fn set() -> Self {
        let clock = ManualClock::at(1_800_000_000);
        let entra = Entra::start(&clock);
        for (client_id, secret) in [("desk-client", None), ("agent-client", Some("s3cr3t".to_owned()))] {
            entra.register(Application { client_id: client_id.to_owned(), secret, ..Application::default() });
        }
        let options = Options { clock: Arc::new(clock), ..Options::default() };
        let daemon = TestDaemon::start_behind(options, Some(entra.http())).await;
        let client = daemon.client();
        let agent = NewCredential::Secret(Secret::new("s3cr3t"));
        for (app, id, credential) in [("desk", "desk-client", NewCredential::None), ("agent", "agent-client", agent)] {
            client.add_application(&application(app, id, credential)).await.expect("registered");
        }
        Self { entra, daemon, client }
    }

    async fn by_password(&self, username: &str, password: &str) -> Result<Account, ClientError> {
        self.sign_in("desk", SignInMethod::password(username, Secret::new(password)).expect("a password")).await
    }

    async fn sign_in(&self, application: &str, method: SignInMethod) -> Result<Account, ClientError> {
        sign_in(&self.client, application, method).await
    }

    /// Nobody is signed in, and nothing is in the cache.
    async fn has_nothing(&self) {
        let accounts = within(self.client.accounts(None)).await.expect("accounts");
        let entries = within(self.client.cache_entries(None)).await.expect("entries");
        assert!(accounts.is_empty() && entries.is_empty(), "{accounts:?} {entries:?}");
    }
}

/// Signs in by a method that has no other event than its end.
async fn sign_in(client: &Client, application: &str, method: SignInMethod) -> Result<Account, ClientError> {
    let request = SignInRequest { method, ..SignInRequest::new(name(application)) };
    let mut events = client.sign_in(&request).await?;
    match within(events.next()).await? {
        Some(SignInEvent::SignedIn(account)) => Ok(account),
        other => panic!("the account is all there is: {other:?}"),
    }
}

fn application(text: &str, client_id: &str, credential: NewCredential) -> NewApplication {
    NewApplication {
        name: name(text),
        client_id: ClientId::parse(client_id).expect("a client id"),
        authority: Authority::from_tenant("contoso.example").expect("an authority"),
        scopes: scopes("User.Read"),
        redirect_uri: None,
        client_capabilities: Vec::new(),
        keep_alive: None,
        options: token_broker_client::calls::ApplicationOptions::default(),
        credential,
        offline: false,
        existing: ExistingApplication::Refuse,
    }
}

fn credential_of(username: &str, assertion: &str) -> SignInMethod {
    let user = FederatedUser::parse(username, "").expect("a user");
    SignInMethod::user_federated_identity_credential(user, Secret::new(assertion)).expect("a credential")
}
