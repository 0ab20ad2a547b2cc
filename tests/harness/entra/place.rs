//! Where a request goes, from its path alone, and what is recorded of it: everything, since a test compares it and throws it
//! away. The paths are those of Entra ID, B2C and external tenants (`/TENANT[/POLICY]/oauth2/v2.0/...`) and of AD FS
//! (`/adfs/oauth2/...`).

use std::collections::BTreeMap;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `instance`: which hosts are the same cloud.
    Instance,
    /// `metadata`: the OpenID Connect document of a tenant.
    Metadata,
    /// `keys`: the signing keys.
    Keys,
    /// `authorize`: the sign-in page.
    Authorize,
    /// `token`: every grant.
    Token,
    /// `device`: the start of a device sign-in.
    Device,
}

/// One request, whole.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What it asked for.
    pub place: Place,
    /// HTTP method.
    pub method: String,
    /// Host of the CONNECT.
    pub host: String,
    /// Path, without the query.
    pub path: String,
    /// Parameters of query and form.
    pub parameters: BTreeMap<String, String>,
    /// Headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
}

/// The ends of paths; what stands before is the tenant, with a policy at B2C.
const ENDS: [(&str, Place); 13] = [
    ("/v2.0/.well-known/openid-configuration", Place::Metadata),
    ("/.well-known/openid-configuration", Place::Metadata),
    ("/discovery/v2.0/keys", Place::Keys),
    ("/discovery/keys", Place::Keys),
    ("/oauth2/v2.0/authorize", Place::Authorize),
    ("/oauth2/authorize/", Place::Authorize),
    ("/oauth2/authorize", Place::Authorize),
    ("/oauth2/v2.0/token", Place::Token),
    ("/oauth2/token/", Place::Token),
    ("/oauth2/token", Place::Token),
    ("/oauth2/v2.0/devicecode", Place::Device),
    ("/oauth2/devicecode", Place::Device),
    ("/discovery/instance", Place::Instance),
];

impl Place {
    /// The place of its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Instance, Self::Metadata, Self::Keys, Self::Authorize, Self::Token, Self::Device];
        all.into_iter().find(|place| place.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Metadata => "metadata",
            Self::Keys => "keys",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Device => "device",
        }
    }

    /// The place of a path, and the tenant in it.
    pub(super) fn of(path: &str) -> Option<(Self, &str)> {
        ENDS.into_iter().find_map(|(end, place)| Some((place, path.strip_suffix(end)?.trim_start_matches('/'))))
    }
}

impl Recorded {
    /// The kind of request in words: its place, at the token endpoint with the grant type's last word.
    #[must_use]
    pub fn kind(&self) -> String {
        match (self.place, self.parameters.get("grant_type")) {
            (Place::Token, Some(grant)) => format!("token:{}", grant.rsplit(':').next().unwrap_or_default()),
            (place, _) => place.name().to_owned(),
        }
    }
}
