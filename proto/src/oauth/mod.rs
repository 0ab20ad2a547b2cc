//! The words of OAuth 2.0 and OpenID Connect that requests and answers are made of.

mod authority;
mod claims;
mod client_id;
mod correlation_id;
mod extra_parameters;
mod managed_identity;
mod public_key;
mod region;
mod scope;
mod unix_time;

pub use authority::{
    Authority, Endpoints, MicrosoftAuthority, MicrosoftKind, clouds, is_customer_host, is_guid, provider_url,
};
pub use claims::{Claims, client_capabilities};
pub use client_id::{ApplicationName, ClientId};
pub use correlation_id::CorrelationId;
pub use extra_parameters::ExtraParameters;
pub use managed_identity::{ManagedIdentity, ManagedIdentityId, ManagedIdentitySource};
pub use public_key::{Curve, PublicKey};
pub use region::{Region, is_region_name};
pub use scope::{Scope, ScopeSet};
pub use unix_time::UnixTime;
