//! What stands in the files: no word of people, applications or tokens; and rows that were changed or moved do not open.

use token_broker_proto::{Secret, calls::ApplicationSelector, oauth::Authority};

use super::{Scratch, add, at, bytes, client, grant_key, hit, name, partition, registration, scopes, sign_in, token};
use crate::{
    model::{ClientAuthentication, Credential, Dialect, ProviderMetadata, RegisteredApplication},
    store::{StoreError, StoredProvider, Vault},
};

/// Words of every kind that the test saves.
const MARKERS: [&str; 9] = [
    "marker-app",
    "marker-client",
    "marker-secret",
    "marker-scope",
    "marker-user",
    "marker-at",
    "marker-rt",
    "marker-id",
    "marker-jwks",
];

#[tokio::test]
async fn the_files_hold_no_marker() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(
        &vault,
        RegisteredApplication {
            credential: Credential::Secret(Secret::new("marker-secret")),
            scopes: scopes("marker-scope"),
            ..registration("marker-app", "marker-client")
        },
    )
    .await;
    vault.save_sign_in(sign_in(&application, "marker-user", "marker")).await.unwrap();
    let own = partition(&client("marker-client"), None);
    vault.save_app_token(application.stamp, own, token("marker-at", "marker-scope")).await.unwrap();
    let authority = application.application.authority.clone();
    vault.save_provider(&authority, provider()).await.unwrap();
    vault.purge_expired(at(0)).await.unwrap();

    let clean = |when: &str| {
        let mut files = 0;
        for entry in std::fs::read_dir(scratch.folder()).unwrap() {
            let path = entry.unwrap().path();
            let content = String::from_utf8_lossy(&bytes(&path)).to_lowercase();
            for marker in MARKERS.into_iter().chain(["example", "bearer", &at(3600).seconds().to_string()]) {
                assert!(!content.contains(marker), "{marker} stands in {} {when}", path.display());
            }
            files += 1;
        }
        files
    };
    assert!(clean("while open") >= 4);
    vault.take_account(&client("marker-client"), "marker-user").await.unwrap();
    vault.close();
    assert!(clean("after the end") >= 3);
}

#[tokio::test]
async fn a_provider_reads_back() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let authority = Authority::from_tenant("common").unwrap();
    assert_eq!(vault.find_provider(&authority), Ok(None));
    for stored in [provider(), StoredProvider { jwks: None, ..provider() }] {
        vault.save_provider(&authority, stored.clone()).await.unwrap();
        assert_eq!(vault.find_provider(&authority), Ok(Some(stored)));
    }
}

fn provider() -> StoredProvider {
    let metadata = ProviderMetadata {
        issuer: "https://id.example".into(),
        authorization_endpoint: Some("https://id.example/authorize".parse().unwrap()),
        token_endpoint: "https://id.example/token".parse().unwrap(),
        device_authorization_endpoint: None,
        revocation_endpoint: None,
        jwks_uri: Some("https://id.example/jwks".parse().unwrap()),
        offers_offline_access: true,
        sends_issuer_parameter: true,
        client_authentication: ClientAuthentication::Post,
        assertion_algorithms: vec!["PS256".into()],
        dialect: Dialect::Microsoft,
        aliases: vec!["login.example".into()],
        fetched_on: at(0),
    };
    StoredProvider { metadata, jwks: Some("{\"keys\":[\"marker-jwks\"]}".into()) }
}

/// Two users, each with everything.
async fn two_users(scratch: &Scratch) -> Vault {
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    for home in ["a", "b"] {
        vault.save_sign_in(sign_in(&application, home, home)).await.unwrap();
    }
    vault
}

#[tokio::test]
async fn a_row_that_was_moved_does_not_open() {
    for (table, row) in [("access_token", "access_token 1"), ("grant_token", "grant_token 1"), ("account", "account 1")]
    {
        let scratch = Scratch::new();
        let vault = two_users(&scratch).await;
        let swap = format!(
            "CREATE TEMP TABLE old AS SELECT id, sealed FROM {table};
            UPDATE {table} SET sealed = (SELECT old.sealed FROM old WHERE old.id = 3 - {table}.id)"
        );
        scratch.sql().execute_batch(&swap).unwrap();
        let corrupt = StoreError::Corrupt(row.to_owned());
        match table {
            "access_token" => {
                let own = partition(&client("c"), Some("a"));
                assert_eq!(hit(&vault, &own, "mail"), None);
                assert!(vault.damaged_tokens()[0].contains(row), "{:?}", vault.damaged_tokens());
            }
            "grant_token" => assert_eq!(vault.find_grant(&grant_key(&client("c"), "a")).unwrap_err(), corrupt),
            _ => {
                assert_eq!(vault.find_users(&client("c"), Some("a")).unwrap_err(), corrupt);
                assert!(vault.users(&client("c"), 9).unwrap().is_empty());
            }
        }
        let report = vault.verify().await.unwrap();
        assert_eq!((report.rows_checked, report.problems.len()), (10, 2), "{report:?}");
        assert!(report.problems[0].starts_with(row), "{report:?}");
    }
}

