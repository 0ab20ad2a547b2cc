//! What was probably meant by an issuer or authority that cannot be one: the URL of the provider's metadata was pasted, or the
//! scheme is missing. A suggestion is a URL that would be accepted.

use token_broker_client::oauth::Authority;

/// Where metadata are published, below the issuer (OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3).
const METADATA: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// The option and its value as they should have been typed, if that can be told.
pub(super) fn meant(option: &str, typed: &str) -> Option<String> {
    let mut url = typed.trim().to_owned();
    if !url.contains("://") {
        url = format!("https://{url}");
    }
    if let Some((before, _)) = METADATA.iter().find_map(|metadata| url.split_once(metadata)) {
        url = before.to_owned();
    }
    let parsed = match option {
        "--authority" => Authority::from_authority_url(&url),
        _ => Authority::from_issuer(&url),
    };
    parsed.ok().filter(|_| url != typed).map(|_| format!("the same with {option} {}", super::advice::quoted(&url)))
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn the_url_that_was_meant_is_suggested() {
        for (typed, url) in [
            ("https://id.example/realms/a/.well-known/openid-configuration", "https://id.example/realms/a"),
            ("https://id.example/.well-known/oauth-authorization-server?x=y", "https://id.example"),
            ("id.example/realms/a", "https://id.example/realms/a"),
            ("id.example:8443", "https://id.example:8443"),
            (" https://id.example/", "https://id.example/"),
        ] {
            assert_eq!(meant("--issuer", typed), Some(format!("the same with --issuer {url}")), "{typed}");
        }
        let entra = "https://login.microsoftonline.com/common";
        assert_eq!(
            meant("--authority", &format!("{entra}/v2.0/.well-known/openid-configuration")),
            Some(format!("the same with --authority {entra}/v2.0"))
        );
        for hopeless in ["http://id.example", "ftp://id.example", "https://", "", "https://id.example"] {
            assert_eq!(meant("--issuer", hopeless), None, "{hopeless}");
        }
    }
}
