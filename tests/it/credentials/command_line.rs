//! `broker-cli app` with a certificate: the password comes on standard input, what is shown is the kind and the thumbprint, and
//! no key, password or file is printed anywhere.

use std::fs;

use serde_json::Value;
use token_broker_tests::{
    process::{DaemonProcess, Home},
    requirements::require,
    within,
};

use super::{Makings, RSA};

/// The arguments that every registration here has.
const ADD: &str = "app add job --client-id c --issuer https://id.example --offline";

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_certificate_is_registered_and_shown_by_its_thumbprint() {
    let Some(made) = require(Makings::found()) else { return };
    made.make("rsa", RSA);
    made.run("pkcs8 -topk8 -in rsa.key -out rsa.enc -passout pass:right-password");
    let path = made.folder.path().join("job.pem");
    fs::write(&path, made.joined(&["rsa.enc", "rsa.crt"])).expect("written");
    let home = Home::new();
    let daemon = DaemonProcess::start(&home).await;
    let add = format!("{ADD} --certificate {} --certificate-password-stdin", path.display());
    let refused = within(home.cli(words(&add)).input("wrong-password\n").run()).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("certificate: the password does not open"), "{refused:?}");
    let added = within(home.cli(words(&add)).input("right-password\n").run()).await;
    assert!(added.code == 0 && added.stdout.contains("Registered job"), "{added:?}");

    let listed = within(home.cli(words("--json app list")).run()).await;
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert_eq!(listed["applications"][0]["credential"], "certificate");
    let shown = within(home.cli(words("app show job")).run()).await;
    assert!(shown.stdout.contains("certificate (x5t#S256 "), "{shown:?}");
    let both = within(home.cli(words(&format!("{ADD} --replace --certificate x --assertion-file y"))).run()).await;
    assert!(both.code == 2 && both.stderr.contains("cannot be used with"), "{both:?}");

    let file = home.path().join("apps.toml");
    let text = "[[application]]\nname = 'job'\nclient_id = 'c'\nissuer = 'https://id.example'\n\
         [[application]]\nname = 'pod'\nclient_id = 'c2'\nissuer = 'https://id.example'\nassertion_file = 'assertion'\n\
         [[application]]\nname = 'fed'\nclient_id = 'c3'\nissuer = 'https://id.example'\nassertion_from_app = 'pod'\n";
    fs::write(&file, text).expect("written");
    for expected in ["job: unchanged\npod: added\nfed: added\n", "job: unchanged\npod: unchanged\nfed: unchanged\n"] {
        let applied = within(home.cli(words(&format!("app apply --offline {}", file.display()))).run()).await;
        assert_eq!((applied.code, applied.stdout.as_str()), (0, expected), "{applied:?}");
    }
    let printed = format!("{}{shown:?}{added:?}{refused:?}", daemon.printed());
    for secret in ["right-password", "wrong-password", "PRIVATE KEY"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}