#[tokio::test]
async fn a_flipped_bit_is_named_and_others_still_serve() {
    let scratch = Scratch::new();
    let vault = two_users(&scratch).await;
    for table in ["access_token", "grant_token", "identity", "account", "application"] {
        let mut sealed: Vec<u8> =
            scratch.sql().query_row(&format!("SELECT sealed FROM {table} WHERE id = 1"), [], |row| row.get(0)).unwrap();
        sealed[20] ^= 1;
        scratch.sql().execute(&format!("UPDATE {table} SET sealed = ?1 WHERE id = 1"), [sealed]).unwrap();
    }
    let corrupt = |row: &str| StoreError::Corrupt(format!("{row} 1"));
    let own = |home| partition(&client("c"), Some(home));
    assert_eq!(hit(&vault, &own("a"), ""), None);
    assert!(vault.damaged_tokens()[0].contains("access_token 1"), "{:?}", vault.damaged_tokens());
    assert_eq!(vault.find_grant(&grant_key(&client("c"), "a")).unwrap_err(), corrupt("grant_token"));
    assert_eq!(vault.find_identity(&client("c"), "", "a").unwrap_err(), corrupt("identity"));
    let by_name = ApplicationSelector::Name(name("app"));
    assert_eq!(vault.find_application(&by_name).unwrap_err(), corrupt("application"));
    assert_eq!(hit(&vault, &own("b"), "mail").as_deref(), Some("b-at"));
    assert_eq!(vault.entries(None).unwrap().len(), 3);
    assert_eq!(vault.accounts().unwrap().len(), 1);
    assert_eq!(vault.verify().await.unwrap().problems.len(), 5);
    // It can be removed, and the same name added again.
    for entry in ["at-1", "rt-1", "id-1"] {
        assert_eq!(vault.remove_entry(entry.parse().unwrap()).await, Ok(true));
    }
    assert!(vault.damaged_tokens().is_empty(), "it is gone");
    assert!(vault.remove_application(&name("app")).await.unwrap().is_some());
    add(&vault, registration("app", "c")).await;
}

#[tokio::test]
async fn a_damaged_token_is_passed_over_for_an_older_one() {
    let scratch = Scratch::new();
    let vault = scratch.vault();
    let application = add(&vault, registration("app", "c")).await;
    let own = partition(&client("c"), None);
    for (text, granted) in [("older", "mail"), ("newer", "mail files")] {
        vault.save_app_token(application.stamp, own.clone(), token(text, granted)).await.unwrap();
    }
    scratch.sql().execute("UPDATE access_token SET sealed = x'00' WHERE id = 2", []).unwrap();
    assert_eq!(hit(&vault, &own, "mail").as_deref(), Some("older"));
    assert_eq!(hit(&vault, &own, "files"), None, "a damaged token alone is none");
    assert_eq!(vault.damaged_tokens().len(), 1);
    // The next one of the same scopes takes its place.
    vault.save_app_token(application.stamp, own.clone(), token("newest", "mail files")).await.unwrap();
    assert_eq!((hit(&vault, &own, "files").as_deref(), vault.damaged_tokens().len()), (Some("newest"), 0));
}

#[tokio::test]
async fn a_posting_that_was_moved_gives_no_token_away() {
    let scratch = Scratch::new();
    let vault = two_users(&scratch).await;
    // Whoever asks for the tokens of "a" is led to those of "b".
    let sql = scratch.sql();
    sql.execute("DELETE FROM posting WHERE token_id = 2", []).unwrap();
    sql.execute("UPDATE posting SET token_id = 2 WHERE token_id = 1", []).unwrap();
    let own = partition(&client("c"), Some("a"));
    assert_eq!(hit(&vault, &own, "mail"), None);
    assert!(vault.damaged_tokens()[0].contains("access_token 2"), "{:?}", vault.damaged_tokens());
    assert_eq!(vault.verify().await.unwrap().problems.len(), 2);
}
