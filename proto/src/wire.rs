//! The generated wire types of `token_broker.v1`, their descriptors, and `Debug` for the messages that carry a token, a
//! secret or a code: it shows no field at all.

use std::fmt;

/// Generated from `token_broker/v1/*.proto`; documented there.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    unreachable_pub,
    reason = "generated code is not ours to style"
)]
pub mod v1 {
    tonic::include_proto!("token_broker.v1");
}

/// The encoded `FileDescriptorSet` of the package, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! redacted_debug {
    ($($message:ty => $name:literal),* $(,)?) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($name, " { [redacted] }"))
            }
        })*
    };
}

redacted_debug! {
    v1::GetTokenRequest => "GetTokenRequest",
    v1::GetTokenResponse => "GetTokenResponse",
    v1::SignHttpRequestResponse => "SignHttpRequestResponse",
    v1::SignInRequest => "SignInRequest",
    v1::SignOutRequest => "SignOutRequest",
    v1::OpenUrl => "OpenUrl",
    v1::BeginAuthorizationRequest => "BeginAuthorizationRequest",
    v1::BeginAuthorizationResponse => "BeginAuthorizationResponse",
    v1::UserCode => "UserCode",
    v1::CompleteAuthorizationRequest => "CompleteAuthorizationRequest",
    v1::AddApplicationRequest => "AddApplicationRequest",
    v1::Certificate => "Certificate",
    v1::ImportMsalCacheRequest => "ImportMsalCacheRequest",
}
