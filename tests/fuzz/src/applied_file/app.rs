//! Stands where the program's own `app` module stands.

#[path = "../../../../cli/src/arguments/app/apply_file.rs"]
pub(super) mod apply_file;
#[path = "../../../../cli/src/arguments/app/authority.rs"]
mod authority;
