//! Compiles the `.proto` files with protox, in Rust: no `protoc` is needed. Messages that carry a token, a secret or a user
//! code get no derived `Debug`; `src/wire.rs` writes theirs without it.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 4] = [
    "token_broker/v1/account.proto",
    "token_broker/v1/error.proto",
    "token_broker/v1/token_broker.proto",
    "token_broker/v1/broker_admin.proto",
];

/// Kept equal to the list in `src/wire.rs`, which does not compile otherwise.
const SECRET_CARRIERS: [&str; 13] = [
    "GetTokenRequest",
    "GetTokenResponse",
    "SignHttpRequestResponse",
    "SignInRequest",
    "SignOutRequest",
    "OpenUrl",
    "BeginAuthorizationRequest",
    "BeginAuthorizationResponse",
    "UserCode",
    "CompleteAuthorizationRequest",
    "AddApplicationRequest",
    "Certificate",
    "ImportMsalCacheRequest",
];

fn main() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(FILES, ["."])?;
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out_dir.join("descriptors.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure()
        .build_transport(false)
        .skip_debug(SECRET_CARRIERS.map(|message| format!(".token_broker.v1.{message}")))
        .compile_fds(descriptors)?;
    for file in FILES {
        println!("cargo::rerun-if-changed={file}");
    }
    Ok(())
}
