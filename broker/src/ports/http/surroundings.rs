//! What the environment says of the way to providers: the proxies that are used, and whether there are certificate authorities to
//! trust. For the diagnosis; the client itself reads the same variables.

use url::Url;

use super::client::HttpClient;

/// The variables that name a proxy, as curl and reqwest read them.
const VARIABLES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// A proxy of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The variable that names it.
    pub variable: &'static str,
    /// Where it is, without the name and password that may stand in the variable; `None` if it is no URL.
    pub place: Option<String>,
}

/// The proxies that the environment names.
#[must_use]
pub fn proxies() -> Vec<Proxy> {
    let named = VARIABLES.into_iter().filter_map(|variable| Some((variable, std::env::var(variable).ok()?)));
    named
        .filter(|(_, value)| !value.is_empty())
        .map(|(variable, value)| Proxy { variable, place: place(&value) })
        .collect()
}

/// Scheme, host and port.
fn place(value: &str) -> Option<String> {
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&with_scheme).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
}

/// Whether certificate authorities can be read, as an exchange would; why not, if not. Takes milliseconds.
pub fn check_trust() -> Result<(), String> {
    HttpClient::default().check()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_password_is_never_shown() {
        for (value, shown) in [
            ("http://ada:s3cret@proxy.example:3128/", Some("http://proxy.example:3128")),
            ("proxy.example:8080", Some("http://proxy.example:8080")),
            ("socks5://[::1]:1080", Some("socks5://[::1]:1080")),
            ("http://", None),
            ("ada:s3cret@", None),
        ] {
            assert_eq!(place(value).as_deref(), shown, "{value}");
        }
    }
}
