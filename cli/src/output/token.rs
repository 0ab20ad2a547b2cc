//! The forms of `token` beside JSON: raw, an HTTP header, shell exports, and the SASL initial responses of mail programs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use token_broker_client::{Secret, calls::TokenAnswer};

/// `Authorization: Bearer TOKEN` (RFC 6750, section 2.1).
pub(crate) fn header(answer: &TokenAnswer) -> Secret {
    // The scheme of the header is written in one way; providers answer with `bearer` too.
    let is_bearer = answer.token_type.is_empty() || answer.token_type.eq_ignore_ascii_case("bearer");
    let scheme = if is_bearer { "Bearer" } else { &answer.token_type };
    Secret::new(format!("Authorization: {scheme} {}", answer.access_token.expose()))
}

/// Lines for `eval` in a shell.
pub(crate) fn env(answer: &TokenAnswer) -> Secret {
    let id_token =
        answer.id_token.as_ref().map_or_else(String::new, |token| format!("\nexport ID_TOKEN={}", quoted(token)));
    Secret::new(format!(
        "export ACCESS_TOKEN={}\nexport ACCESS_TOKEN_EXPIRES_ON={}{id_token}",
        quoted(&answer.access_token),
        answer.expires_on.seconds()
    ))
}

/// Initial response of XOAUTH2, which Google and Microsoft accept for IMAP, POP and SMTP.
pub(crate) fn xoauth2(username: &str, token: &Secret) -> Secret {
    base64(&Secret::new(format!("user={username}\x01auth=Bearer {}\x01\x01", token.expose())))
}

/// Initial response of OAUTHBEARER (RFC 7628, section 3.1); host and port are left to the server, as it allows.
pub(crate) fn oauthbearer(username: &str, token: &Secret) -> Secret {
    // `saslname` of RFC 5801, section 4.
    let name = username.replace('=', "=3D").replace(',', "=2C");
    base64(&Secret::new(format!("n,a={name},\x01auth=Bearer {}\x01\x01", token.expose())))
}

fn base64(text: &Secret) -> Secret {
    Secret::new(STANDARD.encode(text.expose()))
}

/// One word of a shell, whatever is in it.
fn quoted(text: &Secret) -> String {
    format!("'{}'", text.expose().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use token_broker_client::{
        Secret,
        calls::{TokenAnswer, TokenSource},
        oauth::{CorrelationId, ScopeSet, UnixTime},
    };

    use super::{env, header, oauthbearer, xoauth2};

    fn answer(token: &str, token_type: &str) -> TokenAnswer {
        TokenAnswer {
            access_token: Secret::new(token),
            token_type: token_type.into(),
            expires_on: UnixTime::from_seconds(1_700_000_000),
            refresh_on: None,
            scopes: ScopeSet::default(),
            account: None,
            source: TokenSource::Cache,
            id_token: None,
            correlation_id: CorrelationId::from_random([0; 16]),
            key_id: None,
            session_key: None,
        }
    }

    #[test]
    fn the_header_names_the_scheme_in_its_usual_spelling() {
        for (token_type, line) in
            [("bearer", "Authorization: Bearer t"), ("", "Authorization: Bearer t"), ("DPoP", "Authorization: DPoP t")]
        {
            assert_eq!(header(&answer("t", token_type)).expose(), line);
        }
    }

    #[test]
    fn no_token_breaks_out_of_the_shell_quotes() {
        let lines = env(&answer("a'; rm -rf ~; '$(x)`", "Bearer"));
        assert_eq!(
            lines.expose(),
            "export ACCESS_TOKEN='a'\\''; rm -rf ~; '\\''$(x)`'\nexport ACCESS_TOKEN_EXPIRES_ON=1700000000"
        );
        let with_id = TokenAnswer { id_token: Some(Secret::new("i")), ..answer("t", "Bearer") };
        assert!(env(&with_id).expose().ends_with("\nexport ID_TOKEN='i'"));
    }

    #[test]
    fn xoauth2_is_what_google_documents() {
        // The example of Google's "OAuth 2.0 Mechanism" page.
        let response = xoauth2("someuser@example.com", &Secret::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"));
        assert_eq!(
            response.expose(),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
    }

    #[test]
    fn oauthbearer_is_the_rfcs_without_host_and_port() {
        // RFC 7628, section 4.1, less `host` and `port`.
        let response = oauthbearer("user@example.com", &Secret::new("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
        assert_eq!(
            response.expose(),
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
        );
    }

    #[test]
    fn oauthbearer_escapes_the_name() {
        use base64::Engine as _;
        let response = oauthbearer("a=b,c", &Secret::new("t"));
        let plain = base64::engine::general_purpose::STANDARD.decode(response.expose()).unwrap();
        assert_eq!(plain, b"n,a=a=3Db=2Cc,\x01auth=Bearer t\x01\x01");
    }
}
