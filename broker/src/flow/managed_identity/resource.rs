//! The resource that a token is asked for. Managed identity knows no scopes: a request names one resource, as the endpoints of
//! version 1 did; a scope `RESOURCE/.default` stands for it.

use token_broker_proto::{Invalid, oauth::ScopeSet};

/// Asks for everything that an application was given at a resource.
const DEFAULT: &str = "/.default";

/// The one resource of these scopes, as a set of its own. Scopes that ask for a user's tokens do not count: there is no user.
pub fn resource(scopes: &ScopeSet) -> Result<ScopeSet, Invalid> {
    let wanted = scopes.without_reserved();
    let mut wanted = wanted.iter();
    let rule = match (wanted.next(), wanted.next()) {
        (Some(scope), None) => {
            let resource = scope.as_str().strip_suffix(DEFAULT).unwrap_or(scope.as_str());
            if !resource.is_empty() {
                return ScopeSet::parse([resource]);
            }
            "a resource must not be empty"
        }
        (Some(_), Some(_)) => "a managed identity gets a token for one resource at a time: give one scope",
        (None, _) => "a managed identity needs the resource that its token is for, such as https://vault.azure.net",
    };
    Err(Invalid::new("scopes", rule))
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::ScopeSet;

    use super::resource;

    #[test]
    fn a_default_scope_stands_for_its_resource() {
        for (scopes, expected) in [
            ("https://vault.azure.net", Some("https://vault.azure.net")),
            ("https://vault.azure.net/.default openid", Some("https://vault.azure.net")),
            // The slash belongs to the resource: the audience that its token is checked against has it, too.
            ("https://management.core.windows.net//.default", Some("https://management.core.windows.net/")),
            ("api://AzureADTokenExchange/.default", Some("api://AzureADTokenExchange")),
            ("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d", Some("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d")),
            ("openid", None),
            ("/.default", None),
            ("https://a.example https://b.example", None),
        ] {
            let scopes = ScopeSet::parse([scopes]).expect("scopes");
            assert_eq!(resource(&scopes).ok().map(|it| it.to_string()).as_deref(), expected, "{scopes}");
        }
    }
}
