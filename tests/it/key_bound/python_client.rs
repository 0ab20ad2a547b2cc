//! The Python client asks for what is bound to a key (`tests/peers/python/key_bound.py`); its certificate is over the key, and what it
//! sends is what the daemon signed.

use serde_json::Value;
use token_broker_tests::{folder, requirements::require, within};
use tokio::process::Command;

use super::{Stage, key, signed_http_request::claims_of};
use crate::msal::interpreter;

#[tokio::test]
async fn the_python_client_gets_certificates_and_signed_requests() {
    let Some(python) = require(interpreter()) else { return };
    let stage = Stage::set().await;
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", folder("../client/python/src"));
    command.arg(folder("peers/python/key_bound.py")).arg(stage.daemon.socket());
    let output = within(command.arg(folder("peers/msal/id_rsa_1.pub")).output()).await.expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    assert!(key(1).certificate_line(said["certificate"].as_str().unwrap()).is_some());
    assert!(said["token_type"] == "ssh-cert" && said["key_id"].as_str().unwrap().len() == 43, "{said}");
    assert_eq!(said["username"], "ada@contoso.example");
    let [one, two] = [0, 1].map(|at| claims_of(said["signed"][at].as_str().unwrap()));
    assert!(
        one["nonce"] == "theirs" && one["m"] == "GET" && one["p"] == "/v1/me" && one.get("client_claims").is_none()
    );
    assert!(two["m"] == "POST" && two["client_claims"] == "{\"a\":1}" && two["at"] == one["at"], "one token for both");
}
