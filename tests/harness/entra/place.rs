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
    /// `user_realm`: where the password of a user goes.
    UserRealm,
    /// `mex`: the metadata of a federation server.
    Mex,
    /// `trust`: where it takes a user name and a password.
    Trust,
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
    /// Parameters of query and form; of an envelope its parts by their paths.
    pub parameters: BTreeMap<String, String>,
    /// Headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
}

/// The ends of paths; what stands before is the tenant, with a policy at B2C.
const ENDS: [(&str, Place); 16] = [
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
    ("/services/trust/mex", Place::Mex),
    ("/services/trust/13/usernamemixed", Place::Trust),
    ("/services/trust/2005/usernamemixed", Place::Trust),
];

impl Place {
    /// The place of its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Instance, Self::Metadata, Self::Keys, Self::Authorize, Self::Token, Self::Device];
        let of_users = [Self::UserRealm, Self::Mex, Self::Trust];
        all.into_iter().chain(of_users).find(|place| place.name() == name)
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
            Self::UserRealm => "user_realm",
            Self::Mex => "mex",
            Self::Trust => "trust",
        }
    }

    /// The place of a path, and the tenant in it; of a realm the user.
    pub(super) fn of(path: &str) -> Option<(Self, &str)> {
        if let Some(username) = path.strip_prefix("/common/userrealm/") {
            return Some((Self::UserRealm, username));
        }
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
