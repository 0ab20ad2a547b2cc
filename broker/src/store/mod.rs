//! The vault: an encrypted SQLite cache in a folder of its own, in which nothing about people or applications stands in
//! clear. Every row is sealed; rows are found by keyed hashes. Reads run on the caller's thread, writes on one thread that
//! commits in groups. Owns the data folder, the schema, the data key and its sources. Does no protocol and keeps no clock.

mod error;
mod folder;
mod key;
mod open;
mod place;
mod recall;
mod rows;
mod schema;
mod seal;
#[cfg(test)]
mod tests;
mod vault;
mod writer;

pub use error::{StartError, StoreError};
pub use key::Randomness;
pub use rows::{application::StoredApplication, provider::StoredProvider};
pub use vault::{
    EntryPage, GrantCounts, GrantEntry, ImportRecord, Imported, RefreshRecord, RemovedApplication, Saved,
    SavedApplication, SessionRecord, SignInRecord, StoredEntry, Surroundings, Vault, VaultOptions, VerifyReport,
    WriterMode,
};
