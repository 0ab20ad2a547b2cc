//! Clouds, hosts and tenants: which names belong together (instance discovery), which tenant a path names, and what a tenant's
//! metadata says. The tenants are made up; the hosts and alias groups are the real ones.

use serde_json::{Value, json};

use super::{Asked, refusal};
use crate::authorization_server::wire::Answer;

/// Tenant of contoso.example, where users and applications are at home.
pub const CONTOSO: &str = "0c0de0c0-1111-4aaa-8bbb-000000000001";
/// Tenant of fabrikam.example, where they are guests.
pub const FABRIKAM: &str = "0fab0fab-2222-4ccc-8ddd-000000000002";
/// The tenant of personal accounts, as it really is.
pub const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Clouds: the names of each, the preferred one first, the preferred name in caches second.
const CLOUDS: [&[&str]; 5] = [
    &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    &["login.microsoftonline.us", "login.microsoftonline.us", "login.usgovcloudapi.net"],
    &["login-us.microsoftonline.com", "login-us.microsoftonline.com"],
    // A cloud that clients have not built in.
    &["login.newcloud.example", "login.newcloud.example"],
];

/// Hosts that are no cloud: policies, external tenants, a federation server, a generic issuer's custom domain.
const OTHERS: [&str; 4] =
    ["contoso.b2clogin.com", "contoso.ciamlogin.com", "adfs.contoso.example", "signin.contoso.example"];

/// What kind of authority answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A tenant of a cloud.
    Entra,
    /// A policy of Azure AD B2C.
    B2c,
    /// An external tenant.
    External,
    /// A federation server of one's own.
    Adfs,
}

/// A tenant as a host serves it.
#[derive(Debug, Clone)]
pub(super) struct Realm {
    pub(super) kind: Kind,
    /// The tenant's identifier; none for `common` and `organizations`, where the user decides.
    pub(super) tenant: Option<&'static str>,
    issuer: String,
    /// `https://HOST/TENANT`, as its endpoints begin.
    base: String,
}

/// Whether this host is part of the platform.
pub(in crate::entra) fn is_hosted(host: &str) -> bool {
    OTHERS.contains(&host) || is_cloud(host)
}

/// Whether it is a name of a cloud.
pub(super) fn is_cloud(host: &str) -> bool {
    cloud(host).is_some()
}

fn cloud(host: &str) -> Option<&'static [&'static str]> {
    CLOUDS.into_iter().find(|names| names.contains(&host)).or_else(|| regional(host))
}

/// The cloud of a host that is of one region: `REGION.login.microsoft.com` in the public one, `REGION.HOST` elsewhere.
fn regional(host: &str) -> Option<&'static [&'static str]> {
    let (_, central) = host.split_once('.')?;
    let names = CLOUDS.into_iter().find(|names| names.contains(&central))?;
    (!names.contains(&"login.microsoft.com") || central == "login.microsoft.com").then_some(names)
}

/// What the tenant part of a path says.
#[derive(Debug, Clone, Copy)]
enum Tenant {
    /// One tenant, by its identifier.
    One(&'static str),
    /// The user decides.
    OfTheUser,
}

impl Tenant {
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "common" | "organizations" => Some(Self::OfTheUser),
            "consumers" | PERSONAL => Some(Self::One(PERSONAL)),
            "contoso.example" | "contoso.onmicrosoft.com" | CONTOSO => Some(Self::One(CONTOSO)),
            "fabrikam.example" | FABRIKAM => Some(Self::One(FABRIKAM)),
            _ => None,
        }
    }

    fn id(self) -> Option<&'static str> {
        match self {
            Self::One(id) => Some(id),
            Self::OfTheUser => None,
        }
    }
}

