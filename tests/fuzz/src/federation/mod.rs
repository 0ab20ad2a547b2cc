//! What is said of federated users: their realm, the metadata of their federation server, its answer to a password.

use token_broker::flow::microsoft::{
    user_realm::{self, FederationServer, UserRealm},
    ws_trust::{WsTrustError, mex, rstr},
};
use token_broker_proto::Secret;

use crate::exchange::{assert_showable, response};

/// A user realm: whatever it says, a password goes over https.
pub(crate) fn user_realm(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    match user_realm::parse(&response) {
        Ok(UserRealm::Managed) => {}
        Ok(UserRealm::Federated(federation)) => {
            let (FederationServer::Metadata(url) | FederationServer::Endpoint(url)) = federation.server;
            assert_eq!(url.scheme(), "https");
            assert!(url.username().is_empty() && url.password().is_none(), "{url}");
            assert_showable(&federation.audience);
        }
        Err(error) => assert_showable(&error.to_string()),
    }
}

/// The metadata of a federation server.
pub(crate) fn mex(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    match mex::parse(&response) {
        Ok(endpoint) => {
            assert_eq!(endpoint.url.scheme(), "https");
            assert!(endpoint.url.username().is_empty() && endpoint.url.password().is_none());
        }
        Err(error) => assert_showable(&error.to_string()),
    }
}

/// An assertion or a fault: the assertion is a part of the answer, byte for byte.
pub(crate) fn rstr(bytes: &[u8]) {
    let Some(response) = response(bytes) else { return };
    match rstr::parse(&response, &Secret::new("password")) {
        Ok(assertion) => {
            let text = assertion.text.expose();
            assert!(response.body().expose().contains(text) && text.starts_with('<') && text.ends_with('>'), "{text}");
        }
        Err(WsTrustError::Refused(fault)) => {
            assert_showable(&fault.code);
            assert_showable(&fault.reason);
        }
        Err(error) => assert_showable(&error.to_string()),
    }
}
