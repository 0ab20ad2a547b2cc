//! The checker catches what it is there for: wrong arrows and strayed crates, seeded in every form that Rust has for a path.

use std::collections::BTreeSet;

use super::{SourceFile, wrong_arrows};

/// What is wrong with this text as that file.
fn wrong(path: &str, text: &str) -> Vec<String> {
    let foreign: BTreeSet<_> = ["tonic", "rusqlite", "reqwest", "ring", "url", "serde_json"].map(str::to_owned).into();
    wrong_arrows(&SourceFile { path: path.to_owned(), text: text.to_owned() }, &foreign)
}

#[test]
fn every_form_of_a_wrong_arrow_is_seen() {
    let forms = [
        "use crate::store::Vault;",
        "use crate::{model::UserKey, store::{self, Vault}};",
        "use super::super::store::Vault;",
        "use crate::store as vault;",
        "pub(crate) use crate::store::*;",
        "fn open() -> crate::store::Vault { todo!() }",
        "fn open() { crate::store::open(); }",
        "fn open() { let x = [1].map(|_| crate::store::Vault { a: 1 }); }",
        "fn open() { assert!(crate::store::is_open(1)); }",
        "fn open() { tokio::select! { x = crate::store::wait() => {} } }",
        "#[derive(crate::store::Row)] struct X;",
        "mod inner { use super::super::super::store::Vault; }",
        "impl From<crate::store::Error> for X { fn from(e: u8) -> X { X } }",
        "fn f<T: crate::store::Row>(t: T) {}",
        "struct X(Vec<Option<crate::store::Row>>);",
    ];
    for form in forms {
        let found = wrong("broker/src/flow/device_code.rs", form);
        assert!(found.iter().any(|line| line.ends_with("`flow` may not know `store`")), "{form}\n{found:?}");
    }
}

#[test]
fn every_form_of_a_strayed_crate_is_seen() {
    let forms = [
        "use rusqlite::Connection;",
        "use {url::Url, rusqlite::{self, params}};",
        "use ::rusqlite::Connection;",
        "extern crate rusqlite;",
        "fn f() -> rusqlite::Result<()> { Ok(()) }",
        "fn f() { println!(\"{}\", rusqlite::version()); }",
        "#[rusqlite::row] struct X;",
    ];
    for form in forms {
        let found = wrong("broker/src/acquire/silent.rs", form);
        assert!(found.iter().any(|line| line.ends_with("`rusqlite` is not at home in `acquire`")), "{form}\n{found:?}");
    }
}

#[test]
fn the_line_is_named() {
    let found = wrong("broker/src/server/mod.rs", "//! x\n\nuse crate::store::Vault;\n");
    assert_eq!(found, ["broker/src/server/mod.rs:3: crate::store::Vault - `server` may not know `store`"]);
}

#[test]
fn what_the_drawing_allows_passes() {
    let allowed = [
        (
            "broker/src/acquire/silent.rs",
            "use crate::{flow::oauth, store::Vault, ports::Clock, access::Caller, model::TokenKey};",
        ),
        (
            "broker/src/acquire/silent.rs",
            "use super::single_flight; use self::x::y; mod x { use super::super::silent; }",
        ),
        ("broker/src/store/vault.rs", "use rusqlite::Connection; use ring::aead; use std::fmt; use serde_json::Value;"),
        ("broker/src/server/mod.rs", "use tonic::Status; use crate::{acquire::Desk, access::Caller}; mod store {}"),
        ("broker/src/daemon.rs", "use crate::{store, flow, server, acquire, admin, ports, config::Config, paths};"),
        ("broker/src/main.rs", "use token_broker::daemon; mod x { use token_broker::store; }"),
        ("broker/src/lib.rs", "pub mod store; pub mod flow;"),
        ("broker/src/config.rs", "use crate::model::TokenKey;"),
    ];
    for (path, text) in allowed {
        assert_eq!(wrong(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn desks_and_top_files_stay_apart() {
    let wrongs = [
        ("broker/src/acquire/mod.rs", "use crate::admin::Desk;"),
        ("broker/src/admin/mod.rs", "use crate::acquire::Desk;"),
        ("broker/src/flow/mod.rs", "use crate::ports::Clock;"),
        ("broker/src/store/mod.rs", "use crate::flow::oauth;"),
        ("broker/src/server/mod.rs", "use crate::flow::oauth;"),
        ("broker/src/model/mod.rs", "use crate::access::Caller;"),
        ("broker/src/config.rs", "use crate::store::Vault;"),
        ("broker/src/store/mod.rs", "use crate::config::Config;"),
        ("broker/src/acquire/mod.rs", "use crate::daemon;"),
        ("broker/src/flow/mod.rs", "use super::*;"),
        ("broker/src/flow/mod.rs", "use crate as broker;"),
        ("broker/src/helpers/mod.rs", "//! no such room"),
    ];
    for (path, text) in wrongs {
        assert_eq!(wrong(path, text).len(), 1, "{path}: {text}");
    }
}
