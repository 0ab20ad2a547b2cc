//! Opens the desktop's browser for a sign-in. The client does it, not the daemon: it has the desktop.

use token_broker_proto::Secret;

/// Opens a web page in the user's browser and says whether a browser was started. Prints nothing, and refuses any URL but
/// `http` and `https`. Returns at once, except for a text browser in `$BROWSER`, which takes the terminal until it ends.
#[must_use]
pub fn open_in_browser(url: &Secret) -> bool {
    let text = url.expose();
    let is_web = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    // The crate's own output is off by default.
    is_web && webbrowser::open(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{Secret, open_in_browser};

    #[test]
    fn only_web_pages_are_opened() {
        for url in ["file:///etc/passwd", "javascript:alert(1)", "ftp://x/", "/bin/sh", "mailto:a@b", ""] {
            assert!(!open_in_browser(&Secret::new(url)), "{url}");
        }
    }
}
