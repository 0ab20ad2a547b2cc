//! The file of `broker-cli app apply`. Its parser is a program's, not a library's, so its own source files are compiled in
//! here, in the place that they have in the program.

mod app;
#[path = "../../../../cli/src/arguments/duration.rs"]
mod duration;

use std::path::Path;

use token_broker_client::{
    Invalid,
    calls::{ExistingApplication, NewCredential},
    oauth::ScopeSet,
};

/// A list of applications.
pub(crate) fn applied_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match app::apply_file::parse(text, Path::new("/"), true) {
        Ok(applications) => {
            let updated = applications.iter().all(|new| new.existing == ExistingApplication::Update);
            assert!(
                updated
                    && applications
                        .iter()
                        .all(|new| new.offline && !matches!(new.credential, NewCredential::Secret(_)))
            );
        }
        Err(error) => assert!(!error.is_empty()),
    }
}

/// As in the program: none stands for the application's own list.
fn scopes(texts: &[String]) -> Result<Option<ScopeSet>, Invalid> {
    let set = ScopeSet::parse(texts.iter().map(String::as_str))?;
    Ok(Some(set).filter(|set| !set.is_empty()))
}
