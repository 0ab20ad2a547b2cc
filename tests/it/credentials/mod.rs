//! Credentials of confidential clients: certificates as OpenSSL writes them, and assertions from elsewhere. Owns the making of
//! keys and certificates in a scratch folder.

mod assertion;
mod bad_certificate;
mod command_line;
mod msal;
mod options;
mod private_key_jwt;

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;
use token_broker_client::{
    ClientError, Failure, Secret,
    calls::{CertificateFile, NewApplication, NewCredential, Subject, TokenRequest},
};
use token_broker_tests::{
    daemon::{application, name},
    requirements::{Missing, program},
};

/// Keys and certificates, made by the program `openssl`.
struct Makings {
    program: PathBuf,
    folder: TempDir,
}

impl Makings {
    fn found() -> Result<Self, Missing> {
        let program = program("openssl", "install OpenSSL 3")?;
        Ok(Self { program, folder: tempfile::tempdir().expect("a scratch folder") })
    }

    fn run(&self, arguments: &str) {
        let words = arguments.split_whitespace();
        let done = Command::new(&self.program).args(words).current_dir(self.folder.path()).output().expect("it runs");
        assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// `NAME.key` (PKCS#8) of this kind, and `NAME.crt`.
    fn make(&self, name: &str, kind: &str) {
        self.run(&format!("genpkey {kind} -out {name}.key"));
        self.run(&format!("req -x509 -new -key {name}.key -out {name}.crt -days 30 -subj /CN={name}"));
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).expect("it was made")
    }

    /// Files one after the other.
    fn joined(&self, names: &[&str]) -> Vec<u8> {
        names.iter().flat_map(|name| self.file(name)).collect()
    }
}

const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
const P384: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";

fn certificate(bytes: Vec<u8>, password: Option<&str>) -> NewCredential {
    NewCredential::Certificate(CertificateFile::new(bytes, password.map(Secret::new), false))
}

/// An application with this credential, known to the provider by the same name.
fn with(credential: NewCredential, text: &str, issuer: &str) -> NewApplication {
    NewApplication { credential, ..application(text, issuer, (text, None), "api:read") }
}

fn own_token(text: &str) -> TokenRequest {
    TokenRequest { subject: Subject::Application, ..TokenRequest::new(name(text)) }
}

#[track_caller]
fn refused<T>(outcome: Result<T, ClientError>) -> Failure {
    match outcome {
        Err(ClientError::Broker(failure)) => *failure,
        Err(other) => panic!("not the daemon's own words: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}
