//! What an application authenticates with: a secret or a password comes from standard input, never as an argument; a certificate
//! is read here and sent as it is; an assertion file is only named, since the daemon reads it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use clap::Args;
use token_broker_client::{
    Secret,
    calls::{CertificateFile, NewCredential},
    oauth::ApplicationName,
};

use super::super::application;

/// Largest certificate file that is read, in bytes; the daemon takes less.
const MAX_CERTIFICATE: u64 = 1024 * 1024;

/// How the application authenticates; at most one way.
#[derive(Debug, Args)]
pub(crate) struct CredentialArguments {
    /// Read the client secret from standard input
    #[arg(long, group = "credential")]
    client_secret_stdin: bool,
    /// File with a certificate and its private key: PEM or PKCS#12 (PFX)
    #[arg(long, value_name = "FILE", group = "credential")]
    certificate: Option<PathBuf>,
    /// Read the password of the certificate file from standard input
    #[arg(long, requires = "certificate")]
    certificate_password_stdin: bool,
    /// Send the certificate and its chain along, for a provider that trusts its subject name and issuer
    #[arg(long, requires = "certificate")]
    send_x5c: bool,
    /// File with a client assertion (a JWT), which the daemon reads again each time
    #[arg(long, value_name = "FILE", group = "credential")]
    assertion_file: Option<PathBuf>,
    /// Another application here whose own token is the client assertion
    #[arg(long, value_name = "NAME", group = "credential", value_parser = application)]
    assertion_from_app: Option<ApplicationName>,
}

impl CredentialArguments {
    /// What standard input is read for, if for anything.
    pub(crate) fn reads(&self) -> Option<&'static str> {
        match self {
            Self { client_secret_stdin: true, .. } => Some("client secret"),
            Self { certificate_password_stdin: true, .. } => Some("password of the certificate file"),
            _ => None,
        }
    }

    /// The credential, with what came on standard input.
    pub(crate) fn into_new(self, read: Option<Secret>) -> Result<NewCredential, String> {
        if let Some(path) = self.certificate {
            return certificate_file(&path, read, self.send_x5c);
        }
        if let Some(path) = self.assertion_file {
            let path = std::path::absolute(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            return NewCredential::assertion_file(&path).map_err(|invalid| invalid.to_string());
        }
        let from_application = self.assertion_from_app.map(NewCredential::AssertionFrom);
        Ok(from_application.or_else(|| read.map(NewCredential::Secret)).unwrap_or_default())
    }
}

/// Reads a certificate file.
pub(crate) fn certificate_file(path: &Path, password: Option<Secret>, send_x5c: bool) -> Result<NewCredential, String> {
    let named = |what: io::Error| format!("{}: {what}", path.display());
    let file = File::open(path).map_err(named)?;
    // Sized at once: bytes that grow would leave copies of the key behind.
    let room = file.metadata().map_err(named)?.len().min(MAX_CERTIFICATE);
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or_default() + 1);
    file.take(MAX_CERTIFICATE + 1).read_to_end(&mut bytes).map_err(named)?;
    let certificate = CertificateFile::new(bytes, password, send_x5c);
    if certificate.bytes.len() as u64 > MAX_CERTIFICATE {
        return Err(format!("{}: is larger than {MAX_CERTIFICATE} bytes", path.display()));
    }
    Ok(NewCredential::Certificate(certificate))
}
