//! What was seen of the programs: files, log, what the kernel shows of their processes, and how command lines failed.

use std::{fs, path::Path};

use token_broker_tests::process::Output;

use super::markers::Markers;

/// All of it.
#[derive(Default)]
pub(super) struct Evidence {
    /// Nothing of the markers may be in here.
    places: Vec<(String, Vec<u8>)>,
    /// No secret may be in here; what the caller typed may.
    command_lines: Vec<(String, Vec<u8>)>,
    /// Failed command lines: what was typed, and what was said. Nothing may be said that was not typed.
    failures: Vec<(String, String)>,
    /// What the command line printed on demand: here the search must find what it searches for.
    pub(super) shown: String,
    /// What a user was shown to enter elsewhere.
    pub(super) user_codes: Vec<String>,
    /// ID tokens that were printed on demand.
    pub(super) id_tokens: Vec<String>,
}

impl Evidence {
    pub(super) fn add(&mut self, place: &str, bytes: Vec<u8>) {
        assert!(!bytes.is_empty(), "{place} is empty");
        self.places.push((place.to_owned(), bytes));
    }

    /// Every file of a folder.
    pub(super) fn folder(&mut self, what: &str, folder: &Path) {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
            self.places.push((format!("{what}: {}", path.display()), fs::read(path).unwrap()));
        }
        assert!(["cache.db", "key", "lock"].iter().all(|name| names.iter().any(|found| found == name)), "{names:?}");
    }

    /// What anybody, or the same user, can see of a process.
    pub(super) fn process(&mut self, what: &str, pid: u32) {
        for file in ["cmdline", "environ"] {
            self.add(&format!("{file} of {what}"), fs::read(format!("/proc/{pid}/{file}")).unwrap());
        }
    }

    /// The same of a command line, whose caller has typed what he wanted.
    pub(super) fn command_line(&mut self, typed: &[&str], pid: u32) {
        for file in ["cmdline", "environ"] {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap();
            self.command_lines.push((format!("{file} of {typed:?}"), bytes));
        }
    }

    /// A command line that must fail with this exit code.
    pub(super) fn failed(&mut self, typed: &[&str], output: &Output, code: i32) {
        assert_eq!(output.code, code, "{typed:?}: {output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("error"), "{typed:?}: {said}");
        self.failures.push((typed.join(" "), said));
    }

    /// The search finds people, clients, scopes, applications and tokens where they are shown on purpose.
    pub(super) fn search_works(&self, markers: &Markers) {
        for start in ["marker-user", "Markerina", "marker-scope", "marker-client", "marker-app", "at-"] {
            let mut of_kind = markers.0.iter().filter(|marker| marker.value.starts_with(start));
            assert!(
                of_kind.any(|marker| marker.is_in(self.shown.as_bytes())),
                "{start} is not found in {}",
                self.shown
            );
        }
        let is_database = |(_, bytes): &(String, Vec<u8>)| bytes.starts_with(b"SQLite format 3");
        assert!(self.places.iter().any(is_database), "the database was read");
    }

    /// What was found where it must not be.
    pub(super) fn search(&self, markers: &Markers) -> Vec<String> {
        assert!(self.failures.len() > 10 && self.command_lines.len() > 4, "the flows have run");
        let mut found = Vec::new();
        for marker in &markers.0 {
            let mut tell = |place: &str| found.push(format!("{:?} in {place}", marker.value));
            self.places.iter().filter(|(_, bytes)| marker.is_in(bytes)).for_each(|(place, _)| tell(place));
            let in_command = self.command_lines.iter().filter(|(_, bytes)| marker.is_secret && marker.is_in(bytes));
            in_command.for_each(|(place, _)| tell(place));
            let said =
                |(typed, said): &&(String, String)| marker.is_in(said.as_bytes()) && !typed.contains(&marker.value);
            self.failures.iter().filter(said).for_each(|(typed, said)| tell(&format!("the error of {typed}: {said}")));
        }
        found
    }
}
