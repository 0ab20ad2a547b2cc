//! The page that the browser shows at the end of a sign-in: what happened and what to do now. Plain, dark and light, on a desk
//! and on a phone; nothing from elsewhere, no script, not even an icon that the browser would ask for. Its pictures are taken in
//! a real browser by tests/it/chromium.

/// A page for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    tone: Tone,
    title: &'static str,
    /// What happened; one or two sentences.
    message: String,
    /// What to do now.
    next: &'static str,
}

/// How the page looks; the words say it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Good,
    Bad,
    /// Nothing happened.
    Neutral,
}

impl Page {
    /// The user is signed in.
    #[must_use]
    pub fn signed_in(username: &str) -> Self {
        let who = if username.is_empty() { String::new() } else { format!("Signed in as {username}.") };
        let next = "You can close this page and go back to where you came from.";
        Self { status: 200, tone: Tone::Good, title: "You are signed in", message: who, next }
    }

    /// The sign-in ended without a token.
    #[must_use]
    pub fn failed(why: &str) -> Self {
        let next = "Nothing was stored. You can close this page and start again from where you came from.";
        Self { status: 400, tone: Tone::Bad, title: "You are not signed in", message: why.to_owned(), next }
    }

    /// The request does not belong to a sign-in that is waiting.
    #[must_use]
    pub fn foreign() -> Self {
        let message = "It is out of date, or somebody else made it. Nothing has changed, and nobody was signed in.";
        let next = "If you were signing in, start again from where you came from.";
        let title = "No sign-in waits for this page";
        Self { status: 400, tone: Tone::Neutral, title, message: message.to_owned(), next }
    }

    /// No such page.
    #[must_use]
    pub fn not_found() -> Self {
        let message = "This address waits for one sign-in and has no other pages.".to_owned();
        let next = "You can close this page.";
        Self { status: 404, tone: Tone::Neutral, title: "There is no such page", message, next }
    }

    /// The HTML document.
    #[must_use]
    pub fn html(&self) -> String {
        let (class, mark) = match self.tone {
            Tone::Good => ("good", "<path d=\"m7 12.5 3.4 3.4L17 9\"/>"),
            Tone::Bad => ("bad", "<path d=\"m8.5 8.5 7 7m0-7-7 7\"/>"),
            Tone::Neutral => ("neutral", "<path d=\"M12 7.2v6M12 16.6v.2\"/>"),
        };
        let message = if self.message.is_empty() { String::new() } else { format!("<p>{}</p>", escape(&self.message)) };
        let (title, next) = (escape(self.title), escape(self.next));
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
             <title>{title}</title><style>{STYLE}</style></head>\
             <body><main class=\"{class}\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"11\"/>\
             {mark}</svg><h1>{title}</h1>{message}<p class=\"next\">{next}</p></main><footer>token-broker</footer></body></html>"
        )
    }
}

/// Inline style; the content security policy allows style and nothing else.
const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#f5f6f8;--card:#fff;--ink:#1b222d;--soft:#596274;--line:#e1e5eb;--good:#14763a;--bad:#b3261e;--neutral:#596274}\
@media(prefers-color-scheme:dark){:root{--paper:#11151b;--card:#1a2029;--ink:#e9ecf1;--soft:#a0aaba;--line:#2a323e;--good:#5ccb8b;--bad:#f28b82;--neutral:#a0aaba}}\
*{box-sizing:border-box;margin:0}\
body{min-height:100vh;min-height:100dvh;padding:1rem;display:flex;flex-direction:column;align-items:center;justify-content:center;\
gap:1.25rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\
main{width:100%;max-width:28rem;padding:2.5rem 2rem;background:var(--card);border:1px solid var(--line);border-radius:16px;text-align:center}\
svg{width:3.5rem;height:3.5rem;margin-bottom:1.25rem;fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}\
circle{fill:currentColor;fill-opacity:.1;stroke:none}\
.good svg{color:var(--good)}.bad svg{color:var(--bad)}.neutral svg{color:var(--neutral)}\
h1{font-size:1.5rem;line-height:1.25;font-weight:600;letter-spacing:-.01em}\
p{margin-top:.75rem;overflow-wrap:anywhere;text-wrap:pretty}.next{color:var(--soft)}\
footer{color:var(--soft);font-size:.8125rem}\
@media(max-width:30rem){main{padding:2rem 1.25rem}}";

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

    #[test]
    fn nothing_is_asked_for() {
        for page in [Page::signed_in("ada"), Page::failed("why"), Page::foreign(), Page::not_found()] {
            let html = page.html();
            assert!(!["http:", "https:", "src=", "url(", "@import", "//"].iter().any(|it| html.contains(it)), "{html}");
        }
    }
}
