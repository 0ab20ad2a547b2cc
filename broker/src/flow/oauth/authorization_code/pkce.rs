//! The random words of an authorization request: state, nonce and the PKCE code verifier with its S256 challenge (RFC 7636,
//! section 4). Randomness is passed in.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use token_broker_proto::Secret;
use zeroize::Zeroizing;

/// Random bytes in a word.
const WORD: usize = 32;

/// The words of one authorization request, 43 characters each.
pub(super) struct Words {
    pub(super) state: Secret,
    pub(super) nonce: Secret,
    pub(super) code_verifier: Secret,
}

impl Words {
    /// Three words of 256 random bits each.
    pub(super) fn from_random(random: [u8; 3 * WORD]) -> Self {
        let random = Zeroizing::new(random);
        let word = |place: usize| {
            let bytes: Zeroizing<Vec<u8>> =
                Zeroizing::new(random.iter().skip(place * WORD).take(WORD).copied().collect());
            Secret::new(URL_SAFE_NO_PAD.encode(&*bytes))
        };
        Self { state: word(0), nonce: word(1), code_verifier: word(2) }
    }
}

/// A word as Microsoft's clients send their nonce: SHA-256 in hexadecimal.
pub(super) fn hashed(word: &Secret) -> Secret {
    let hash = digest(&SHA256, word.expose().as_bytes());
    let digits = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    Secret::new(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>())
}

/// The S256 challenge of a code verifier (RFC 7636, section 4.2).
pub(super) fn challenge(code_verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, code_verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use token_broker_proto::Secret;

    use super::{Words, challenge};

    #[test]
    fn rfc_7636_appendix_b() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_hash_is_in_hexadecimal() {
        let hash = super::hashed(&Secret::new("abc"));
        assert_eq!(hash.expose(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn words_are_distinct_and_long_enough() {
        let random = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let words = Words::from_random(random);
        for word in [&words.state, &words.nonce, &words.code_verifier] {
            assert_eq!(word.expose().len(), 43);
        }
        assert_ne!(words.state.expose(), words.nonce.expose());
        assert!(words.code_verifier.expose().starts_with("QEFC"), "the last 32 bytes");
    }
}
