//! The whole job on an embedded provider: no account, no network. Starts an authorization server and a real daemon in this
//! process, plays the user and the program, and tells what happens. The clock is the demo's own, so that an hour passes at once.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "it talks, and stops where something goes wrong")]

use std::{sync::Arc, time::Duration};

use token_broker_client::calls::{Revocation, SignInEvent, SignInRequest, SignOutRequest, TokenRequest, TokenSource};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Options as Server},
    clock::ManualClock,
    daemon::{Options, TestDaemon, application, name},
    user::User,
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let clock = ManualClock::now_and_still();
    let server = AuthorizationServer::start(Server { clock: Arc::new(clock.clone()), ..Server::default() });
    let daemon = TestDaemon::start(Options { clock: Arc::new(clock.clone()), ..Options::default() }).await;
    let mut demo = Demo { clock, server, daemon };
    demo.register().await;
    demo.sign_in().await;
    demo.hit().await;
    demo.refresh().await;
    demo.restart().await;
    demo.inspect().await;
    demo.sign_out().await;
    println!("\nThat is the whole job. README.md tells how to do it with your own provider.");
}

struct Demo {
    clock: ManualClock,
    server: AuthorizationServer,
    daemon: TestDaemon,
}

impl Demo {
    async fn register(&self) {
        step(1, "Register an application (an OAuth client) with the broker");
        let new = application("mail", self.server.issuer(), ("native-app", None), "openid profile api:read");
        let (registered, _) = self.daemon.client().add_application(&new).await.expect("registered");
        tell(&format!("broker-cli app add mail --issuer {} --client-id native-app", registered.authority));
        tell("the provider's metadata was fetched and checked; the registration is sealed in the store");
    }

    async fn sign_in(&self) {
        step(2, "Sign in by browser (authorization code with PKCE, loopback redirect)");
        let client = self.daemon.client();
        let mut events = client.sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
        let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
        tell("broker-cli login mail    -> the daemon listens, the client opens the browser");
        let user = User::named("ada");
        let (page, done) = tokio::join!(user.sign_in(url.expose()), events.next());
        let Ok(Some(SignInEvent::SignedIn(account))) = done else { panic!("the account comes last: {done:?}") };
        assert!(page.body.contains("You are signed in"), "{}", page.body);
        tell(&format!("signed in as {}; the browser shows \"You are signed in\"", account.label()));
    }

    async fn hit(&self) {
        step(3, "A program asks for a token");
        let before = self.server.requests("token");
        let answer = self.daemon.client().token(&TokenRequest::new(name("mail"))).await.expect("a token");
        assert_eq!((answer.source, self.server.requests("token")), (TokenSource::Cache, before));
        tell("broker-cli token mail    -> from the cache, the provider was not asked");
    }

    async fn refresh(&self) {
        step(4, "Two hours pass; sixteen programs ask at once");
        self.clock.advance(Duration::from_secs(7200));
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let client = self.daemon.client();
            callers.spawn(async move { client.token(&TokenRequest::new(name("mail"))).await.expect("a token") });
        }
        let answers = callers.join_all().await;
        let refreshes = self.server.requests("token:refresh_token");
        assert_eq!(refreshes, 1);
        tell(&format!("{} answers, {refreshes} refresh at the provider", answers.len()));
        tell("the new refresh token was on disk before anybody saw the token that came with it");
    }

    async fn restart(&mut self) {
        step(5, "The daemon restarts");
        self.daemon.restart().await;
        let answer = self.daemon.client().token(&TokenRequest::new(name("mail"))).await.expect("a token");
        assert_eq!(answer.source, TokenSource::Cache);
        tell("the same token comes from the encrypted cache");
    }

    async fn inspect(&self) {
        step(6, "Look into the cache");
        for entry in self.daemon.client().cache_entries(None).await.expect("a list") {
            let kind = entry.id.kind.as_str();
            let (id, scopes) = (entry.id.to_string(), entry.scopes.join(" "));
            tell(&format!("{id:<6} {kind:<14} {scopes:<40} fingerprint {}", entry.fingerprint));
        }
        tell("tokens are never shown whole, and no call gives a refresh token out");
    }

    async fn sign_out(&self) {
        step(7, "Sign out, and revoke at the provider");
        let request = SignOutRequest { application: name("mail"), account: None, revoke: true, correlation_id: None };
        let answer = self.daemon.client().sign_out(&request).await.expect("signed out");
        assert_eq!(answer.revocation, Revocation::Accepted);
        let error = self.daemon.client().token(&TokenRequest::new(name("mail"))).await.expect_err("signed out");
        tell(&format!("a program that asks now is told: {error}"));
    }
}

fn step(number: u8, title: &str) {
    println!("\n{number}. {title}");
}

fn tell(what: &str) {
    println!("   {what}");
}
