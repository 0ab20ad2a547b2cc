//! The browser sign-in as a person sees it: headless Chromium through the login and consent pages of `oidc-provider` to our own
//! last page, on a desk and on a phone, light and dark. Pictures of each are in `target/screenshots`: look at them after a change.

mod pages;
mod person;
mod policy;
mod samples;

use token_broker_client::{
    ClientError, SignIn,
    calls::{SignInEvent, SignInRequest},
};
use token_broker_proto::Account;
use token_broker_tests::{
    daemon::{Options, TestDaemon, application, name},
    peers::{
        OidcProvider, chromium,
        oidc_provider::{self, NATIVE_APP},
    },
    requirements::require,
    within,
};
use url::Url;

use self::person::Person;

/// A provider, a daemon with `mail` registered there, and a person at a browser.
struct Stage {
    _provider: OidcProvider,
    daemon: TestDaemon,
    person: Person,
}

impl Stage {
    async fn set() -> Option<Self> {
        require(chromium::present())?;
        require(oidc_provider::present())?;
        let provider = OidcProvider::start(oidc_provider::Options::default()).await;
        let daemon = TestDaemon::start(Options::default()).await;
        let mail = application("mail", provider.issuer(), (NATIVE_APP, None), "openid profile email offline_access");
        daemon.client().add_application(&mail).await.expect("registered");
        Some(Self { _provider: provider, daemon, person: Person::new().await })
    }

    /// Begins a sign-in; the address to open.
    async fn begin(&self) -> (SignIn, Url) {
        let mut events = self.daemon.client().sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
        let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
        (events, url.expose().parse().expect("a URL"))
    }

    /// Types name and password, and lets `mail` in.
    async fn sign_in(&self, url: &Url, user: &str) {
        self.person.open(url.as_str()).await;
        self.person.log_in(user).await;
        self.person.consent().await;
        self.person.see("main h1").await;
    }
}

/// The end of a sign-in.
async fn outcome(events: &mut SignIn) -> Result<Account, ClientError> {
    match within(events.next()).await? {
        Some(SignInEvent::SignedIn(account)) => Ok(account),
        other => panic!("the account comes last: {other:?}"),
    }
}

/// Where the provider sends the browser back to, and the `state` of this sign-in.
fn redirect(url: &Url) -> (Url, String) {
    let parameter = |wanted: &str| {
        let found = url.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).expect("the parameter")
    };
    (parameter("redirect_uri").parse().expect("a redirect URI"), parameter("state"))
}
