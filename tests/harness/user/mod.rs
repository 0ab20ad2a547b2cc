//! A scripted user: opens a page, follows redirects with a cookie jar, and fills in what sign-in pages ask for (login, consent,
//! device code), until a page comes that asks for nothing more. A redirect to a loopback address is followed like any other,
//! so that whoever listens there gets its answer.

mod cookies;
mod page;

use std::sync::Mutex;

pub use cookies::CookieJar;
pub use page::Page;
use page::{Field, Form};
use reqwest::{Client, RequestBuilder};
use url::{Url, form_urlencoded};

use crate::http::{self, Reply};

/// A person with a browser.
#[derive(Debug)]
pub struct User {
    name: String,
    password: String,
    client: Client,
    cookies: Mutex<CookieJar>,
}

/// What the user makes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Allow,
    Decline,
}

/// More steps than any sign-in has.
const TOO_MANY_STEPS: usize = 25;

impl User {
    /// A user with this login; the password is "password".
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::with_password(name, "password")
    }

    /// A user with this login and password.
    #[must_use]
    pub fn with_password(name: &str, password: &str) -> Self {
        let (name, password) = (name.to_owned(), password.to_owned());
        Self { name, password, client: http::client(), cookies: Mutex::default() }
    }

    /// The same user with another HTTP client, such as one behind a proxy.
    #[must_use]
    pub fn with_client(self, client: Client) -> Self {
        Self { client, ..self }
    }

    /// Opens an authorization URL, signs in, consents, and ends on the page that the redirect address shows.
    pub async fn sign_in(&self, url: &str) -> Page {
        self.walk(url, None, Decision::Allow, &|_| false).await.0
    }

    /// The same, declining at the first chance.
    pub async fn decline(&self, url: &str) -> Page {
        self.walk(url, None, Decision::Decline, &|_| false).await.0
    }

    /// Signs in up to the redirect whose address starts like this, and returns that address without opening it.
    pub async fn sign_in_until(&self, url: &str, start: &str) -> Url {
        self.walk(url, None, Decision::Allow, &|url| url.as_str().starts_with(start)).await.0.url
    }

    /// The same, and returns what would be brought there: the query of that address, or the form that would be posted.
    pub async fn brought_to(&self, url: &str, start: &str) -> Vec<(String, String)> {
        let page = self.walk(url, None, Decision::Allow, &|url| url.as_str().starts_with(start)).await.0;
        let posted = form_urlencoded::parse(page.body.as_bytes()).into_owned();
        page.url.query_pairs().into_owned().chain(posted).collect()
    }

    /// Declines up to the redirect whose address starts like this, and returns that address without opening it.
    pub async fn decline_until(&self, url: &str, start: &str) -> Url {
        self.walk(url, None, Decision::Decline, &|url| url.as_str().starts_with(start)).await.0.url
    }

    /// Opens the verification page of a device sign-in, enters the code, confirms, signs in and consents.
    pub async fn enter_device_code(&self, verification_uri: &str, user_code: &str) -> Page {
        self.walk(verification_uri, Some(user_code), Decision::Allow, &|_| false).await.0
    }

    /// The same, declining once the code has been entered.
    pub async fn decline_device_code(&self, verification_uri: &str, user_code: &str) -> Page {
        self.walk(verification_uri, Some(user_code), Decision::Decline, &|_| false).await.0
    }

    /// Sends a request with the user's cookies and keeps those that come back.
    pub async fn send(&self, url: &Url, request: RequestBuilder) -> Reply {
        let cookies = self.cookies.lock().unwrap().header(url);
        let request = if cookies.is_empty() { request } else { request.header("cookie", cookies) };
        let reply = http::send(request).await;
        self.cookies.lock().unwrap().store(url, &reply.headers);
        reply
    }

    /// One step after the other until `stop` says so (the page then holds the form that was to be posted), or a page asks for
    /// nothing.
    async fn walk(
        &self,
        url: &str,
        code: Option<&str>,
        decision: Decision,
        stop: &dyn Fn(&Url) -> bool,
    ) -> (Page, usize) {
        let mut next = Step::open(url.parse().expect("a URL to open"));
        let mut code_entered = false;
        for step in 0..TOO_MANY_STEPS {
            if stop(&next.url) {
                let body = next.posted();
                return (Page { url: next.url, status: 0, body }, step);
            }
            let reply = self.send(&next.url, next.request(&self.client)).await;
            if let Some(location) = reply.location() {
                next = Step::open(location);
                continue;
            }
            let page = Page { url: reply.url, status: reply.status, body: reply.body };
            let Some(form) = page.form() else { return (page, step) };
            let asks_code = form.fields.iter().any(|field| field.name == "user_code" && field.kind != "hidden");
            if asks_code && code_entered {
                return (page, step); // the server shows its entry form again, below a message
            }
            code_entered |= asks_code;
            next = self.answer(&page, &form, code.unwrap_or_default(), decision);
        }
        panic!("{} did not come to an end at {url}", self.name);
    }

    /// Fills in a form and presses the button that fits the decision, or follows the link that declines.
    fn answer(&self, page: &Page, form: &Form, code: &str, decision: Decision) -> Step {
        let declines = |field: &&Field| field.name == "abort" || field.value == "deny";
        let pressed = match decision {
            Decision::Allow => form.buttons.iter().find(|button| !declines(button)),
            Decision::Decline => form.buttons.iter().find(declines).or(form.buttons.first()),
        };
        if let (Decision::Decline, Some(link)) = (decision, page.link("abort")) {
            return Step::open(link);
        }
        let pressed = pressed.filter(|button| !button.name.is_empty()).cloned();
        let typed = form.fields.iter().filter(|field| !field.name.is_empty() && field.kind != "submit").map(|field| {
            let value = match field.name.as_str() {
                "login" | "username" => self.name.clone(),
                "password" => self.password.clone(),
                "user_code" if field.kind != "hidden" => code.to_owned(),
                _ => field.value.clone(),
            };
            (field.name.clone(), value)
        });
        let fields = typed.chain(pressed.map(|button| (button.name, button.value))).collect();
        let url = page.url.join(&form.action).expect("the form's action is a URL");
        if form.by_get { Step::query(url, fields) } else { Step { url, form: Some(fields) } }
    }
}

/// The next request of the user's browser.
struct Step {
    url: Url,
    form: Option<Vec<(String, String)>>,
}

impl Step {
    fn open(url: Url) -> Self {
        Self { url, form: None }
    }

    fn query(mut url: Url, fields: Vec<(String, String)>) -> Self {
        url.query_pairs_mut().clear().extend_pairs(fields);
        Self::open(url)
    }

    /// Its form, encoded; empty without one.
    fn posted(&self) -> String {
        let fields = self.form.iter().flatten();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields.map(|(name, value)| (name, value))).finish()
    }

    fn request(&self, client: &Client) -> RequestBuilder {
        let Some(fields) = &self.form else { return client.get(self.url.clone()) };
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        http::form(client.post(self.url.clone()), &fields)
    }
}
