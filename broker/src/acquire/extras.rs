//! What goes along with a request beyond its scopes: whether the provider has it, what of it is claims, and what it sets apart in
//! the cache.

use token_broker_proto::{
    Invalid,
    calls::Extras,
    oauth::{Authority, Claims},
};

use crate::model::DeskError;

/// Whether this authority has what goes along.
pub(super) fn check(extras: &Extras, authority: &Authority) -> Result<(), DeskError> {
    let (foreign, rule): (&[&str], _) = match authority {
        Authority::Microsoft(_) => {
            (&["audience", "resource"], "is not for Microsoft's identity platform: name the service by a scope")
        }
        Authority::OpenIdConnect { .. } | Authority::Endpoints(_) => {
            (&["fmi_path", "kerberos_service_principal"], "is for Microsoft's identity platform only")
        }
        Authority::ManagedIdentity(_) => (
            &["fmi_path", "client_claims", "kerberos_service_principal"],
            "is not for a managed identity, whose source takes nothing along",
        ),
    };
    match parts(extras).into_iter().find(|(field, _)| foreign.contains(field)) {
        Some((field, _)) => Err(Invalid::new(field, rule).into()),
        None => Ok(()),
    }
}

/// The claims that go along without going past the cache.
pub(super) fn claims(extras: &Extras) -> Option<Claims> {
    let ticket = extras.kerberos_service_principal.as_deref().map(Claims::kerberos_ticket);
    Claims::merged(ticket, extras.client_claims.as_ref())
}

/// Everything that sets tokens apart, for `cache_key`. The names are those of Microsoft's libraries, where these have them.
pub(super) fn parts(extras: &Extras) -> Vec<(&'static str, &str)> {
    let Extras { audience, resource, fmi_path, kerberos_service_principal, client_claims } = extras;
    let texts = [
        ("audience", audience.as_deref()),
        ("resource", resource.as_deref()),
        ("fmi_path", fmi_path.as_deref()),
        ("kerberos_service_principal", kerberos_service_principal.as_deref()),
        ("client_claims", client_claims.as_ref().map(Claims::as_str)),
    ];
    texts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
