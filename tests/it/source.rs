//! The project's own Rust files, as the rules of the house look at them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use token_broker_tests::folder;

/// The members of the workspace that hold Rust sources.
pub(crate) const MEMBERS: [&str; 5] = ["broker", "client", "cli", "proto", "tests"];

/// A Rust file.
pub(crate) struct SourceFile {
    /// Relative to the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    folder("..").canonicalize().unwrap()
}

/// All Rust files of a member, in order.
pub(crate) fn rust_files(member: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    walk(&workspace().join(member), &mut found);
    assert!(!found.is_empty(), "{member} has Rust files");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn walk(folder: &Path, found: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "node_modules" && name != "target" && !name.starts_with('.') {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(workspace()).unwrap().display().to_string();
            found.push(SourceFile { path, text });
        }
    }
}
