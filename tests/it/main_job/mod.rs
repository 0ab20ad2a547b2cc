//! The main job against servers that we did not write, through the daemon's socket.

mod glewlwyd;
mod oidc_provider;
