//! Parameters that an owner adds to the requests of an application, for what a provider wants beyond the standards (RFC 6749,
//! section 8.2). None of them may change what the flows themselves mean: the names that may not be given, and why, are here.

use crate::Invalid;

/// Most parameters of one kind.
const MAX_COUNT: usize = 16;
/// Longest name in bytes.
const MAX_NAME: usize = 64;
/// Longest value in bytes.
const MAX_VALUE: usize = 1024;

/// Names that may not be given, with the reason. Compared without case. Reviewed against the OAuth parameters registry of IANA, OpenID
/// Connect Core 1.0 and what MSAL sends: to add a parameter to a flow is to look here.
const DENIED: [(&[&str], &str); 8] = [
    (
        &["client_id", "client_secret", "client_assertion", "client_assertion_type"],
        "says who asks, which is in the registration",
    ),
    (&["grant_type", "response_type", "response_mode"], "says which flow it is"),
    (
        &[
            "code",
            "code_verifier",
            "code_challenge",
            "code_challenge_method",
            "device_code",
            "user_code",
            "redirect_uri",
            "state",
            "nonce",
            "iss",
        ],
        "binds the answer to the sign-in that was begun here",
    ),
    (
        &[
            "refresh_token",
            "access_token",
            "id_token",
            "id_token_hint",
            "token",
            "assertion",
            "subject_token",
            "subject_token_type",
            "actor_token",
            "actor_token_type",
            "requested_token_type",
            "requested_token_use",
            "user_federated_identity_credential",
            "username",
            "user_id",
            "password",
        ],
        "is what a grant stands on, and may be a secret",
    ),
    (
        &["token_type", "token_type_hint", "req_cnf", "key_id", "cnf_kid", "dpop_jkt", "fmi_path"],
        "binds a token to a key or a path, and tokens are kept by it",
    ),
    (&["scope", "claims"], "has options of its own, and tokens are kept by it"),
    (&["prompt", "login_hint", "max_age"], "is said at each sign-in"),
    (
        &["request", "request_uri", "registration", "client_info", "client-request-id", "x-anchormailbox"],
        "would stand for other parameters, or is the daemon's own",
    ),
];

/// Parameters with their values, in the order given; no name twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraParameters(Vec<(String, String)>);

impl ExtraParameters {
    /// Reads parameters; `field` names them in a complaint.
    pub fn parse(field: &'static str, given: Vec<(String, String)>) -> Result<Self, Invalid> {
        let invalid = |rule: String| Err(Invalid::new(field, rule));
        if given.len() > MAX_COUNT {
            return invalid(format!("at most {MAX_COUNT} are allowed"));
        }
        for (place, (name, value)) in given.iter().enumerate() {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
            if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
                return invalid(format!("a name must be 1 to {MAX_NAME} of letters, digits, '-', '.', '_' and '~'"));
            }
            if let Some(reason) = denied(name) {
                return invalid(format!("{name} {reason}; it cannot be given here"));
            }
            if value.is_empty() || value.len() > MAX_VALUE || value.chars().any(char::is_control) {
                return invalid(format!(
                    "{name} must have a value of 1 to {MAX_VALUE} bytes, without control characters"
                ));
            }
            if given.iter().skip(place + 1).any(|(other, _)| other == name) {
                return invalid(format!("{name} stands there twice (RFC 6749, section 3.1 allows it once)"));
            }
        }
        Ok(Self(given))
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As they were given.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(String, String)> {
        self.0.clone()
    }
}

/// Why this name may not be given.
fn denied(name: &str) -> Option<&'static str> {
    let is_it = |denied: &&str| denied.eq_ignore_ascii_case(name);
    DENIED.iter().find(|(names, _)| names.iter().any(is_it)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::ExtraParameters;

    fn parse(given: &[(&str, &str)]) -> Result<ExtraParameters, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ExtraParameters::parse("extra_query", given).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn what_a_provider_wants_beyond_the_standards_may_be_given() {
        let given = [("audience", "https://api.example"), ("domain_hint", "contoso.com"), ("dc", "ESTS-PUB-WUS2")];
        let parameters = parse(&given).expect("they are allowed");
        assert_eq!(parameters.iter().collect::<Vec<_>>(), given);
    }

    #[test]
    fn no_parameter_of_the_protocol_may_be_given() {
        for name in [
            "client_id",
            "client_secret",
            "grant_type",
            "code",
            "redirect_uri",
            "scope",
            "state",
            "Nonce",
            "code_verifier",
            "refresh_token",
            "assertion",
            "client_assertion",
            "response_type",
            "response_mode",
            "REQUEST_URI",
            "password",
            "req_cnf",
            "claims",
        ] {
            let said = parse(&[(name, "x")]).expect_err(name);
            assert!(said.starts_with("extra_query") && said.contains("cannot be given here"), "{said}");
        }
    }

    #[test]
    fn names_and_values_have_limits() {
        let long = "x".repeat(1025);
        for wrong in [("", "x"), ("a b", "x"), ("a&scope", "x"), ("a", ""), ("a", "x\ny"), ("a", long.as_str())] {
            assert!(parse(&[wrong]).is_err(), "{wrong:?}");
        }
        assert!(parse(&[("a", "1"), ("a", "2")]).expect_err("twice").contains("twice"));
        let many: Vec<_> = (0..17).map(|number| (format!("p{number}"), "x".to_owned())).collect();
        assert!(ExtraParameters::parse("extra_body", many).is_err());
    }
}
