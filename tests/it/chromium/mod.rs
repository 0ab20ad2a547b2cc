//! The browser sign-in as a person sees it: headless Chromium through the login and consent pages of `oidc-provider` to our own
//! last page, on a desk and on a phone, light and dark. Pictures of each are in `target/screenshots`: look at them after a change.

mod pages;
mod policy;

use fantoccini::Locator;
use token_broker_client::{
    ClientError, SignIn,
    calls::{SignInEvent, SignInRequest},
};
use token_broker_proto::Account;
use token_broker_tests::{
    daemon::{Options, TestDaemon, application, name},
    peers::{
        Chromium, OidcProvider, chromium,
        chromium::Screen,
        oidc_provider::{self, NATIVE_APP},
    },
    requirements::require,
    within,
};
use url::Url;

const DESK: (u32, u32) = (1000, 700);
const PHONE: (u32, u32) = (390, 700);

/// A provider, a daemon with `mail` registered there, and a browser.
struct Stage {
    _provider: OidcProvider,
    daemon: TestDaemon,
    browser: Chromium,
}

impl Stage {
    async fn set() -> Option<Self> {
        require(chromium::present())?;
        require(oidc_provider::present())?;
        let provider = OidcProvider::start(oidc_provider::Options::default()).await;
        let daemon = TestDaemon::start(Options::default()).await;
        let mail = application("mail", provider.issuer(), (NATIVE_APP, None), "openid profile email offline_access");
        daemon.client().add_application(&mail).await.expect("registered");
        Some(Self { _provider: provider, daemon, browser: Chromium::start().await })
    }

    /// Begins a sign-in; the address to open.
    async fn begin(&self) -> (SignIn, Url) {
        let mut events = self.daemon.client().sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
        let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
        (events, url.expose().parse().expect("a URL"))
    }

    /// Types name and password, and lets `mail` in.
    async fn sign_in(&self, url: &Url, user: &str) {
        let page = &self.browser.page;
        page.goto(url.as_str()).await.expect("the provider's page");
        self.fill_in("login", user).await;
        self.fill_in("password", "password").await;
        self.press("button[type=submit]").await;
        // The consent page: the same form without a name to type.
        page.wait().for_element(Locator::Css("form input[value=consent]")).await.expect("the consent page");
        self.press("button[type=submit]").await;
        page.wait().for_element(Locator::Css("main h1")).await.expect("our page");
    }

    async fn fill_in(&self, field: &str, text: &str) {
        let field = format!("input[name={field}]");
        let field = self.browser.page.wait().for_element(Locator::Css(&field)).await.expect("the field");
        field.send_keys(text).await.expect("text can be typed");
    }

    async fn press(&self, selector: &str) {
        let button = self.browser.page.wait().for_element(Locator::Css(selector)).await.expect("the button");
        button.click().await.expect("it can be pressed");
    }

    /// What the page says.
    async fn text(&self, selector: &str) -> String {
        let element = self.browser.page.wait().for_element(Locator::Css(selector)).await.expect("the element");
        element.text().await.expect("its text")
    }

    /// Pictures of the page as it is: on a desk and a phone, light and dark.
    async fn picture(&self, name: &str) {
        for (device, size) in [("desk", DESK), ("phone", PHONE)] {
            for (colours, dark) in [("light", false), ("dark", true)] {
                self.browser.set_up(Screen { size, dark }).await;
                self.browser.screenshot(&format!("{name}-{device}-{colours}")).await;
            }
        }
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
