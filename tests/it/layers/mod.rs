//! The arrows of the house hold: no room names a room that it may not know, no foreign crate is used outside of its room, and
//! client and command line know nothing of the daemon's inside. The tables are in `rules`.

mod rules;
mod scan;
mod seeded;

use std::{collections::BTreeSet, fs};

use rules::{ARROWS, AT_HOME, COMMONS, FORBIDDEN_DEPENDENCIES, IN_EXAMPLES, TOP_FILES};
use scan::{Mention, mentions};

use super::source::{SourceFile, rust_files, workspace};

#[test]
fn no_arrow_points_the_wrong_way() {
    let foreign = dependencies("broker", &["dependencies"]);
    let own: Vec<_> = rust_files("broker").into_iter().filter(|file| file.path.starts_with("broker/src/")).collect();
    let wrong: Vec<_> = own.iter().flat_map(|file| wrong_arrows(file, &foreign)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_of_the_broker_has_a_home() {
    let homeless: Vec<_> = dependencies("broker", &["dependencies"])
        .into_iter()
        .filter(|name| !COMMONS.contains(&name.as_str()) && !AT_HOME.iter().any(|(known, _)| known == name))
        .collect();
    assert!(homeless.is_empty(), "add to tests/it/layers/rules.rs: {homeless:?}");
}

#[test]
fn the_other_members_know_the_contract_only() {
    let mut wrong = Vec::new();
    for (member, forbidden) in FORBIDDEN_DEPENDENCIES {
        let names = forbidden.iter().map(|name| name.replace('-', "_")).collect::<BTreeSet<_>>();
        let shown = IN_EXAMPLES.iter().filter(|(of, _)| *of == member).map(|(_, name)| (*name).to_owned()).collect();
        let depends = &dependencies(member, &["dev-dependencies"]) - &shown;
        let depends = &depends | &dependencies(member, &["dependencies", "build-dependencies"]);
        wrong.extend(depends.intersection(&names).map(|name| format!("{member}/Cargo.toml depends on {name}")));
        for file in rust_files(member) {
            let in_examples = file.path.starts_with(&format!("{member}/examples/"));
            let names = if in_examples { &names - &shown } else { names.clone() };
            let foreign = mentions(&file.text, &[]).into_iter().filter(|mention| names.contains(&mention.segments[0]));
            wrong.extend(foreign.map(|mention| told(&file, &mention, "a crate that this member may not know")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a file of the broker names and may not, a line each; `foreign` are the crates that it could name.
fn wrong_arrows(file: &SourceFile, foreign: &BTreeSet<String>) -> Vec<String> {
    let module = module_path(&file.path);
    let place = module.first().cloned().unwrap_or_else(|| top_name(&file.path));
    let Some((_, rooms)) = ARROWS.iter().chain(&TOP_FILES).find(|(known, _)| *known == place) else {
        return vec![format!("{}: `{place}` is no room of the house; add it to tests/it/layers/rules.rs", file.path)];
    };
    mentions(&file.text, &module)
        .into_iter()
        .filter_map(|mention| objection(file, &place, rooms, foreign, &mention))
        .collect()
}

fn objection(
    file: &SourceFile,
    place: &str,
    rooms: &[&str],
    foreign: &BTreeSet<String>,
    mention: &Mention,
) -> Option<String> {
    let (first, second) = (mention.segments.first()?.as_str(), mention.segments.get(1).map_or("", String::as_str));
    if first == "crate" || (first == "token_broker" && place == "main") {
        let other = ARROWS.iter().chain(&TOP_FILES).any(|(known, _)| *known == second) && second != place;
        let allowed = rooms.contains(&second) || ["main", "lib", "daemon"].contains(&place);
        let everything = ["", "*"].contains(&second); // `use crate as x`, `use crate::*`
        return ((other || everything) && !allowed)
            .then(|| told(file, mention, &format!("`{place}` may not know `{second}`")));
    }
    if !foreign.contains(first) || COMMONS.contains(&first) {
        return None;
    }
    let homes = AT_HOME.iter().find(|(known, _)| *known == first).map_or(&[][..], |(_, homes)| homes);
    (!homes.contains(&place)).then(|| told(file, mention, &format!("`{first}` is not at home in `{place}`")))
}

fn told(file: &SourceFile, mention: &Mention, what: &str) -> String {
    format!("{}:{}: {} - {what}", file.path, mention.line, mention.segments.join("::"))
}

/// `broker/src/flow/oauth/mod.rs` is `flow::oauth`; the crate's root and `main` are nothing.
fn module_path(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside).trim_end_matches(".rs");
    let mut segments: Vec<_> = inside.split('/').map(str::to_owned).collect();
    if segments.last().is_some_and(|last| last == "mod") || ["lib", "main"].contains(&inside) {
        segments.pop();
    }
    segments
}

fn top_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// Names of the crates in these tables of a member's Cargo.toml, as code writes them.
fn dependencies(member: &str, tables: &[&str]) -> BTreeSet<String> {
    let text = fs::read_to_string(workspace().join(member).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let platforms = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|all| all.values());
    let places: Vec<_> = platforms.filter_map(toml::Value::as_table).chain([&manifest]).collect();
    let named = |table: &str| {
        places.iter().filter_map(|place| place.get(table)?.as_table()).flat_map(toml::Table::keys).collect()
    };
    tables.iter().flat_map(|table| -> Vec<&String> { named(table) }).map(|name| name.replace('-', "_")).collect()
}
