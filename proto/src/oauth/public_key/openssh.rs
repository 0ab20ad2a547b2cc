//! A public key as a line of OpenSSH: its kind, base64 of the key as SSH sends it, and a comment. Integers and texts have a length in
//! front (RFC 4251, section 5).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Curve, PublicKey, invalid, is_private};
use crate::Invalid;

pub(super) fn parse(line: &str) -> Result<PublicKey, Invalid> {
    if line.contains("PRIVATE KEY") || line.starts_with("PuTTY-User-Key-File") {
        return Err(is_private());
    }
    if line.starts_with("----") {
        let rule = "is not in the form of OpenSSH: ssh-keygen -i -m PKCS8 -f FILE (or -m RFC4716) writes it so";
        return Err(invalid(rule));
    }
    if line.contains(['\n', '\r']) {
        return Err(invalid("has several lines: a public key is one line"));
    }
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let (kind, body) = (words.next().unwrap_or_default(), words.next());
    refuse_kind(kind)?;
    let body = body.ok_or_else(|| invalid("has a kind and no key: give the line that ssh-keygen wrote to KEY.pub"))?;
    let bytes = STANDARD.decode(body).map_err(|_| invalid("is a line whose key is not base64"))?;
    let mut fields = Fields(&bytes);
    if fields.next()? != kind.as_bytes() {
        return Err(invalid("is a line whose key is of another kind than it says"));
    }
    let key = read(kind, &mut fields)?;
    if fields.0.is_empty() { Ok(key) } else { Err(damaged()) }
}

/// Kinds that are none of a plain public key, said with what to do.
fn refuse_kind(kind: &str) -> Result<(), Invalid> {
    if kind.ends_with("-cert-v01@openssh.com") {
        return Err(invalid("is a certificate already: give the public key itself, KEY.pub"));
    }
    if kind.starts_with("sk-") {
        return Err(invalid("is the key of a hardware security key, which certificates are not issued for here"));
    }
    let known = ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
    if known.contains(&kind) {
        return Ok(());
    }
    Err(invalid(format!("is no public key: it begins with none of {}, and is no JWK", known.join(", "))))
}

fn read(kind: &str, fields: &mut Fields<'_>) -> Result<PublicKey, Invalid> {
    let curve = match kind {
        "ssh-rsa" => {
            let exponent = fields.next()?;
            return PublicKey::rsa(fields.next()?, exponent);
        }
        "ssh-ed25519" => return PublicKey::ed25519(fields.next()?),
        "ecdsa-sha2-nistp256" => Curve::P256,
        "ecdsa-sha2-nistp384" => Curve::P384,
        _ => Curve::P521,
    };
    if Some(fields.next()?) != kind.strip_prefix("ecdsa-sha2-").map(str::as_bytes) {
        return Err(damaged());
    }
    // An uncompressed point (RFC 5656, section 3.1).
    match fields.next()? {
        [4, coordinates @ ..] => {
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            PublicKey::elliptic_curve(curve, x, y)
        }
        _ => Err(invalid("is a key of an elliptic curve whose point is compressed or damaged")),
    }
}

/// A certificate has its kind, a nonce, and then the key (PROTOCOL.certkeys of OpenSSH); what it certifies is for `sshd` to judge.
pub(super) fn certificate_line(key: &PublicKey, base64: &str) -> Option<String> {
    let bytes = STANDARD.decode(base64).ok()?;
    let mut fields = Fields(&bytes);
    let kind = std::str::from_utf8(fields.next().ok()?).ok()?;
    let _nonce = fields.next().ok()?;
    let of = kind.strip_suffix("-cert-v01@openssh.com")?;
    refuse_kind(of).ok()?;
    (read(of, &mut fields).ok()? == *key).then(|| format!("{kind} {base64}"))
}

/// What is left to read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<&'a [u8], Invalid> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| damaged())?;
        let (field, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(field)
    }
}

fn damaged() -> Invalid {
    invalid("is a line whose key is damaged")
}
