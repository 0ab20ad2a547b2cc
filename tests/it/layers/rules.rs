//! The drawing of ARCHITECTURE.md as tables: which room may name which, and which foreign crates are at home where. A new arrow
//! or a new crate is a line here, seen by whoever reviews it.

/// Every room of the broker, with the rooms that it may name besides itself.
pub(super) const ARROWS: [(&str, &[&str]); 11] = [
    ("metrics", &[]),
    ("model", &[]),
    ("certificate", &["model"]),
    ("access", &["metrics", "model"]),
    ("ports", &["metrics", "model"]),
    ("flow", &["metrics", "model"]),
    ("store", &["metrics", "model"]),
    ("provider", &["flow", "ports", "metrics", "model"]),
    ("acquire", &["provider", "flow", "store", "ports", "access", "metrics", "model"]),
    ("admin", &["provider", "flow", "store", "ports", "certificate", "access", "metrics", "model"]),
    ("server", &["acquire", "admin", "access", "metrics", "model"]),
];

/// The files beside the rooms, with the rooms that they may name; `daemon` builds everything, so that it and the two files that
/// start it know all.
pub(super) const TOP_FILES: [(&str, &[&str]); 7] = [
    ("main", ALL),
    ("lib", ALL),
    ("daemon", ALL),
    ("config", &["model"]),
    ("paths", &["model"]),
    ("lifecycle", &["model", "ports", "daemon"]),
    ("reload", &["config", "access", "ports"]),
];
const ALL: &[&str] =
    &["metrics", "model", "access", "ports", "flow", "certificate", "provider", "store", "acquire", "admin", "server"];

/// Crates that any room may name.
pub(super) const COMMONS: [&str; 13] = [
    "std",
    "core",
    "alloc",
    "tokio",
    "tracing",
    "serde",
    "serde_json",
    "zeroize",
    "thiserror",
    "bytes",
    "http",
    "url",
    "token_broker_proto",
];

/// Crates that are at home in some rooms or top files only.
pub(super) const AT_HOME: [(&str, &[&str]); 35] = [
    ("base64", &["flow", "store", "ports", "certificate"]),
    ("clap", &["main", "config", "daemon"]),
    ("directories", &["paths", "config", "daemon"]),
    ("futures_util", &["server"]),
    ("http_body_util", &["ports"]),
    ("hyper", &["ports", "server"]),
    ("hyper_util", &["ports"]),
    ("listenfd", &["lifecycle"]),
    ("p12_keystore", &["certificate"]),
    ("pem", &["certificate"]),
    ("pkcs8", &["certificate"]),
    ("prometheus_client", &["metrics"]),
    ("prost", &["server"]),
    ("prost_types", &["server"]),
    ("quick_xml", &["flow"]),
    ("reqwest", &["ports"]),
    ("ring", &["store", "flow", "ports", "certificate"]),
    ("rusqlite", &["store"]),
    ("rustix", &["store", "server", "ports", "lifecycle", "paths"]),
    ("rustls", &["ports", "main"]),
    ("sd_notify", &["lifecycle"]),
    ("strsim", &["config"]),
    ("token_broker", &["main"]),
    ("tokio_stream", &["acquire", "server", "daemon"]),
    ("tokio_util", &["acquire", "admin", "server", "ports", "daemon", "lifecycle"]),
    ("toml", &["config"]),
    ("tonic", &["server"]),
    ("tonic_health", &["server"]),
    ("tonic_prost", &["server"]),
    ("tonic_reflection", &["server"]),
    ("tonic_types", &["server"]),
    ("tower_service", &["server"]),
    ("tracing_subscriber", &["main", "daemon"]),
    ("uuid", &["ports", "server"]),
    ("x509_parser", &["certificate"]),
];

/// What other members may not depend on: they talk to the daemon through its contract only.
pub(super) const FORBIDDEN_DEPENDENCIES: [(&str, &[&str]); 3] = [
    ("proto", &["token-broker", "token-broker-client", "token-broker-cli", "tokio", "reqwest", "rusqlite"]),
    ("client", &["token-broker", "token-broker-cli", "rusqlite", "reqwest"]),
    ("cli", &["token-broker", "tonic", "prost", "rusqlite", "reqwest"]),
];

/// Except for what their examples show: a dev-dependency, named in `examples/` only.
pub(super) const IN_EXAMPLES: [(&str, &str); 1] = [("client", "reqwest")];
