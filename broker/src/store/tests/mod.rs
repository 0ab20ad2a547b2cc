//! Tests of the vault through its public face, and of its files from outside with SQL of their own. Owns the fixtures: a
//! scratch folder, and words with one letter changed per number.

mod application;
mod folder;
mod lock;
mod matching;
mod sealing;
mod sessions;
mod upkeep;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ring::digest::{SHA256, digest};
use rusqlite::Connection;
use token_broker_proto::{
    Secret,
    calls::{ApplicationOptions, ExistingApplication},
    oauth::{ApplicationName, Authority, ClientId, ScopeSet, UnixTime},
};

use super::{
    Randomness, RefreshRecord, SavedApplication, SignInRecord, StoredApplication, Vault, VaultOptions, WriterMode,
};
use crate::model::{
    CachedToken, Client, Credential, Grant, GrantHolder, GrantKey, IdentityDocuments, RefreshToken,
    RegisteredApplication, TokenPartition, User,
};

const ISSUER: &str = "https://id.example/realms/a";

/// A folder that is gone after the test.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    fn options(&self, writer: WriterMode) -> VaultOptions {
        VaultOptions { folder: self.folder(), randomness: randomness(), writer, now: at(0) }
    }

    fn vault(&self) -> Vault {
        Vault::start(self.options(WriterMode::Thread)).unwrap()
    }

    /// A connection of its own, as another program would have.
    fn sql(&self) -> Connection {
        Connection::open(self.file("cache.db")).unwrap()
    }
}

/// Never the same bytes twice, in all tests.
fn randomness() -> Randomness {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    Arc::new(|buffer| {
        for chunk in buffer.chunks_mut(32) {
            let drawn = DRAWN.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&digest(&SHA256, &drawn).as_ref()[..chunk.len()]);
        }
    })
}

fn name(text: &str) -> ApplicationName {
    ApplicationName::parse("name", text).unwrap()
}

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse([text]).unwrap()
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(1_700_000_000 + seconds)
}

fn registration(text: &str, client_id: &str) -> RegisteredApplication {
    RegisteredApplication {
        name: name(text),
        client_id: ClientId::parse(client_id).unwrap(),
        authority: Authority::from_issuer(ISSUER).unwrap(),
        credential: Credential::Public,
        scopes: scopes("openid mail"),
        redirect_uri: None,
        client_capabilities: Vec::new(),
        keep_alive: None,
        options: ApplicationOptions::default(),
    }
}

fn client(client_id: &str) -> Client {
    registration("any", client_id).client()
}

fn user(home: &str) -> User {
    User {
        home_account_id: home.to_owned(),
        username: format!("{home}@Example.org"),
        name: Some(format!("Name of {home}")),
        local_account_id: home.to_owned(),
        tenant: String::new(),
    }
}

fn partition(client: &Client, home: Option<&str>) -> TokenPartition {
    TokenPartition {
        environment: client.environment.clone(),
        client_id: client.client_id.clone(),
        home_account_id: home.map(str::to_owned),
        tenant: String::new(),
        token_type: "bearer".into(),
        key_id: String::new(),
        extra: String::new(),
    }
}

fn token(text: &str, granted: &str) -> CachedToken {
    CachedToken {
        access_token: Secret::new(text),
        token_type: "Bearer".into(),
        scopes: scopes(granted),
        issued_on: at(0),
        expires_on: at(0).plus(Duration::from_secs(3600)),
        refresh_on: None,
        subject: None,
    }
}

fn grant_key(client: &Client, home: &str) -> GrantKey {
    GrantKey {
        environment: client.environment.clone(),
        holder: GrantHolder::Client(client.client_id.clone()),
        home_account_id: home.to_owned(),
    }
}

fn grant(text: &str) -> Grant {
    Grant::issued(RefreshToken::new(Secret::new(text)), scopes("mail openid"), at(0))
}

fn identity(text: &str) -> IdentityDocuments {
    IdentityDocuments { id_token: Secret::new(text), client_info: Some("{\"uid\":\"u\"}".into()) }
}

/// A sign-in with everything, whose tokens are called after `word`.
fn sign_in(application: &StoredApplication, home: &str, word: &str) -> SignInRecord {
    let client = application.application.client();
    SignInRecord {
        user: user(home),
        token: Some((partition(&client, Some(home)), token(&format!("{word}-at"), "mail openid"))),
        grant: Some((grant_key(&client, home), grant(&format!("{word}-rt")))),
        identity: Some((String::new(), identity(&format!("{word}-id")))),
        client,
    }
}

/// A refresh of the grant as it is now.
fn refresh(vault: &Vault, application: &StoredApplication, home: &str, word: &str) -> RefreshRecord {
    let client = application.application.client();
    let (stamp, _) = vault.find_grant(&grant_key(&client, home)).unwrap().unwrap();
    let mut token = token(&format!("{word}-at"), "mail openid");
    token.issued_on = at(50);
    RefreshRecord {
        stamp,
        grant_key: grant_key(&client, home),
        home_account_id: home.to_owned(),
        token: (partition(&client, Some(home)), token),
        new_grant: Some(grant(&format!("{word}-rt"))),
        client,
    }
}

async fn add(vault: &Vault, registration: RegisteredApplication) -> StoredApplication {
    match vault.save_application(registration, ExistingApplication::Refuse).await.unwrap() {
        SavedApplication::Added(stored) => stored,
        other => panic!("{other:?}"),
    }
}

/// The text of the token that a request finds.
fn hit(vault: &Vault, partition: &TokenPartition, requested: &str) -> Option<String> {
    let found = vault.find_token(partition, &scopes(requested), &|_| true).unwrap();
    found.map(|token| token.access_token.expose().to_owned())
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
