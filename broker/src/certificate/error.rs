//! What can be wrong with a certificate file, in words that say what to do. Never quotes the file.

/// A certificate file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Nothing is in it.
    #[error("the certificate file is empty")]
    Empty,
    /// It is too large, or holds too many certificates.
    #[error("the certificate file is larger than any certificate with its chain and key")]
    TooLarge,
    /// Neither form.
    #[error("the certificate file is neither PEM nor PKCS#12 (PFX), or it is damaged")]
    UnknownForm,
    /// A part of it cannot be read.
    #[error("the certificate file is damaged: its {0} cannot be read")]
    Damaged(&'static str),
    /// The cipher of the old days.
    #[error(
        "the private key has the legacy PEM encryption (Proc-Type: 4,ENCRYPTED), which is weak and not read here; convert it: \
         openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY.pem -out NEW.pem"
    )]
    LegacyEncryption,
    /// It is encrypted and no password was given.
    #[error("the private key is encrypted: give its password (--certificate-password-stdin)")]
    PasswordNeeded,
    /// It is encrypted with another password.
    #[error("the password does not open the private key")]
    WrongPassword,
    /// It is encrypted in a way that is not known here.
    #[error(
        "the private key is encrypted in a way that is not known here; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc"
    )]
    UnknownEncryption,
    /// No key.
    #[error("the certificate file holds no private key: put the key and the certificate into one file")]
    NoKey,
    /// Which one?
    #[error("the certificate file holds several private keys; leave only that of the certificate in it")]
    SeveralKeys,
    /// A key alone.
    #[error("the certificate file holds no certificate: put the certificate and its key into one file")]
    NoCertificate,
    /// They do not belong together.
    #[error("the private key in the certificate file is that of another certificate")]
    KeyOfAnother,
    /// A key that nothing can be signed with here.
    #[error("{0} keys are not supported; use RSA of 2048 to 4096 bits, or the elliptic curves P-256 and P-384")]
    UnsupportedKey(String),
}
