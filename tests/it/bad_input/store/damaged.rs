//! Databases that are damaged or not ours: kept aside under a name with the date, said in log and status, and never wiped. A
//! damaged row is no reason for that.

use std::{fs, path::PathBuf};

use rusqlite::Connection;
use token_broker_client::{Reason, calls::TokenSource};
use token_broker_tests::{
    daemon::{application, sign_in_by_browser},
    machine::program::Program,
    user::User,
};

use crate::bad_input::{Stage, has_words, of, refused, says};

/// The databases that are kept aside, without their journals.
fn kept(stage: &Stage) -> Vec<PathBuf> {
    let names = fs::read_dir(stage.daemon.data_dir()).unwrap().map(|entry| entry.unwrap().path());
    let is_journal = |name: &str| name.ends_with("-wal") || name.ends_with("-shm");
    let is_kept = |name: String| name.contains("cache.db.damaged-") && !is_journal(&name);
    names.filter(|path| is_kept(path.display().to_string())).collect()
}

/// What a folder may hold in the place of the database.
fn unusable(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES ('https://example.com')")
        .unwrap();
    drop(other);
    let mut no_schema = good.to_vec();
    no_schema[100..4096].fill(0);
    vec![
        ("truncated", good[..good.len() / 2].to_vec()),
        ("one page", good[..4096].to_vec()),
        ("empty", Vec::new()),
        ("text", b"Dear diary, ".repeat(1000)),
        ("another program's", fs::read(&path).unwrap()),
        ("without its schema", no_schema),
    ]
}

#[tokio::test]
async fn what_is_no_cache_is_kept_aside() {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let database = stage.daemon.data_dir().join("cache.db");
    let good = fs::read(&database).unwrap();
    for (case, content) in unusable(&good) {
        fs::write(&database, &content).unwrap();
        stage.daemon.try_start().await.expect(case);
        let client = stage.daemon.client();
        let notices = client.status().await.expect("status").notices;
        let kept = kept(&stage);
        assert!(kept.len() == 1 && fs::read(&kept[0]).unwrap() == content, "{case}: {kept:?}");
        assert_eq!(notices.len(), 1, "{case}: {notices:?}");
        has_words(&notices[0], &[kept[0].to_str().unwrap(), "a new one was begun"]);
        says(&refused(client.token(&of("ada")).await), Reason::ApplicationNotFound, &["mail"]);
        // The new one is as good as any, and the notice stays while the file is there.
        let mail = application("mail", stage.server.issuer(), ("native-app", None), "openid api:read");
        client.add_application(&mail).await.expect("registered");
        sign_in_by_browser(&client, "mail", &User::named("ada")).await.expect("signed in");
        stage.daemon.restart().await;
        assert_eq!(stage.daemon.client().status().await.expect("status").notices, notices, "{case}");
        stage.daemon.stop().await;
        // What its owner does who does not need it any more.
        let aside = fs::read_dir(stage.daemon.data_dir()).unwrap().map(|entry| entry.unwrap().path());
        for path in aside.filter(|path| path.display().to_string().contains(".damaged-")) {
            fs::remove_file(path).unwrap();
        }
    }
    // Its key is still the same, so a good copy is worth as much as before.
    fs::write(&database, good).unwrap();
    stage.daemon.try_start().await.expect("a good database");
    assert_eq!(stage.daemon.client().status().await.expect("status").notices, [""; 0]);
    stage.still_serves().await;
    stage.still_refreshes().await;
}

#[tokio::test]
async fn the_log_says_what_was_found_and_where_it_is() {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    fs::write(stage.daemon.data_dir().join("cache.db"), "Dear diary").unwrap();
    let program = Program::start(&stage.daemon.data_dir(), &[]).await;
    program.client().status().await.expect("it serves");
    let log = program.log();
    let kept = kept(&stage)[0].display().to_string();
    has_words(&log, &["WARN", "the token cache cannot be used; it is kept", "it has 10 bytes only", &kept]);
}

#[tokio::test]
async fn one_flipped_bit_costs_one_row() {
    let mut stage = Stage::set().await;
    let client = stage.daemon.client();
    sign_in_by_browser(&client, "mail", &User::named("grace")).await.expect("signed in");
    let grace = client.token(&of("grace")).await.expect("a token");
    let sql = Connection::open(stage.daemon.data_dir().join("cache.db")).unwrap();
    let flip = |table: &str, id: i64| {
        let select = format!("SELECT sealed FROM {table} WHERE id = ?1");
        let mut sealed: Vec<u8> = sql.query_row(&select, [id], |row| row.get(0)).unwrap();
        sealed[20] ^= 1;
        sql.execute(&format!("UPDATE {table} SET sealed = ?1 WHERE id = ?2"), (sealed, id)).unwrap();
    };
    flip("access_token", 1);
    let problems = client.verify_cache().await.expect("a report").problems;
    assert!(problems.len() == 1 && problems[0].starts_with("access_token 1"), "{problems:?}");
    // A restart changes nothing: the database is kept where it is.
    stage.daemon.restart().await;
    assert!(kept(&stage).is_empty());
    let client = stage.daemon.client();
    let other = client.token(&of("grace")).await.expect("grace's row is whole");
    assert_eq!(other.access_token.expose(), grace.access_token.expose());
    // Whoever looks at it names it; nobody is served it.
    client.status().await.expect("a status");
    let notices = client.status().await.expect("a status").notices;
    assert!(notices.len() == 1 && notices[0].contains("access_token 1"), "{notices:?}");
    assert!(client.diagnose().await.expect("checks").iter().any(|check| check.name == "damaged_token"));
    // The grant is whole, so a new token takes the place of the damaged one.
    let fresh = client.token(&of("ada")).await.expect("a token");
    assert_eq!(fresh.source, TokenSource::IdentityProvider);
    let hit = client.token(&of("ada")).await.expect("it can be read");
    assert_eq!(hit.source, TokenSource::Cache);
    assert!(client.status().await.expect("a status").notices.is_empty());
}

#[tokio::test]
async fn a_newer_schema_is_refused_untouched() {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let database = stage.daemon.data_dir().join("cache.db");
    let set_version = |version: i64| {
        let sql = Connection::open(&database).unwrap();
        let was: i64 = sql.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        sql.pragma_update(None, "user_version", version).unwrap();
        was
    };
    let was = set_version(999);
    let before = fs::read(&database).unwrap();
    let refusal = stage.daemon.try_start().await.expect_err("it is refused").to_string();
    has_words(&refusal, &[database.to_str().unwrap(), "has schema 999", "use a newer token-broker"]);
    assert!(kept(&stage).is_empty() && fs::read(&database).unwrap() == before);
    set_version(was);
    stage.daemon.try_start().await.expect("it is ours again");
    stage.still_serves().await;
}
