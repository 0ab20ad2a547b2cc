//! Federation servers, as AD FS is one: organizations with their own host, their WS-MetadataExchange document, and the endpoints that
//! give a SAML assertion for a user name and a password. What is sent there is checked to the last element. It knows nothing of
//! grants: `directory::users` takes the assertions.

mod assertion;
mod mex;
pub(super) mod soap;
mod trust;

use std::collections::BTreeMap;

use serde_json::Value;

use super::Place;
use crate::authorization_server::wire::Answer;

/// The password of everybody, with all that could break out of an envelope or a form.
pub const PASSWORD: &str = "c0rrect & <h\u{f6}rse> 'b\"attery]]> +%";

/// Versions of WS-Trust that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    V13,
    V2005,
}

/// An organization with a federation server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Organization {
    domain: &'static str,
    host: &'static str,
    versions: &'static [Trust],
    is_saml_2: bool,
    /// Whether Microsoft knows where its metadata are, or the one endpoint alone.
    has_metadata: bool,
}

const ORGANIZATIONS: [Organization; 4] = [
    Organization {
        domain: "federated.example",
        host: "sts.federated.example",
        versions: &[Trust::V2005, Trust::V13],
        is_saml_2: false,
        has_metadata: true,
    },
    Organization {
        domain: "old.example",
        host: "sts.old.example",
        versions: &[Trust::V2005],
        is_saml_2: false,
        has_metadata: true,
    },
    Organization {
        domain: "saml2.example",
        host: "sts.saml2.example",
        versions: &[Trust::V2005, Trust::V13],
        is_saml_2: true,
        has_metadata: true,
    },
    Organization {
        domain: "bare.example",
        host: "sts.bare.example",
        versions: &[Trust::V13],
        is_saml_2: false,
        has_metadata: false,
    },
];

/// An assertion as it was issued.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) text: String,
    pub(super) username: String,
    pub(super) is_saml_2: bool,
}

/// A request to a federation server.
pub(super) struct Sent<'a> {
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a BTreeMap<String, String>,
    pub(super) body: &'a str,
    /// What a test has planned for it.
    pub(super) plan: &'a Value,
    pub(super) now: i64,
}

/// Whether a federation server answers there.
pub(super) fn is_server(host: &str) -> bool {
    ORGANIZATIONS.iter().any(|organization| organization.host == host)
}

/// The organization of a user, if it is one of these.
pub(super) fn of_user(username: &str) -> Option<&'static Organization> {
    let domain = username.rsplit('@').next().unwrap_or_default();
    ORGANIZATIONS.iter().find(|organization| organization.domain.eq_ignore_ascii_case(domain))
}

impl Organization {
    /// What user realm discovery says of its users.
    pub(super) fn realm(&self, username: &str) -> serde_json::Map<String, Value> {
        let server = format!("https://{}/adfs/services/trust", self.host);
        let realm = serde_json::json!({
            "ver": "1.0", "account_type": "Federated", "domain_name": self.domain, "federation_protocol": "WSTrust",
            "federation_active_auth_url": format!("{server}/13/usernamemixed"), "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline", "login": username,
        });
        let mut realm = realm.as_object().cloned().unwrap_or_default();
        if self.has_metadata {
            realm.insert("federation_metadata_url".to_owned(), format!("{server}/mex").into());
        }
        realm
    }
}

/// Answers; an assertion that was issued comes along, to be known again.
pub(super) fn answer(place: Place, sent: &Sent<'_>, number: usize) -> (Answer, Option<Issued>) {
    let organization = ORGANIZATIONS.iter().find(|organization| organization.host == sent.host);
    match (place, organization) {
        (Place::Mex, Some(organization)) if organization.has_metadata => {
            (soap::answer(200, &mex::document(organization)), None)
        }
        (Place::Trust, Some(organization)) => match trust::issue(organization, sent, number) {
            Ok((envelope, issued)) => (soap::answer(200, &envelope), Some(issued)),
            Err(fault) => (soap::answer(500, &fault), None),
        },
        _ => (Answer::empty(404), None),
    }
}
