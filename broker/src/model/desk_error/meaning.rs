//! What the numbers of Microsoft's errors (AADSTS) mean to the people who meet them: a sentence, and what to do next. They help to
//! read an error and decide nothing: Microsoft may change them.

use token_broker_proto::ProviderError;

/// What an error means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// In a sentence, without a stop at its end.
    pub sentence: String,
    /// What to do.
    pub next: Next,
}

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To sign in again.
    SignIn,
    /// To look which account is signed in, and where.
    Account,
    /// To mend the registration, here or at the provider.
    Registration,
    /// To ask an administrator of the tenant.
    Administrator,
    /// To wait.
    Wait,
}

use Next::{Account, Administrator, Registration, SignIn, Wait};

/// The numbers with their sentence, in the order in which one is looked for.
const SENTENCES: [(&[i64], Next, &str); 21] = [
    (
        &[50_076, 50_079, 50_072, 50_074, 50_078, 50_158],
        SignIn,
        "the organization asks for multi-factor authentication: sign in again to complete it",
    ),
    (&[70_043, 70_044], SignIn, "the organization's policy has ended the session"),
    (&[700_084], SignIn, "the sign-in was for a web page and lasts a day: register a redirect URI for a desktop app"),
    (&[700_082, 70_008, 700_081, 50_089], SignIn, "the sign-in is too old or was not used for too long"),
    (
        &[50_173, 50_132, 50_133, 50_144, 50_055],
        SignIn,
        "the password was changed or has expired, or the sign-in was revoked",
    ),
    (&[50_196], Wait, "the same request came too often: the provider pauses this client for some minutes"),
    (&[50_053], Wait, "the account is locked after too many wrong passwords"),
    (&[50_126, 50_056, 50_034], Account, "the user name or the password is wrong"),
    (
        &[50_057, 500_571, 51_004, 50_020, 90_072, 50_177],
        Account,
        "the account is disabled or does not belong to this tenant: use another account or another tenant",
    ),
    (&[500_133], SignIn, "the user assertion has expired or is not valid yet"),
    (
        &[50_013, 50_027, 5_000_224],
        Registration,
        "the user assertion is not an access token that was issued for this application",
    ),
    (&[54_005], SignIn, "the code of this sign-in was used already"),
    (&[90_033, 50_000, 135_010], Wait, "the provider has a fault that passes"),
    (&[50_105], Administrator, "the user is not assigned to the application"),
    (
        &[65_001, 65_004, 90_094, 90_095, 650_051],
        SignIn,
        "the permissions are not consented to: sign in and approve them, or let an administrator do so",
    ),
    (
        &[53_000, 53_001, 53_002, 53_003, 53_004, 530_032, 50_097, 50_129, 50_155, 700_003, 50_127],
        Administrator,
        "a policy of the organization blocks this device or this way to sign in",
    ),
    (&[16_000, 50_058, 50_059], SignIn, "the provider cannot tell which account is meant"),
    (
        &[7_000_222],
        Registration,
        "the application's client secret has expired: make a new one and register it with --replace",
    ),
    (
        &[7_000_215],
        Registration,
        "the client secret is wrong: give its value, not its id, and register it with --replace",
    ),
    (
        &[7_000_218, 7_000_112, 700_016, 700_027, 700_024, 700_023, 700_030, 70_021, 700_211, 700_212, 700_213],
        Registration,
        "the application, its credential, or its kind (public or confidential) is not what the provider has on record",
    ),
    (
        &[50_011, 50_194, 90_002, 900_144, 70_011, 500_011, 500_014, 500_207, 28_002, 28_003, 9_002_313, 9_002_326],
        Registration,
        "the tenant, the redirect URI or a scope is not what the provider has on record",
    ),
];

/// Words for a `suberror` that no number explains.
const SUBERRORS: [(&str, Next, &str); 8] = [
    ("basic_action", SignIn, "something has to be done on the sign-in page"),
    ("additional_action", SignIn, "a further step is needed on the sign-in page, such as to register a device"),
    ("message_only", Administrator, "signing in again will not help: see the provider's message"),
    ("consent_required", SignIn, "the permissions are not consented to"),
    ("user_password_expired", SignIn, "the password has expired"),
    ("bad_token", SignIn, "the session has ended"),
    ("token_expired", SignIn, "the session has ended"),
    ("protection_policy_required", Administrator, "the organization asks for app protection, which cannot be met here"),
];

impl Meaning {
    /// What is known of an error.
    #[must_use]
    pub fn of(error: &ProviderError) -> Option<Self> {
        let by_number = SENTENCES.iter().find(|(codes, ..)| error.error_codes.iter().any(|code| codes.contains(code)));
        let by_suberror = SUBERRORS.iter().find(|(word, ..)| error.suberror.as_deref() == Some(word));
        let (next, sentence) = match (by_number, by_suberror) {
            (Some((_, next, sentence)), _) | (None, Some((_, next, sentence))) => (*next, *sentence),
            (None, None) => return None,
        };
        let every =
            error.description.as_deref().and_then(session_hours).filter(|_| error.error_codes.contains(&70_043));
        let sentence = match every {
            Some(hours) => format!("the organization asks for a fresh sign-in every {hours} h"),
            None => sentence.to_owned(),
        };
        Some(Self { sentence, next })
    }
}

/// The longest session in hours, from the provider's "maximum allowed lifetime for this request is N".
fn session_hours(description: &str) -> Option<u64> {
    let (_, after) = description.split_once("maximum allowed lifetime")?;
    let digits = after.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse::<u64>().ok().map(|seconds| seconds / 3600).filter(|hours| *hours > 0)
}

#[cfg(test)]
mod tests {
    use token_broker_proto::ProviderError;

    use super::{Meaning, Next, SENTENCES};

    fn meaning(code: i64, suberror: Option<&str>, description: &str) -> Option<Meaning> {
        Meaning::of(&ProviderError {
            error: "invalid_grant".into(),
            error_codes: vec![code],
            suberror: suberror.map(str::to_owned),
            description: Some(description.to_owned()),
            ..ProviderError::default()
        })
    }

    #[test]
    fn a_number_says_more_than_a_suberror() {
        let known = meaning(50_076, Some("basic_action"), "").expect("known");
        assert!(known.sentence.contains("multi-factor") && known.next == Next::SignIn, "{known:?}");
        assert_eq!(meaning(1, Some("message_only"), "").expect("known").next, Next::Administrator);
        assert_eq!(meaning(1, Some("client_mismatch"), ""), None);
    }

    #[test]
    fn the_longest_session_is_named() {
        let text = "AADSTS70043: The refresh token was issued on 2026-01-01 and the maximum allowed lifetime for this \
                    request is 86400.";
        assert_eq!(
            meaning(70_043, Some("token_expired"), text).expect("known").sentence,
            "the organization asks for a fresh sign-in every 24 h"
        );
        assert!(meaning(70_043, None, "maximum allowed lifetime unknown").expect("known").sentence.contains("policy"));
    }

    #[test]
    fn no_number_means_two_things() {
        let mut all: Vec<i64> = SENTENCES.iter().flat_map(|(codes, ..)| codes.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
