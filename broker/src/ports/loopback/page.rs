//! The page that the browser shows at the end of a sign-in. Plain, dark and light, nothing from elsewhere, no script.

/// A page for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Heading.
    pub title: &'static str,
    /// One sentence below it.
    pub message: String,
}

impl Page {
    /// The user is signed in.
    #[must_use]
    pub fn signed_in(username: &str) -> Self {
        let who = if username.is_empty() { String::new() } else { format!(" as {username}") };
        Self {
            status: 200,
            title: "You are signed in",
            message: format!("Signed in{who}. You can close this page now."),
        }
    }

    /// The sign-in ended without a token.
    #[must_use]
    pub fn failed(why: &str) -> Self {
        let message = format!("{why} Nothing was stored. You can close this page; the program that asked knows.");
        Self { status: 400, title: "You are not signed in", message }
    }

    /// The request does not belong to a sign-in that is waiting.
    #[must_use]
    pub fn foreign() -> Self {
        let message =
            "This address does not belong to the sign-in that is waiting. Start again from the program.".to_owned();
        Self { status: 400, title: "Nothing to sign in here", message }
    }

    /// No such page.
    #[must_use]
    pub fn not_found() -> Self {
        Self {
            status: 404,
            title: "No such page",
            message: "This address belongs to a sign-in of token-broker.".to_owned(),
        }
    }

    /// The HTML document.
    #[must_use]
    pub fn html(&self) -> String {
        let (title, message, mark) =
            (escape(self.title), escape(&self.message), if self.status == 200 { "\u{2713}" } else { "!" });
        let tone = if self.status == 200 { "good" } else { "bad" };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title><style>{STYLE}</style></head>\
             <body><main><p class=\"mark {tone}\" aria-hidden=\"true\">{mark}</p><h1>{title}</h1><p>{message}</p>\
             <footer>token-broker</footer></main></body></html>"
        )
    }
}

/// Inline style; the content security policy allows style and nothing else.
const STYLE: &str = "\
:root{--paper:#f6f7f9;--card:#fff;--ink:#1c2330;--soft:#5b6576;--line:#e2e6ec;--good:#17803d;--bad:#b3261e}\
@media(prefers-color-scheme:dark){:root{--paper:#12161d;--card:#1b212b;--ink:#e8ebf0;--soft:#9aa5b5;--line:#2b3340;--good:#57c785;--bad:#f2857d}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);font:17px/1.5 system-ui,sans-serif}\
main{width:min(30rem,calc(100vw - 2rem));padding:2.5rem 2rem 1.5rem;background:var(--card);border:1px solid var(--line);border-radius:14px;text-align:center}\
.mark{width:3.5rem;height:3.5rem;margin:0 auto 1rem;border-radius:50%;border:2px solid;font-size:1.8rem;line-height:3.2rem}\
.good{color:var(--good)}.bad{color:var(--bad)}\
h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:0 0 1rem;color:var(--soft);overflow-wrap:anywhere}p.mark.good{color:var(--good)}p.mark.bad{color:var(--bad)}\
footer{margin-top:1.5rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}";

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn markup_in_a_name_stays_text() {
        let html = Page::signed_in("<script>alert('x')</script>").html();
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
    }
}
