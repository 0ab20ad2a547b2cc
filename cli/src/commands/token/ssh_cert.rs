//! `token --ssh-cert PUBKEY`: an SSH certificate over a public key of the user's own, written where ssh looks for it. The key pair is
//! ssh-keygen's: ssh needs the private half, and the daemon gives none away.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use token_broker_client::{
    ClientError, Invalid, Secret,
    calls::{TokenAnswer, TokenRequest, TokenScheme},
    oauth::PublicKey,
};

use super::Session;
use crate::{
    arguments::token::TokenArguments,
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{CertificateJson, TokenJson},
        time,
    },
};

/// Longest file in bytes; `PublicKey` has its own limit.
const MAX_FILE: u64 = 32 * 1024;

/// Reads the key, asks, and writes the certificate.
pub(super) async fn run(session: &Session, arguments: TokenArguments) -> Result<Exit, Failed> {
    let path = arguments.ssh_cert.clone().unwrap_or_default();
    let out = arguments.out.clone().unwrap_or_else(|| beside(&path));
    let key = read(&path)?;
    let request =
        TokenRequest { scheme: TokenScheme::SshCert(key.clone()), ..super::request(session.output, arguments)? };
    let answer = session.client()?.token(&request).await?;
    let line = key.certificate_line(answer.access_token.expose()).map(Secret::new).ok_or_else(|| {
        let what = "the provider's answer is no SSH certificate over this key; no file was written";
        Failed::Client(ClientError::Protocol(what.to_owned()))
    })?;
    if out == Path::new("-") {
        output::secret_line(&line)?;
        return Ok(Exit::Done);
    }
    write(&out, &line).map_err(|error| Failed::System(format!("{}: {error}", out.display())))?;
    told(session, &answer, &out)
}

fn told(session: &Session, answer: &TokenAnswer, out: &Path) -> Result<Exit, Failed> {
    let certificate_file = out.display().to_string();
    if session.output.is_json() {
        output::json(&CertificateJson { token: TokenJson::from(answer), certificate_file })?;
    } else {
        output::line(&certificate_file)?;
        session.output.note(&format!("the certificate expires {}", time::expiry(answer.expires_on, time::now())));
    }
    Ok(Exit::Done)
}

/// Where ssh looks for the certificate of a key: `id_rsa-cert.pub` for `id_rsa.pub`.
fn beside(public_key: &Path) -> PathBuf {
    let name = public_key.file_name().unwrap_or_default().to_string_lossy();
    let key = name.strip_suffix(".pub").unwrap_or(&name);
    public_key.with_file_name(format!("{key}-cert.pub"))
}

/// The public key in a file. Nothing of the file is in an error: it may be the private one.
fn read(path: &Path) -> Result<PublicKey, Failed> {
    let named = |what: &dyn std::fmt::Display| Failed::Input(format!("{}: {what}", path.display()));
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let key = path.with_extension("");
            named(&format!("there is no such file. A key pair is made by: ssh-keygen -t rsa -f {}", key.display()))
        }
        _ => named(&error),
    })?;
    let mut text = Vec::with_capacity(usize::try_from(MAX_FILE).unwrap_or_default() + 1);
    file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|error| named(&error))?;
    let text = Secret::new(String::from_utf8(text).map_err(|_| named(&"is no public key: it is not text"))?);
    PublicKey::parse(text.expose()).map_err(|Invalid { rule, .. }| named(&rule))
}

/// Whole or not at all, and for its owner alone: with the key it opens what the user may enter.
fn write(path: &Path, line: &Secret) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        file.write_all(line.expose().as_bytes())?;
        file.write_all(b"\n")
    });
    written.and_then(|()| fs::rename(&draft, path)).inspect_err(|_| {
        // The error that counts is the one before.
        let _ = fs::remove_file(&draft);
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::beside;

    #[test]
    fn the_certificate_is_where_ssh_looks_for_it() {
        for (key, certificate) in [
            ("/home/ada/.ssh/id_rsa.pub", "/home/ada/.ssh/id_rsa-cert.pub"),
            ("id_rsa", "id_rsa-cert.pub"),
            ("./work.key.pub", "./work.key-cert.pub"),
        ] {
            assert_eq!(beside(Path::new(key)), Path::new(certificate));
        }
    }
}
