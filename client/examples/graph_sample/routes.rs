//! Which request does what: `/`, `/login`, `/login/authorized`, `/graphcall`, `/messages`, `/logout` and the style sheet. Every answer
//! carries the headers that keep a page to its user, and the session as it is then.

use std::{convert::Infallible, time::Duration};

use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use reqwest::redirect::Policy;
use token_broker_client::Client;

use crate::{
    Failed, Settings, pages,
    session::{Cookies, Session},
    visit::{self, Trouble},
};

const NEWEST: &str = "me/messages?$top=10&$select=subject,from,receivedDateTime&$orderby=receivedDateTime%20desc";
/// Nothing of a page is kept, framed or run, and no address of ours is told to another site.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// What all requests share.
pub(crate) struct Site {
    /// The door to the daemon.
    pub(crate) broker: Client,
    /// For Microsoft Graph. It follows no redirect: a token is for one address.
    pub(crate) http: reqwest::Client,
    pub(crate) settings: Settings,
    pub(crate) cookies: Cookies,
}

/// An answer before it has headers.
enum Answer {
    Page(u16, String),
    Style,
    To(String),
}

impl Site {
    pub(crate) fn new(broker: Client, settings: Settings) -> Result<Self, Failed> {
        let _ = rustls::crypto::ring::default_provider().install_default(); // an error: it was installed already
        let http = reqwest::Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(30)).build()?;
        let cookies = Cookies::new(settings.redirect_uri.starts_with("https:"))?;
        Ok(Self { broker, http, settings, cookies })
    }
}

/// Answers a request.
pub(crate) async fn answer(site: &Site, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let cookies = request.headers().get(header::COOKIE).and_then(|cookies| cookies.to_str().ok());
    let mut session = site.cookies.read(cookies.unwrap_or_default());
    let query = request.uri().query().unwrap_or_default();
    let outcome = route(site, &mut session, (request.method(), request.uri().path()), query).await;
    let answer = match outcome {
        Ok(answer) => answer,
        Err(Trouble::Away(url)) => Answer::To(url),
        Err(trouble) => {
            let (status, page) = pages::problem(&trouble);
            Answer::Page(status, page)
        }
    };
    let answered = respond(answer, site.cookies.write(&session));
    Ok(answered.unwrap_or_else(|_| Response::new(Full::from("The page cannot be shown."))))
}

async fn route(
    site: &Site,
    session: &mut Session,
    (method, path): (&Method, &str),
    query: &str,
) -> Result<Answer, Trouble> {
    let graph = &site.settings.graph;
    Ok(match (method, path) {
        (&Method::GET, "/") => Answer::Page(200, pages::homepage(session)),
        (&Method::GET, "/login") => Answer::To(visit::begin(site, session, "/graphcall").await?),
        (&Method::GET, "/login/authorized") => Answer::To(visit::complete(site, session, query).await?),
        (&Method::GET, "/graphcall") => {
            let profile = visit::read(site, session, ("/graphcall", "User.Read"), "me").await?;
            Answer::Page(200, pages::graphcall(session, &format!("{graph}/me"), &profile))
        }
        (&Method::GET, "/messages") => {
            let newest = visit::read(site, session, ("/messages", "Mail.Read"), NEWEST).await?;
            Answer::Page(200, pages::messages(session, &format!("{graph}/me/messages"), &newest))
        }
        // Another site cannot send this form along with our cookie (SameSite).
        (&Method::POST, "/logout") => {
            visit::end(site, session).await?;
            Answer::To("/".to_owned())
        }
        (&Method::GET, "/static/sample.css") => Answer::Style,
        (_, "/logout") => Answer::Page(405, pages::told("Method Not Allowed", "")),
        _ => Answer::Page(404, pages::told("Not Found", "There is nothing to see at this address.")),
    })
}

fn respond(answer: Answer, cookie: Result<String, Failed>) -> Result<Response<Full<Bytes>>, Failed> {
    let (status, kind, body) = match answer {
        Answer::Page(status, page) => (status, "text/html; charset=utf-8", page),
        Answer::Style => (200, "text/css", pages::STYLE.to_owned()),
        Answer::To(url) => {
            let to = HeaderValue::try_from(url)?;
            let redirect = Response::builder().status(303).header(header::LOCATION, to);
            return Ok(redirect.header(header::SET_COOKIE, cookie?).body(Full::default())?);
        }
    };
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
    for (name, value) in HEADERS {
        response = response.header(name, value);
    }
    Ok(response.header(header::SET_COOKIE, cookie?).body(Full::from(body))?)
}
