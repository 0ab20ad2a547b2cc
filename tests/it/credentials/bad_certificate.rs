//! Certificate files, good and bad: each good form registers, each bad one is refused with words that say what is wrong, and
//! leaves nothing behind.

use token_broker_client::{
    Reason,
    calls::{CredentialKind, NewApplication},
    oauth::Authority,
};
use token_broker_tests::{
    daemon::{Options, TestDaemon},
    requirements::require,
};

use super::{Makings, P256, P384, RSA, certificate, refused, with};

/// What is refused: its name, the file, its password, words of the message.
type Bad = (&'static str, Vec<u8>, Option<&'static str>, &'static str);

fn offline(bytes: Vec<u8>, password: Option<&str>, name: &str) -> NewApplication {
    NewApplication { offline: true, ..with(certificate(bytes, password), name, "https://id.example") }
}

/// Everything that OpenSSL writes and that is read.
fn good(made: &Makings) -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    made.make("rsa", RSA);
    made.make("p256", P256);
    made.make("p384", P384);
    made.run("rsa -in rsa.key -traditional -out rsa.pkcs1");
    made.run("ec -in p256.key -out p256.sec1");
    made.run("pkcs8 -topk8 -in rsa.key -out rsa.enc -passout pass:right");
    made.run("pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512 -in p384.key -out p384.enc -passout pass:right");
    made.run("pkcs12 -export -inkey rsa.key -in rsa.crt -out rsa.pfx -passout pass:right");
    made.run("pkcs12 -export -inkey p256.key -in p256.crt -out p256.pfx -passout pass:");
    made.run(
        "pkcs12 -export -inkey rsa.key -in rsa.crt -out old.pfx -passout pass:right -keypbe PBE-SHA1-3DES -certpbe \
         PBE-SHA1-3DES -macalg SHA1",
    );
    vec![
        ("pkcs8", made.joined(&["rsa.key", "rsa.crt"]), None),
        ("certificate_first", made.joined(&["rsa.crt", "rsa.key"]), None),
        ("pkcs1", made.joined(&["rsa.pkcs1", "rsa.crt"]), None),
        ("sec1", made.joined(&["p256.sec1", "p256.crt"]), None),
        ("p384", made.joined(&["p384.key", "p384.crt"]), None),
        ("another_before_its_own", made.joined(&["rsa.key", "p256.crt", "rsa.crt"]), None),
        ("encrypted", made.joined(&["rsa.enc", "rsa.crt"]), Some("right")),
        ("encrypted_sha512", made.joined(&["p384.enc", "p384.crt"]), Some("right")),
        ("pfx", made.file("rsa.pfx"), Some("right")),
        ("pfx_without_password", made.file("p256.pfx"), None),
        ("pfx_of_old", made.file("old.pfx"), Some("right")),
    ]
}

#[tokio::test]
async fn every_form_that_openssl_writes_is_read() {
    let Some(made) = require(Makings::found()) else { return };
    let mut daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    let forms = good(&made);
    for (name, bytes, password) in &forms {
        let new = offline(bytes.clone(), *password, name);
        let (added, _) = client.add_application(&new).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(added.credential, CredentialKind::Certificate, "{name}");
        assert_eq!(added.credential_fingerprint.expect("x5t#S256").len(), 43, "{name}");
        let again = NewApplication { existing: token_broker_client::calls::ExistingApplication::Replace, ..new };
        assert!(!client.add_application(&again).await.expect("the same").1, "{name}: nothing changed");
    }
    daemon.restart().await;
    let kept = daemon.client().applications().await.expect("a list");
    assert_eq!(kept.len(), forms.len());
    let of = |name: &str| {
        kept.iter().find(|one| one.name == name).and_then(|one| one.credential_fingerprint.clone()).expect(name)
    };
    for other in ["certificate_first", "pkcs1", "encrypted", "pfx", "pfx_of_old", "another_before_its_own"] {
        assert_eq!(of("pkcs8"), of(other), "{other}: the same certificate");
    }
    assert_ne!(of("pkcs8"), of("sec1"));
    assert!(daemon.client().verify_cache().await.expect("a report").problems.is_empty());
}

