//! What a machine lacks is said, never hidden: a test whose peer is missing prints `SKIPPED <test>: <reason>`, adds that line
//! to the file named by `TOKEN_BROKER_TEST_SKIPPED`, and returns. tests/run lists these lines and `.ci/run` fails on them.

use std::{
    fmt,
    fs::OpenOptions,
    io::{Write, stderr},
    path::Path,
};

/// Why something cannot run here, in words that say what to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(String);

impl Missing {
    /// The reason: what is missing and how it comes.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a test needs, or `None` after the skip has been announced: `let Some(_) = require(present()) else { return };`
/// The test's name is that of its thread, as the test runner sets it.
pub fn require<T>(found: Result<T, Missing>) -> Option<T> {
    found.map_err(|missing| announce(std::thread::current().name().unwrap_or("a test"), &missing)).ok()
}

/// The program in `PATH` or, failing that, the reason why not.
///
/// # Errors
/// When no folder of `PATH` has it; `advice` says how it comes.
pub fn program(name: &str, advice: &str) -> Result<std::path::PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| Missing::new(format!("there is no program `{name}`: {advice}")))
}

/// Written to the error stream itself, since the test runner swallows what a passing test prints.
fn announce(test: &str, missing: &Missing) {
    let line = format!("SKIPPED {test}: {missing}\n");
    stderr().write_all(line.as_bytes()).expect("the error stream takes a line");
    if let Some(list) = std::env::var_os("TOKEN_BROKER_TEST_SKIPPED") {
        append(Path::new(&list), &line);
    }
}

fn append(list: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(list).expect("the list of skips opens");
    file.write_all(line.as_bytes()).expect("the list of skips takes a line");
}

#[cfg(test)]
mod tests {
    use super::{append, program, require};

    #[test]
    fn skips_are_listed_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("skipped");
        append(&list, "SKIPPED one: no node\n");
        append(&list, "SKIPPED two: no glewlwyd\n");
        assert_eq!(std::fs::read_to_string(list).unwrap(), "SKIPPED one: no node\nSKIPPED two: no glewlwyd\n");
    }

    #[test]
    fn what_is_there_is_handed_on() {
        assert_eq!(require(Ok(7)), Some(7));
        assert!(program("sh", "").is_ok());
        let missing = program("no-such-program", "install it").unwrap_err();
        assert_eq!(missing.to_string(), "there is no program `no-such-program`: install it");
    }
}
