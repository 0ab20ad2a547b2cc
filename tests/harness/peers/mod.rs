//! Servers that we did not write, each started for one test with a scratch folder and a port of its own, and gone with it.

mod child;
pub mod chromium;
pub mod glewlwyd;
pub mod oidc_provider;
pub mod systemd;

pub use chromium::Chromium;
pub use glewlwyd::Glewlwyd;
pub use oidc_provider::OidcProvider;
