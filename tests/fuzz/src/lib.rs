//! Every parser of foreign bytes as a function over bytes, under the name of its corpus. A target does more than not to panic:
//! it checks what the parser promises of what it lets through. `main.rs` gives them to libFuzzer; the test below gives them
//! their corpus, which every run of the tests repeats: what a fuzzer once found stays found.

mod answers;
mod applied_file;
mod configuration;
mod exchange;
mod federation;
mod managed_identity;
mod tokens;
mod wire;
mod words;

use std::path::PathBuf;

/// A parser to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Tries these bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 20] = [
    Target { name: "token_response", run: answers::token_response },
    Target { name: "discovery", run: answers::discovery },
    Target { name: "jwks", run: answers::jwks },
    Target { name: "revocation", run: answers::revocation },
    Target { name: "device_authorization", run: answers::device_authorization },
    Target { name: "device_poll", run: answers::device_poll },
    Target { name: "user_realm", run: federation::user_realm },
    Target { name: "mex", run: federation::mex },
    Target { name: "rstr", run: federation::rstr },
    Target { name: "redirect", run: tokens::redirect },
    Target { name: "jws", run: tokens::jws },
    Target { name: "id_token", run: tokens::id_token },
    Target { name: "managed_identity", run: managed_identity::managed_identity },
    Target { name: "requests", run: wire::requests },
    Target { name: "replies", run: wire::replies },
    Target { name: "status", run: wire::status },
    Target { name: "words", run: words::words },
    Target { name: "public_key", run: words::public_key },
    Target { name: "configuration", run: configuration::configuration },
    Target { name: "applied_file", run: applied_file::applied_file },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// Where the corpora are.
#[must_use]
pub fn corpus() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    use super::{TARGETS, corpus};

    fn entries(folder: &PathBuf) -> BTreeSet<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn every_corpus_passes_its_target() {
        let folders: BTreeSet<_> = TARGETS.iter().map(|target| corpus().join(target.name)).collect();
        assert_eq!(entries(&corpus()), folders, "each target has a corpus, and each corpus a target");
        for target in TARGETS {
            let files = entries(&corpus().join(target.name));
            assert!(!files.is_empty(), "{}", target.name);
            for file in files {
                let bytes = fs::read(&file).unwrap();
                let outcome = std::panic::catch_unwind(|| (target.run)(&bytes));
                assert!(outcome.is_ok(), "{}", file.display());
            }
        }
    }
}
