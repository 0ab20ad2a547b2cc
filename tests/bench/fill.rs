//! A data folder with many tokens: accounts of one application, up to 100 access tokens each, all with one common scope and one of
//! their own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use token_broker::{
    model::{
        ApplicationStamp, CachedToken, Client, Credential, Grant, GrantHolder, GrantKey, RefreshToken,
        RegisteredApplication, TokenPartition, User,
    },
    ports::{Clock, Entropy, clock::SystemClock, entropy::SystemEntropy},
    store::{SavedApplication, SignInRecord, Vault, VaultOptions, WriterMode},
};
use token_broker_client::{
    Secret,
    calls::{ApplicationOptions, ExistingApplication},
    oauth::{ApplicationName, Authority, ClientId, ScopeSet, UnixTime},
};

use crate::sample::Sample;

/// Tokens of one account.
const PER_ACCOUNT: usize = 100;
/// Writes on their way at once: enough for full groups.
const IN_FLIGHT: usize = 512;
/// Bytes of an access token, as Microsoft Entra ID makes them.
const TOKEN_BYTES: usize = 1400;

/// The folder and what is in it.
pub(crate) struct Filled {
    pub(crate) folder: TempDir,
    pub(crate) tokens: usize,
    pub(crate) accounts: usize,
    /// Single durable writes, one after the other.
    pub(crate) commit: Sample,
}

impl Filled {
    /// An account in the middle.
    pub(crate) fn some_account(&self) -> String {
        account(self.accounts / 2)
    }
}

/// The name of the application that all tokens belong to.
pub(crate) fn application_name() -> ApplicationName {
    ApplicationName::parse("application", "mail").expect("a valid name")
}

/// All scopes of one of an account's tokens.
pub(crate) fn some_scopes(number: usize) -> ScopeSet {
    ScopeSet::parse([format!("common own{}", 1 + number % (PER_ACCOUNT - 1)).as_str()]).expect("valid")
}

fn account(number: usize) -> String {
    format!("user{number}@example.com")
}

/// Makes and fills a folder.
pub(crate) async fn fill(tokens: usize) -> Filled {
    let folder = tempfile::Builder::new().prefix("token-broker-bench-").tempdir().expect("a folder");
    let entropy = SystemEntropy::default();
    let options = VaultOptions {
        folder: folder.path().join("data"),
        randomness: Arc::new(move |buffer: &mut [u8]| entropy.fill(buffer)),
        writer: WriterMode::Thread,
        now: now(),
    };
    let vault = Vault::start(options).expect("a vault");
    let (stamp, client) = register(&vault).await;
    let accounts = tokens.div_ceil(PER_ACCOUNT);
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..accounts {
        let (vault, client) = (vault.clone(), client.clone());
        writes.spawn(async move {
            let record = sign_in(&client, number);
            vault.save_sign_in(record).await.expect("saved");
            for other in 1..PER_ACCOUNT {
                let (partition, token) = (partition(&client, number), token(other));
                vault.save_app_token(stamp, partition, token).await.expect("saved");
            }
        });
        while writes.len() >= IN_FLIGHT {
            writes.join_next().await;
        }
    }
    writes.join_all().await;
    let mut commit = Vec::new();
    for round in 0..200 {
        let begun = Instant::now();
        vault.save_app_token(stamp, partition(&client, 0), token(round % PER_ACCOUNT)).await.expect("saved");
        commit.push(begun.elapsed());
    }
    vault.close();
    Filled { folder, tokens, accounts, commit: Sample::of(commit) }
}

async fn register(vault: &Vault) -> (ApplicationStamp, Client) {
    let application = RegisteredApplication {
        name: application_name(),
        client_id: ClientId::parse("bench-client").expect("valid"),
        authority: Authority::from_issuer("https://id.example.com").expect("valid"),
        credential: Credential::Public,
        scopes: ScopeSet::parse(["common"]).expect("valid"),
        redirect_uri: None,
        client_capabilities: Vec::new(),
        keep_alive: None,
        options: ApplicationOptions::default(),
    };
    let client = application.client();
    let SavedApplication::Added(stored) =
        vault.save_application(application, ExistingApplication::Refuse).await.expect("saved")
    else {
        panic!("a new folder has no applications")
    };
    (stored.stamp, client)
}

fn now() -> UnixTime {
    SystemClock.now()
}

fn token(number: usize) -> CachedToken {
    CachedToken {
        access_token: Secret::new("t".repeat(TOKEN_BYTES)),
        token_type: "Bearer".into(),
        scopes: ScopeSet::parse([format!("common own{number}").as_str()]).expect("valid"),
        issued_on: now(),
        expires_on: now().plus(Duration::from_secs(30 * 24 * 3600)),
        refresh_on: None,
        subject: None,
    }
}

fn partition(client: &Client, number: usize) -> TokenPartition {
    TokenPartition {
        environment: client.environment.clone(),
        client_id: client.client_id.clone(),
        home_account_id: Some(account(number)),
        tenant: String::new(),
        token_type: "bearer".into(),
        key_id: String::new(),
        extra: String::new(),
    }
}

fn sign_in(client: &Client, number: usize) -> SignInRecord {
    let key = GrantKey {
        environment: client.environment.clone(),
        holder: GrantHolder::Client(client.client_id.clone()),
        home_account_id: account(number),
    };
    let refresh_token = RefreshToken::new(Secret::new("r".repeat(TOKEN_BYTES)));
    let grant = Grant::issued(refresh_token, ScopeSet::parse(["common"]).expect("valid"), now());
    SignInRecord {
        client: client.clone(),
        user: User {
            home_account_id: account(number),
            username: account(number),
            name: None,
            local_account_id: account(number),
            tenant: String::new(),
        },
        token: Some((partition(client, number), token(0))),
        grant: Some((key, grant)),
        identity: None,
    }
}
