//! A person at a browser: types, presses and reads, and knows the login and consent pages of `oidc-provider`.

use fantoccini::{Locator, elements::Element};
use token_broker_tests::peers::{Chromium, chromium::Screen};

const DESK: (u32, u32) = (1000, 700);
const PHONE: (u32, u32) = (390, 700);

pub(super) struct Person {
    pub(super) browser: Chromium,
}

impl Person {
    pub(super) async fn new() -> Self {
        Self { browser: Chromium::start().await }
    }

    pub(super) async fn open(&self, url: &str) {
        self.browser.page.goto(url).await.expect("a page");
    }

    /// Types name and password on the provider's page.
    pub(super) async fn log_in(&self, user: &str) {
        self.fill_in("login", user).await;
        self.fill_in("password", "password").await;
        self.press("button[type=submit]").await;
    }

    /// Lets the application in, on the page that asks for it: the same form without a name to type.
    pub(super) async fn consent(&self) {
        self.see("form input[value=consent]").await;
        self.press("button[type=submit]").await;
    }

    /// Leaves the provider's page by the link that declines.
    pub(super) async fn decline(&self) {
        self.press("a[href*=abort]").await;
    }

    async fn fill_in(&self, field: &str, text: &str) {
        let field = self.find(&format!("input[name={field}]")).await;
        field.send_keys(text).await.expect("text can be typed");
    }

    pub(super) async fn press(&self, selector: &str) {
        self.find(selector).await.click().await.expect("it can be pressed");
    }

    /// Waits until it is there.
    pub(super) async fn see(&self, selector: &str) {
        self.find(selector).await;
    }

    /// What the page says.
    pub(super) async fn text(&self, selector: &str) -> String {
        self.find(selector).await.text().await.expect("its text")
    }

    async fn find(&self, selector: &str) -> Element {
        match self.browser.page.wait().for_element(Locator::Css(selector)).await {
            Ok(found) => found,
            Err(error) => {
                let page = self.browser.page.source().await.unwrap_or_default();
                panic!("there is no {selector}: {error}; the page is\n{page}")
            }
        }
    }

    /// Pictures of the page as it is: on a desk and a phone, light and dark.
    pub(super) async fn picture(&self, name: &str) {
        for (device, size) in [("desk", DESK), ("phone", PHONE)] {
            for (colours, dark) in [("light", false), ("dark", true)] {
                self.browser.set_up(Screen { size, dark }).await;
                self.browser.screenshot(&format!("{name}-{device}-{colours}")).await;
            }
        }
    }
}
