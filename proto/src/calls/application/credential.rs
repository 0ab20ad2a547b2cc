//! The credential of an application to register: at most one of a client secret (RFC 6749, section 2.3.1), a certificate, and a
//! client assertion from elsewhere (RFC 7523).

use std::{
    fmt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{Invalid, Secret, calls::given, oauth::ApplicationName, wire::v1};

/// What an application to register authenticates with.
#[derive(Debug, Clone, Default)]
pub enum NewCredential {
    /// Nothing: a public client.
    #[default]
    None,
    /// A client secret.
    Secret(Secret),
    /// A certificate and its private key.
    Certificate(CertificateFile),
    /// A client assertion in this file of the daemon's machine, an absolute path; read again each time.
    AssertionFile(PathBuf),
    /// A client assertion that is the own token of this other application.
    AssertionFrom(ApplicationName),
}

/// A certificate file as it is.
#[derive(Clone)]
pub struct CertificateFile {
    /// PEM or PKCS#12; holds the private key.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Password of the private key or of the file.
    pub password: Option<Secret>,
    /// Whether the certificate and its chain are sent along, as `x5c`.
    pub send_x5c: bool,
}

impl CertificateFile {
    /// A file as it was read.
    #[must_use]
    pub fn new(bytes: Vec<u8>, password: Option<Secret>, send_x5c: bool) -> Self {
        Self { bytes: Zeroizing::new(bytes), password, send_x5c }
    }
}

impl NewCredential {
    /// An assertion file by its absolute path.
    pub fn assertion_file(path: &Path) -> Result<Self, Invalid> {
        match path.to_str() {
            Some(_) if path.is_absolute() => Ok(Self::AssertionFile(path.to_owned())),
            _ => Err(Invalid::new("assertion_file", "must be an absolute path in UTF-8: the daemon reads it")),
        }
    }
}

/// Shows nothing of the file.
impl fmt::Debug for CertificateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateFile").field("send_x5c", &self.send_x5c).finish_non_exhaustive()
    }
}

/// The fields of `AddApplicationRequest` that make it up.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) client_secret: String,
    pub(super) certificate: Option<v1::Certificate>,
    pub(super) assertion_file: String,
    pub(super) assertion_from_application: String,
    pub(super) send_x5c: bool,
}

pub(super) fn from_wire(parts: Parts) -> Result<NewCredential, Invalid> {
    let mut found = Vec::with_capacity(1);
    found.extend(given(parts.client_secret).map(|secret| NewCredential::Secret(Secret::new(secret))));
    found.extend(parts.certificate.map(|certificate| {
        NewCredential::Certificate(CertificateFile {
            bytes: Zeroizing::new(certificate.file),
            password: given(certificate.password).map(Secret::new),
            send_x5c: parts.send_x5c,
        })
    }));
    if let Some(path) = given(parts.assertion_file) {
        found.push(NewCredential::assertion_file(Path::new(&path))?);
    }
    if let Some(name) = given(parts.assertion_from_application) {
        found.push(NewCredential::AssertionFrom(ApplicationName::parse("assertion_from_application", &name)?));
    }
    let credential = found.pop().unwrap_or_default();
    if !found.is_empty() {
        let rule = "give only one of client_secret, certificate, assertion_file and assertion_from_application";
        return Err(Invalid::new("credential", rule));
    }
    if parts.send_x5c && !matches!(credential, NewCredential::Certificate(_)) {
        return Err(Invalid::new("send_x5c", "needs a certificate"));
    }
    Ok(credential)
}

impl From<&NewCredential> for Parts {
    fn from(credential: &NewCredential) -> Self {
        match credential {
            NewCredential::None => Self::default(),
            NewCredential::Secret(secret) => Self { client_secret: secret.expose().to_owned(), ..Self::default() },
            NewCredential::Certificate(file) => Self {
                certificate: Some(v1::Certificate {
                    file: file.bytes.to_vec(),
                    password: file.password.as_ref().map(|password| password.expose().to_owned()).unwrap_or_default(),
                }),
                send_x5c: file.send_x5c,
                ..Self::default()
            },
            NewCredential::AssertionFile(path) => {
                Self { assertion_file: path.to_string_lossy().into_owned(), ..Self::default() }
            }
            NewCredential::AssertionFrom(name) => {
                Self { assertion_from_application: name.to_string(), ..Self::default() }
            }
        }
    }
}
