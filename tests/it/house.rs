//! Rules of the house that a compiler does not know: every file opens with what it owns, no file is long, no folder is crowded,
//! no file is named after nothing.

use std::collections::BTreeMap;

use super::source::{MEMBERS, SourceFile, rust_files};

/// Longer is refused; a file this long has two owners.
const MOST_LINES: usize = 500;
/// A room with more files wants a sub-room.
const MOST_FILES: usize = 9;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] = ["helper", "helpers", "util", "utils", "common", "misc", "types", "manager", "handler"];
/// Folders that may be crowded, each with its reason.
const CROWDED: [(&str, &str); 0] = [];

#[test]
fn every_file_keeps_the_rules() {
    let files: Vec<_> = MEMBERS.into_iter().flat_map(rust_files).collect();
    let broken = broken_rules(&files);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn broken_rules(files: &[SourceFile]) -> Vec<String> {
    let mut broken: Vec<_> = files.iter().flat_map(in_file).collect();
    let mut folders = BTreeMap::<&str, usize>::new();
    for file in files {
        *folders.entry(file.path.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default() += 1;
    }
    let crowded = folders
        .iter()
        .filter(|(folder, count)| **count > MOST_FILES && !CROWDED.iter().any(|(allowed, _)| allowed == *folder));
    broken.extend(crowded.map(|(folder, count)| format!("{folder}: {count} Rust files, {MOST_FILES} at most")));
    broken
}

fn in_file(file: &SourceFile) -> Vec<String> {
    let mut broken = Vec::new();
    if !file.text.starts_with("//! ") {
        broken.push(format!("{}: does not open with `//! ` and what it owns", file.path));
    }
    let lines = file.text.lines().count();
    if lines > MOST_LINES {
        broken.push(format!("{}: {lines} lines, {MOST_LINES} at most", file.path));
    }
    let name = file.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
    if name.split('_').any(|word| EMPTY_NAMES.contains(&word)) {
        broken.push(format!("{}: its name says nothing", file.path));
    }
    broken
}

#[test]
fn what_breaks_a_rule_is_named() {
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let mut files =
        vec![file("a/good.rs", "//! Good.\n"), file("a/http_util.rs", "use x;\n"), file("a/long.rs", "//! x\n")];
    files[2].text.push_str(&"\n".repeat(MOST_LINES));
    files.extend((0..=MOST_FILES).map(|n| file(&format!("b/f{n}.rs"), "//! x\n")));
    let expected = [
        "a/http_util.rs: does not open with `//! ` and what it owns",
        "a/http_util.rs: its name says nothing",
        "a/long.rs: 501 lines, 500 at most",
        "b: 10 Rust files, 9 at most",
    ];
    assert_eq!(broken_rules(&files), expected);
}
