//! A disk that is full, and one that cannot be written.

use std::fs;

use token_broker_client::{
    Reason,
    calls::{SignInEvent, SignInRequest},
};
use token_broker_tests::{
    daemon::name,
    machine::disk::{Access, SmallDisk},
    requirements::require,
    user::User,
    within,
};

use crate::bad_input::{Stage, has_words, refused, says};

/// A provider that rotates would spend the refresh token for a successor that cannot be saved: it must not be asked.
#[tokio::test]
async fn a_full_disk_costs_no_grant() {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let Some(disk) = require(SmallDisk::over(&stage.daemon.data_dir(), Access::Write)) else { return };
    stage.daemon.try_start().await.expect("it starts on the small disk");
    stage.still_refreshes().await;
    disk.fill();
    for _ in 0..3 {
        let words = ["the store is unavailable", "cache.db", "full"];
        says(&stage.failed_refresh().await, Reason::StoreUnavailable, &words);
        stage.still_serves().await;
    }
    assert_eq!(stage.server.requests("token:refresh_token"), 1, "nothing is asked for that could not be saved");
    disk.clear();
    stage.still_refreshes().await;
    stage.daemon.restart().await;
    stage.still_serves().await;
    stage.still_refreshes().await;
    stage.daemon.stop().await;
}

#[tokio::test]
async fn a_sign_in_on_a_full_disk() {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let Some(disk) = require(SmallDisk::over(&stage.daemon.data_dir(), Access::Write)) else { return };
    stage.daemon.try_start().await.expect("it starts on the small disk");
    disk.fill();
    let mut events = stage.daemon.client().sign_in(&SignInRequest::new(name("mail"))).await.expect("begun");
    let Ok(Some(SignInEvent::OpenUrl(url))) = events.next().await else { panic!("the URL comes first") };
    let grace = User::named("grace");
    let (page, end) = within(async { tokio::join!(grace.sign_in(url.expose()), events.next()) }).await;
    assert!(page.status == 400 && page.body.contains("You are not signed in"), "{}", page.body);
    assert!(page.body.contains("full"), "{}", page.body);
    says(&refused(end), Reason::StoreUnavailable, &["the store is unavailable", "full"]);
    stage.still_serves().await;
    disk.clear();
    stage.still_refreshes().await;
    stage.daemon.stop().await;
}

/// Nothing is served then, but nothing is lost either.
#[tokio::test]
async fn a_start_on_a_full_disk() {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let Some(disk) = require(SmallDisk::over(&stage.daemon.data_dir(), Access::Write)) else { return };
    disk.fill();
    let refusal = stage.daemon.try_start().await.expect_err("it is refused").to_string();
    has_words(&refusal, &[stage.daemon.data_dir().to_str().unwrap(), "full"]);
    disk.clear();
    stage.daemon.try_start().await.expect("it starts when there is room");
    stage.still_serves().await;
    stage.still_refreshes().await;
    stage.daemon.stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written() {
    let mut stage = Stage::set().await;
    stage.daemon.stop().await;
    let data_dir = stage.daemon.data_dir();
    let before = fs::read(data_dir.join("cache.db")).unwrap();
    let Some(disk) = require(SmallDisk::over(&data_dir, Access::ReadOnly)) else { return };
    let refusal = stage.daemon.try_start().await.expect_err("it is refused").to_string();
    let words = ["the data folder", data_dir.to_str().unwrap(), "cannot be written to", "Read-only file system"];
    has_words(&refusal, &words);
    drop(disk);
    assert_eq!(fs::read(data_dir.join("cache.db")).unwrap(), before);
    stage.daemon.try_start().await.expect("it starts when it can write");
    stage.still_serves().await;
    stage.still_refreshes().await;
}
