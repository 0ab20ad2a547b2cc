//! The vectors of managed identity: requests for an environment and an identity, and answers of a source.

use serde_json::{Map, Value, json};
use token_broker_proto::{
    Secret,
    oauth::{ManagedIdentity, ManagedIdentityId, ManagedIdentitySource, ScopeSet},
};

use super::{Environment, Question, Source, parse, request};
use crate::{
    flow::oauth::vectors,
    model::{HttpRequest, Route},
};

fn identity(case: &Value) -> ManagedIdentity {
    let id = |name: &str| case["identity"][name].as_str();
    let id = match (id("client_id"), id("resource_id"), id("object_id")) {
        (Some(id), ..) => ManagedIdentityId::from_client_id(id),
        (_, Some(id), _) => ManagedIdentityId::from_resource_id(id),
        (.., Some(id)) => ManagedIdentityId::from_object_id(id),
        _ => Ok(ManagedIdentityId::SystemAssigned),
    };
    let source = case["source"].as_str().map(|text| ManagedIdentitySource::parse(text).unwrap());
    ManagedIdentity { id: id.unwrap(), source }
}

fn request_json(request: &HttpRequest) -> Value {
    let headers: Map<_, _> =
        request.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into())).collect();
    let sensitive = request.headers().iter().filter(|(_, value)| value.is_sensitive());
    json!({
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "body": request.body().expose(),
        "headers": headers,
        "hidden": sensitive.map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        "pinned": matches!(request.extensions().get(), Some(Route::Pinned(_))),
    })
}

#[test]
fn every_request_vector() {
    vectors::check_all_of("managed_identity", "request", |case| {
        let variable = |name: &str| case["environment"][name].as_str().map(Secret::new);
        let has_arc_agent = || case["arc_agent"] == true;
        let environment = Environment { variable: &variable, has_arc_agent: &has_arc_agent };
        let identity = identity(case);
        let source = match Source::find(&identity, &environment) {
            Ok(source) => source,
            Err(error) => return json!({ "error": error.to_string() }),
        };
        let resource = ScopeSet::parse(["https://vault.azure.net"]).unwrap();
        let refused = case["refused"].as_str().map(Secret::new);
        let capabilities: Vec<_> = case["capabilities"].as_str().into_iter().map(str::to_owned).collect();
        let question = Question {
            id: &identity.id,
            resource: &resource,
            capabilities: &capabilities,
            refused: refused.as_ref(),
            correlation_id: vectors::correlation_id(),
        };
        request_json(&request(&source, &question))
    });
}

#[test]
fn every_response_vector() {
    vectors::check_all_of("managed_identity", "response", |case| {
        let identity = identity(case);
        let resource = ScopeSet::parse(["https://vault.azure.net"]).unwrap();
        let question = Question {
            id: &identity.id,
            resource: &resource,
            capabilities: &[],
            refused: None,
            correlation_id: vectors::correlation_id(),
        };
        let now = vectors::time(&case["now"]);
        match parse(&vectors::response(&case["response"]), identity.source.unwrap(), &question, now) {
            Ok(token) => json!({
                "access_token": token.access_token.expose(),
                "lifetime": token.expires_on.since(now).as_secs(),
                "refresh_in": token.refresh_on.map(|on| on.since(now).as_secs()),
            }),
            Err(error) => json!({ "error": error.to_string() }),
        }
    });
}