impl Realm {
    /// The realm of a host and the tenant part of a path.
    pub(super) fn find(host: &str, path: &str) -> Option<Self> {
        let base = |path: &str| format!("https://{host}/{path}");
        match host {
            "adfs.contoso.example" if path.eq_ignore_ascii_case("adfs") => {
                Some(Self { kind: Kind::Adfs, tenant: None, issuer: base("adfs"), base: base("adfs") })
            }
            "contoso.b2clogin.com" => {
                let (name, policy) = path.split_once('/')?;
                let id = Tenant::named(name)?.id()?;
                policy.to_ascii_lowercase().starts_with("b2c_1_").then_some(())?;
                Some(Self {
                    kind: Kind::B2c,
                    tenant: Some(id),
                    issuer: format!("https://{host}/{id}/v2.0/"),
                    base: base(path),
                })
            }
            "contoso.ciamlogin.com" | "signin.contoso.example" => {
                let id = Tenant::named(path)?.id()?;
                let issuer = format!("https://{id}.ciamlogin.com/{id}/v2.0");
                Some(Self { kind: Kind::External, tenant: Some(id), issuer, base: base(id) })
            }
            _ => {
                let id = Tenant::named(path)?.id();
                let issuer = format!("https://{}/{}/v2.0", cloud(host)?.first()?, id.unwrap_or("{tenantid}"));
                // The words that stand for many tenants stay in the endpoints; a domain becomes its identifier.
                let named = id.filter(|id| *id != PERSONAL).unwrap_or(path);
                Some(Self { kind: Kind::Entra, tenant: id, issuer, base: base(named) })
            }
        }
    }

    /// The `iss` of a token for this tenant.
    pub(super) fn issuer(&self, tenant: &str) -> String {
        self.issuer.replace("{tenantid}", tenant)
    }

    /// The URL of the token endpoint, the audience of a client assertion.
    pub(super) fn token_endpoint(&self) -> String {
        match self.kind {
            Kind::Adfs => format!("{}/oauth2/token/", self.base),
            _ => format!("{}/oauth2/v2.0/token", self.base),
        }
    }

    /// What a client assertion may name as its audience: the token endpoint, for a region the central one of its cloud.
    pub(super) fn audiences(&self) -> Vec<String> {
        let endpoint = self.token_endpoint();
        let url = url::Url::parse(&endpoint).expect("an endpoint is a URL");
        let at = |host: &&str| endpoint.replacen(url.host_str().unwrap_or_default(), host, 1);
        match url.host_str().and_then(regional) {
            Some(names) if self.kind == Kind::Entra => names.iter().map(at).collect(),
            _ => vec![endpoint],
        }
    }

    /// Where a device shows its code.
    pub(super) fn verification_uri(&self) -> &'static str {
        match self.kind {
            Kind::Adfs => "https://adfs.contoso.example/adfs/oauth2/deviceauth",
            _ => "https://microsoft.com/devicelogin",
        }
    }

    /// The OpenID Connect document (OpenID Connect Discovery 1.0).
    pub(super) fn metadata(&self) -> Answer {
        let at = |path: &str| format!("{}{path}", self.base);
        let (authorize, device, keys) = match self.kind {
            Kind::Adfs => (at("/oauth2/authorize/"), at("/oauth2/devicecode"), at("/discovery/keys")),
            _ => (at("/oauth2/v2.0/authorize"), at("/oauth2/v2.0/devicecode"), at("/discovery/v2.0/keys")),
        };
        let mut document = json!({
            "token_endpoint": self.token_endpoint(),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth"],
            "jwks_uri": keys,
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": self.issuer,
            "request_uri_parameter_supported": false,
            "authorization_endpoint": authorize,
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "name", "tid"],
        });
        if let (Value::Object(members), true) = (&mut document, self.kind != Kind::B2c) {
            members.insert("device_authorization_endpoint".to_owned(), device.into());
        }
        Answer::json(200, &document)
    }
}

/// Instance discovery: whether a host is one of Microsoft's, and which names its cloud has.
pub(super) fn instance(asked: &Asked) -> Answer {
    let endpoint = asked.parameters.get("authorization_endpoint");
    let parsed = url::Url::parse(endpoint).ok();
    let host = parsed.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    let tenant = parsed.as_ref().and_then(|url| url.path_segments()?.next().map(str::to_owned)).unwrap_or_default();
    if cloud(host).is_none() {
        let body =
            json!({"error": "invalid_instance", "codes": [50049], "description": "Unknown or invalid instance."});
        return refusal::answer(&body, &asked.correlation_id);
    }
    let groups: Vec<Value> = CLOUDS
        .into_iter()
        .map(|names| {
            let mut aliases = names.to_vec();
            aliases.sort_unstable();
            aliases.dedup();
            json!({"preferred_network": names.first(), "preferred_cache": names.get(1), "aliases": aliases})
        })
        .collect();
    Answer::json(
        200,
        &json!({
            "tenant_discovery_endpoint": format!("https://{host}/{tenant}/v2.0/.well-known/openid-configuration"),
            "api-version": asked.parameters.get("api-version"),
            "metadata": groups,
        }),
    )
}
