//! A cookie jar, as far as sign-in pages need one (RFC 6265): host with port, path, removal. Nothing outlives the user.

use reqwest::header::HeaderMap;
use url::Url;

/// Cookies of one user.
#[derive(Debug, Default)]
pub struct CookieJar(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    authority: String,
    path: String,
    name: String,
    value: String,
}

impl CookieJar {
    /// Takes in what an answer from this address sets or removes.
    pub fn store(&mut self, url: &Url, headers: &HeaderMap) {
        for header in headers.get_all("set-cookie").iter().filter_map(|header| header.to_str().ok()) {
            let mut parts = header.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let attributes: Vec<_> = parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
            let attribute = |wanted: &str| {
                attributes
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                    .map(|(_, value)| (*value).to_owned())
            };
            let path = attribute("path").unwrap_or_else(|| "/".to_owned());
            self.0.retain(|old| !(old.authority == url.authority() && old.path == path && old.name == name));
            let removed = value.is_empty() || attribute("expires").is_some_and(|date| date.contains(" 1970 "));
            if !removed {
                let (name, value) = (name.to_owned(), value.to_owned());
                self.0.push(Cookie { authority: url.authority().to_owned(), path, name, value });
            }
        }
    }

    /// The `cookie` header for a request to this address.
    #[must_use]
    pub fn header(&self, url: &Url) -> String {
        let fits = |cookie: &&Cookie| {
            let rest = url.path().strip_prefix(cookie.path.trim_end_matches('/'));
            cookie.authority == url.authority() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let pairs: Vec<_> =
            self.0.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        pairs.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};
    use url::Url;

    use super::CookieJar;

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path_until_it_is_removed() {
        let mut jar = CookieJar::default();
        let url = Url::parse("http://127.0.0.1:8000/interaction/1").unwrap();
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=1; path=/interaction; httponly"));
        headers.append("set-cookie", HeaderValue::from_static("b=2; path=/"));
        jar.store(&url, &headers);
        assert_eq!(jar.header(&url), "a=1; b=2");
        assert_eq!(jar.header(&url.join("/other").unwrap()), "b=2");
        assert_eq!(jar.header(&Url::parse("http://127.0.0.1:8001/interaction/1").unwrap()), "");
        headers.clear();
        headers.append("set-cookie", HeaderValue::from_static("b=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT"));
        jar.store(&url, &headers);
        assert_eq!(jar.header(&url), "a=1");
    }
}