fn bad(made: &Makings) -> Vec<Bad> {
    good(made);
    made.make("small", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024");
    made.make("large", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521");
    made.make("koblitz", "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1");
    made.make("edwards", "-algorithm ED25519");
    made.make("other", RSA);
    made.run("rsa -in rsa.key -traditional -aes128 -out rsa.legacy -passout pass:right");
    let whole = made.joined(&["rsa.key", "rsa.crt"]);
    let mut flipped = made.file("rsa.pfx");
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("PEM");
    let mangled = text(&whole).replace("MII", "M!!").into_bytes();
    let cut = whole[..whole.len() - 200].to_vec();
    let not_der = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    let key_and = |bytes: Vec<u8>| made.file("rsa.key").into_iter().chain(bytes).collect::<Vec<u8>>();
    vec![
        ("empty", Vec::new(), None, "is empty"),
        ("blank", b" \n\n".to_vec(), None, "is empty"),
        ("huge", vec![b'x'; 140_000], None, "larger than any certificate"),
        ("noise", b"not a certificate".to_vec(), None, "neither PEM nor PKCS#12"),
        ("mangled", mangled, None, "damaged"),
        ("cut short", cut, None, "damaged"),
        ("no certificate inside", key_and(not_der), None, "its certificate cannot be read"),
        ("certificate alone", made.file("rsa.crt"), None, "holds no private key"),
        ("key alone", made.file("rsa.key"), None, "holds no certificate"),
        ("two keys", made.joined(&["rsa.key", "other.key", "rsa.crt"]), None, "several private keys"),
        ("key of another", made.joined(&["other.key", "rsa.crt"]), None, "that of another certificate"),
        ("key of another curve", made.joined(&["p256.key", "p384.crt"]), None, "that of another certificate"),
        ("no password", made.joined(&["rsa.enc", "rsa.crt"]), None, "--certificate-password-stdin"),
        ("wrong password", made.joined(&["rsa.enc", "rsa.crt"]), Some("wrong"), "does not open the private key"),
        ("PFX without password", made.file("rsa.pfx"), None, "--certificate-password-stdin"),
        ("PFX, wrong password", made.file("rsa.pfx"), Some("wrong"), "does not open the private key"),
        ("PFX, one bit changed", flipped, Some("right"), ""),
        ("legacy PEM", made.joined(&["rsa.legacy", "rsa.crt"]), Some("right"), "openssl pkcs8 -topk8"),
        ("RSA 1024", made.joined(&["small.key", "small.crt"]), None, "RSA 1024 keys are not supported"),
        ("P-521", made.joined(&["large.key", "large.crt"]), None, "P-521 keys are not supported"),
        ("secp256k1", made.joined(&["koblitz.key", "koblitz.crt"]), None, "are not supported"),
        ("Ed25519", made.joined(&["edwards.key", "edwards.crt"]), None, "Ed25519 keys are not supported"),
    ]
}

#[tokio::test]
async fn what_cannot_be_used_is_named_and_nothing_is_stored() {
    let Some(made) = require(Makings::found()) else { return };
    let daemon = TestDaemon::start(Options::default()).await;
    let client = daemon.client();
    for (case, bytes, password, words) in bad(&made) {
        let failure = refused(client.add_application(&offline(bytes, password, "job")).await);
        assert_eq!((failure.reason, failure.field.as_deref()), (Reason::InvalidRequest, Some("certificate")), "{case}");
        assert!(failure.message.contains(words), "{case}: {}", failure.message);
        assert!(
            !failure.message.contains("right") && !failure.message.contains("BEGIN"),
            "{case}: {}",
            failure.message
        );
    }
    let entra = NewApplication {
        authority: Authority::from_tenant("contoso.com").expect("a tenant"),
        ..offline(made.joined(&["p256.key", "p256.crt"]), None, "job")
    };
    let failure = refused(client.add_application(&entra).await);
    assert!(failure.message.contains("RSA keys only"), "{}", failure.message);
    assert!(client.applications().await.expect("a list").is_empty());
}
