//! Regions of Azure: the host that serves one, and how a virtual machine is asked which one it is in (the Instance Metadata
//! Service). Only an application's own tokens are asked for there; who asks, and when, is for the desk.

use http::{HeaderValue, Method, Uri};
use serde_json::Value;
use token_broker_proto::{Secret, oauth::is_region_name};
use url::Url;

use crate::model::{HttpRequest, HttpResponse, Route};

/// The hosts of the public cloud, which have one name for each region.
const PUBLIC: [&str; 4] = ["login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"];
/// What follows the region there.
const PUBLIC_REGIONAL: &str = "login.microsoft.com";
/// The Instance Metadata Service, which every virtual machine of Azure has.
const INSTANCE: &str = "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01";

/// The same endpoint in a region; as it is, where that makes no URL.
#[must_use]
pub fn endpoint(region: &str, central: &Url) -> Url {
    let mut regional = central.clone();
    let host = central.host_str().unwrap_or_default();
    let below = if PUBLIC.contains(&host) { PUBLIC_REGIONAL } else { host };
    match regional.set_host(Some(&format!("{region}.{below}"))) {
        Ok(()) => regional,
        Err(_) => central.clone(),
    }
}

/// Asks the machine where it is.
#[must_use]
pub fn request() -> HttpRequest {
    let mut request = HttpRequest::new(Secret::new(""));
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::from_static(INSTANCE);
    request.headers_mut().insert("metadata", HeaderValue::from_static("true"));
    request.extensions_mut().insert(Route::Machine);
    request
}

/// Where it is, if it says so.
#[must_use]
pub fn parse(response: &HttpResponse) -> Option<String> {
    let document: Value = serde_json::from_str(response.body().expose()).ok()?;
    let location = document.get("location")?.as_str()?;
    if response.status().is_success() { named(location) } else { None }
}

/// The region of a text of the machine: a name, or one as people write it.
#[must_use]
pub fn named(text: &str) -> Option<String> {
    let name = text.replace(' ', "").to_ascii_lowercase();
    is_region_name(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::{endpoint, named, parse};
    use crate::flow::oauth::vectors;

    #[test]
    fn a_region_has_a_host_of_its_own() {
        let at = |host: &str| {
            let central = Url::parse(&format!("https://{host}/t/oauth2/v2.0/token")).expect("a URL");
            endpoint("westus2", &central).to_string()
        };
        for public in super::PUBLIC {
            assert_eq!(at(public), "https://westus2.login.microsoft.com/t/oauth2/v2.0/token");
        }
        assert_eq!(at("login.microsoftonline.us"), "https://westus2.login.microsoftonline.us/t/oauth2/v2.0/token");
    }

    #[test]
    fn only_a_name_is_believed() {
        let said = |status: u16, body: serde_json::Value| {
            parse(&vectors::response(&json!({ "status": status, "headers": {}, "body": body })))
        };
        assert_eq!(said(200, json!({ "location": "westus2" })).as_deref(), Some("westus2"));
        assert_eq!(said(404, json!({ "location": "westus2" })), None);
        for wrong in [json!({ "location": "evil.example/" }), json!({ "location": 7 }), json!({}), json!([])] {
            assert_eq!(said(200, wrong.clone()), None, "{wrong}");
        }
        assert_eq!(named("West US 2").as_deref(), Some("westus2"));
        assert_eq!(named("x@evil"), None);
    }
}
