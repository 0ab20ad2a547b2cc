//! The way to providers: proxy and certificate authorities, as the configuration names them, else as the environment does, which
//! reqwest reads by itself.

use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, NoProxy};
use url::Url;

use super::{HttpClient, HttpSettings};

/// The variables that name a proxy, as curl and reqwest read them.
const VARIABLES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// What the configuration names of the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Proxy for all providers: an `http` or `https` URL.
    pub proxy: Option<String>,
    /// Hosts that are asked directly, in the form of `NO_PROXY`; that variable counts if there is none.
    pub no_proxy: Option<String>,
    /// File of the certificate authorities to trust (PEM).
    pub ca_file: Option<PathBuf>,
}

/// A proxy that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What names it: a key of the configuration or a variable of the environment.
    pub named_by: &'static str,
    /// Where it is, without the name and password that may stand in a variable; `None` if it is no URL.
    pub place: Option<String>,
}

impl Network {
    pub(super) fn apply(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, String> {
        if let Some(url) = &self.proxy {
            let proxy = reqwest::Proxy::all(url).map_err(|error| format!("[http] proxy cannot be used: {error}"))?;
            let direct = self.no_proxy.as_deref().map_or_else(NoProxy::from_env, NoProxy::from_string);
            builder = builder.proxy(proxy.no_proxy(direct));
        }
        if let Some(file) = &self.ca_file {
            builder = builder.tls_certs_only(authorities(file)?);
        }
        Ok(builder)
    }

    /// The proxies that are used.
    #[must_use]
    pub fn proxies(&self) -> Vec<Proxy> {
        if let Some(url) = &self.proxy {
            return vec![Proxy { named_by: "[http] proxy", place: place(url) }];
        }
        let named = VARIABLES.into_iter().filter_map(|variable| Some((variable, std::env::var(variable).ok()?)));
        named
            .filter(|(_, value)| !value.is_empty())
            .map(|(named_by, value)| Proxy { named_by, place: place(&value) })
            .collect()
    }

    /// Whether certificate authorities can be read, as an exchange would; why not, if not. Takes milliseconds.
    pub fn check_trust(&self) -> Result<(), String> {
        HttpClient::new(HttpSettings { network: self.clone(), ..HttpSettings::default() }).check()
    }
}

/// The certificates of a file.
fn authorities(file: &Path) -> Result<Vec<Certificate>, String> {
    let cannot = |why: String| {
        format!("no certificate authorities could be read from [http] ca_file, {}: {why}", file.display())
    };
    let text = std::fs::read(file).map_err(|error| cannot(error.to_string()))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(found) if found.is_empty() => Err(cannot("there is no certificate in it".to_owned())),
        Ok(found) => Ok(found),
        Err(_) => Err(cannot("it is not a PEM file of certificates".to_owned())),
    }
}

/// Scheme, host and port.
fn place(value: &str) -> Option<String> {
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&with_scheme).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
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
