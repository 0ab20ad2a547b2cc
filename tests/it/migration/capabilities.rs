//! The page broker/docs/capabilities.md: each row of it names tests or scenarios that are there, or says why it is not applicable, or
//! that it is not there yet. And the traps of Microsoft's platform: each of the fifteen has a test that is named after it.

use std::{collections::BTreeSet, fs, path::Path};

use token_broker_tests::folder;

/// Where tests are.
const ROOMS: [&str; 5] = ["it", "../broker/src", "../proto/src", "../cli/src", "../client"];

/// The names of all tests of the tree, and of all scenarios as the page writes them.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for room in ROOMS {
        collect(&folder(room), &mut names);
    }
    let scenarios = fs::read_to_string(folder("peers/msal/scenarios.toml")).unwrap();
    let titles = scenarios.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.extend(titles.map(|name| format!("scenario: {name}")));
    names
}

/// Functions after a line that makes them a test.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                let function = line.trim_start_matches("async ").strip_prefix("fn ");
                if let (true, Some(function)) = (is_test, function) {
                    names.extend(function.split('(').next().map(str::to_owned));
                }
                is_test = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            }
        }
    }
}

#[test]
fn every_capability_has_its_test() {
    let page = fs::read_to_string(folder("../broker/docs/capabilities.md")).unwrap();
    let (names, mut wrong, mut rows) = (names(), Vec::new(), 0);
    for row in page.lines().filter(|line| line.starts_with('|')) {
        let shown = row.trim_end_matches('|').rsplit(" | ").next().unwrap_or_default().trim();
        if shown == "shown by" || shown.trim_matches(['|', '-']).is_empty() {
            continue;
        }
        rows += 1;
        if shown.starts_with("not applicable: ") || shown == "not in this version" {
            continue;
        }
        let tests: Vec<_> = shown.split('`').skip(1).step_by(2).collect();
        let missing: Vec<_> = tests.iter().filter(|name| !names.contains(**name)).collect();
        if tests.is_empty() || !missing.is_empty() {
            wrong.push(format!("{row}\n  not there: {missing:?}"));
        }
    }
    assert!(rows > 80, "{rows} rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_of_the_fifteen_traps_has_its_test() {
    let names = names();
    for number in 1..=15 {
        let start = format!("trap_{number:02}_");
        assert!(names.iter().any(|name| name.starts_with(&start)), "{start}");
    }
}
