//! The pages that a person sees, in the demo as in the tests: sign in, enter a device code, an outcome, and the form that posts
//! itself. No script but that one, nothing from elsewhere, light and dark.

use url::Url;

use crate::authorization_server::wire::Params;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}\
:root{color-scheme:light dark}input,button{font:inherit;padding:.4rem .8rem;margin:.2rem 0}.problem{color:#c33}";

/// Sign in and allow or deny.
pub(super) fn sign_in(asked: &Params, scopes: &[String]) -> String {
    let hidden: String = asked.0.iter().map(|(name, value)| hidden(name, value)).collect();
    let asks = scopes.iter().map(|scope| escape(scope)).collect::<Vec<_>>().join("<li>");
    let body = format!(
        "<p><b>{}</b> asks for</p><ul><li>{asks}</ul><form method=\"post\" action=\"/authorize\">{hidden}\
         <label>User name <input type=\"text\" name=\"username\" value=\"{}\" autofocus></label>{BUTTONS}</form>",
        escape(asked.get("client_id")),
        escape(asked.get("login_hint")),
    );
    page("Sign in", &body)
}

/// Enter the code that a device shows.
pub(super) fn enter_code(user_code: &str, problem: &str) -> String {
    let body = format!(
        "<p class=\"problem\">{}</p><form method=\"post\" action=\"/device\">\
         <label>Code <input type=\"text\" name=\"user_code\" value=\"{}\"></label>\
         <label>User name <input type=\"text\" name=\"username\"></label>{BUTTONS}</form>",
        escape(problem),
        escape(user_code),
    );
    page("Connect a device", &body)
}

/// A title and a sentence.
pub(super) fn message(title: &str, text: &str) -> String {
    page(title, &format!("<p>{}</p>", escape(text)))
}

/// OAuth 2.0 Form Post Response Mode.
pub(super) fn form_post(target: &Url, parameters: &[(&str, &str)]) -> String {
    let hidden: String = parameters.iter().map(|(name, value)| hidden(name, value)).collect();
    let action = escape(target.as_str());
    let body = format!(
        "<form method=\"post\" action=\"{action}\">{hidden}<button type=\"submit\">Continue</button></form>\
         <script>document.forms[0].submit()</script>"
    );
    page("Signing in", &body)
}

const BUTTONS: &str = "<p><button type=\"submit\" name=\"decision\" value=\"allow\">Allow</button> \
<button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button></p>";

fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{body}</body></html>"
    )
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
