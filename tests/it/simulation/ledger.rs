//! What the authorization server knows: a model of one that rotates refresh tokens and, when it sees one twice, revokes all
//! that came of the same sign-in. A token says in its text which sign-in it is of and which rotation.

use std::collections::HashMap;

use super::journal::Holder;

/// Everything that came of one sign-in.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Family {
    pub(super) holder: Holder,
    /// Number of the current refresh token, from 0.
    pub(super) current: usize,
    pub(super) rotates: bool,
    /// Whether a successor that got lost is given out again.
    pub(super) lenient: bool,
    pub(super) revoked: bool,
    /// An answer with a new refresh token did not arrive: what follows is nobody's fault.
    pub(super) lost: bool,
}

/// A refresh token or an access token, by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) family: usize,
    pub(super) rotation: usize,
}

impl Name {
    pub(super) fn refresh_token(self) -> String {
        format!("rt-{}-{}", self.family, self.rotation)
    }

    pub(super) fn access_token(self) -> String {
        format!("at-{}-{}", self.family, self.rotation)
    }

    pub(super) fn parse(token: &str) -> Option<Self> {
        let mut parts = token.split('-').skip(1).map(str::parse);
        Some(Self { family: parts.next()?.ok()?, rotation: parts.next()?.ok()? })
    }
}

/// What came of presenting a refresh token.
pub(super) enum Presented {
    /// New tokens; the refresh token is a new one if `rotated`.
    Issued { name: Name, rotated: bool },
    /// `invalid_grant`; whether it was seen before although its successor had arrived.
    Refused { reuse: bool },
}

/// The server's memory.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) families: Vec<Family>,
    /// Who will enter which device code; `None` once that is used.
    devices: Vec<Option<Holder>>,
    /// Who is at the keyboard of which sign-in, by its correlation id.
    pub(super) expected: HashMap<String, Holder>,
}

impl Ledger {
    /// A new sign-in.
    pub(super) fn sign_in(&mut self, holder: Holder, rotates: bool, lenient: bool) -> Name {
        self.families.push(Family { holder, current: 0, rotates, lenient, revoked: false, lost: false });
        Name { family: self.families.len() - 1, rotation: 0 }
    }

    pub(super) fn begin_device(&mut self, correlation_id: &str) -> Option<usize> {
        let holder = *self.expected.get(correlation_id)?;
        self.devices.push(Some(holder));
        Some(self.devices.len() - 1)
    }

    /// The user has entered the code.
    pub(super) fn enter(&mut self, device: usize, rotates: bool, lenient: bool) -> Option<Name> {
        let holder = self.devices.get_mut(device)?.take()?;
        Some(self.sign_in(holder, rotates, lenient))
    }

    pub(super) fn present(&mut self, token: &str) -> Presented {
        let found = Name::parse(token).and_then(|name| Some((name, self.families.get_mut(name.family)?)));
        let Some((name, family)) = found else { return Presented::Refused { reuse: false } };
        if family.revoked {
            return Presented::Refused { reuse: false };
        }
        if family.lenient && family.lost && name.rotation + 1 == family.current {
            family.lost = false;
            return Presented::Issued { name: Name { rotation: family.current, ..name }, rotated: true };
        }
        if name.rotation < family.current {
            family.revoked = true;
            return Presented::Refused { reuse: !family.lost };
        }
        if family.rotates {
            family.current += 1;
        }
        Presented::Issued { name: Name { rotation: family.current, ..name }, rotated: family.rotates }
    }

    pub(super) fn revoke(&mut self, token: &str) {
        if let Some(family) = Name::parse(token).and_then(|name| self.families.get_mut(name.family)) {
            family.revoked = true;
        }
    }

    pub(super) fn holder(&self, token: &str) -> Option<Holder> {
        Some(self.families.get(Name::parse(token)?.family)?.holder)
    }
}
