//! Stands where the program's own `app` module stands.

#[path = "../../../../cli/src/arguments/app/apply_file.rs"]
pub(super) mod apply_file;
#[path = "../../../../cli/src/arguments/app/authority.rs"]
mod authority;

/// Instead of the program's own: a certificate that a list names is not opened here.
mod credential {
    use std::path::Path;

    use token_broker_client::{Secret, calls::NewCredential};

    #[expect(clippy::unnecessary_wraps, reason = "the program's own may fail")]
    pub(super) fn certificate_file(_: &Path, _: Option<Secret>, _: bool) -> Result<NewCredential, String> {
        Ok(NewCredential::None)
    }
}
