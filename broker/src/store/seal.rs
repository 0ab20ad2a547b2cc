//! Sealing of rows and keyed hashing of lookup columns. Owns the subkeys, one pair per table, derived from the data key with
//! HKDF-SHA256 (RFC 5869) and one label per use; AES-256-GCM with random nonces (NIST SP 800-38D); HMAC-SHA256 (RFC 2104).
//! Knows nothing of rows beyond their table and their lookup hash.

use std::io;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hkdf, hmac,
};
use serde::Serialize;
use zeroize::optimization_barrier;

use super::{
    error::StoreError,
    key::{DataKey, Randomness},
};

/// A keyed hash that stands for something that must not be readable.
pub(super) type Lookup = [u8; 16];

/// A table whose rows are sealed or looked up by keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Application,
    Account,
    Grant,
    AccessToken,
    Posting,
    Identity,
    AppMetadata,
    Provider,
    Meta,
}

impl Table {
    /// Its name in the schema, in subkey labels and in errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Account => "account",
            Self::Grant => "grant_token",
            Self::AccessToken => "access_token",
            Self::Posting => "posting",
            Self::Identity => "identity",
            Self::AppMetadata => "app_metadata",
            Self::Provider => "provider_metadata",
            Self::Meta => "meta",
        }
    }
}

struct TableKeys {
    seal: LessSafeKey,
    lookup: hmac::Key,
}

/// Every subkey, and the randomness for nonces.
pub(super) struct Keyring {
    application: TableKeys,
    account: TableKeys,
    grant: TableKeys,
    access_token: TableKeys,
    posting: TableKeys,
    identity: TableKeys,
    app_metadata: TableKeys,
    provider: TableKeys,
    meta: TableKeys,
    fingerprint: hmac::Key,
    key_identity: Lookup,
    randomness: Randomness,
}

impl Keyring {
    /// Derives every subkey.
    pub(super) fn derive(key: &DataKey, randomness: Randomness) -> Result<Self, StoreError> {
        Self::derive_all(key, randomness).map_err(|_| StoreError::Unavailable("the subkeys cannot be derived".into()))
    }

    fn derive_all(key: &DataKey, randomness: Randomness) -> Result<Self, Unspecified> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"token-broker vault 1").extract(key.bytes());
        let mac = |label: &str| -> Result<hmac::Key, Unspecified> {
            Ok(root.expand(&[label.as_bytes()], hmac::HMAC_SHA256)?.into())
        };
        let pair = |table: Table| -> Result<TableKeys, Unspecified> {
            let label = format!("seal {}", table.name());
            let seal: UnboundKey = root.expand(&[label.as_bytes()], &AES_256_GCM)?.into();
            Ok(TableKeys { seal: LessSafeKey::new(seal), lookup: mac(&format!("lookup {}", table.name()))? })
        };
        Ok(Self {
            application: pair(Table::Application)?,
            account: pair(Table::Account)?,
            grant: pair(Table::Grant)?,
            access_token: pair(Table::AccessToken)?,
            posting: pair(Table::Posting)?,
            identity: pair(Table::Identity)?,
            app_metadata: pair(Table::AppMetadata)?,
            provider: pair(Table::Provider)?,
            meta: pair(Table::Meta)?,
            fingerprint: mac("fingerprint")?,
            key_identity: truncated(&hmac::sign(&mac("key identity")?, b"token-broker data key")),
            randomness,
        })
    }

    /// Tells this key from every other one without telling anything else of it.
    pub(super) fn key_identity(&self) -> Lookup {
        self.key_identity
    }

    /// Keyed hash of fields for a lookup column; `what` tells the columns of a table apart.
    pub(super) fn lookup(&self, table: Table, what: &str, fields: &[&str]) -> Lookup {
        self.lookup_bytes(table, what, &[], fields)
    }

    /// The same over a hash that was made before, and fields.
    pub(super) fn lookup_bytes(&self, table: Table, what: &str, hash: &[u8], fields: &[&str]) -> Lookup {
        let mut context = hmac::Context::with_key(&self.of(table).lookup);
        for part in [what.as_bytes(), hash].into_iter().chain(fields.iter().map(|field| field.as_bytes())) {
            // Length-prefixed: ("ab", "c") and ("a", "bc") differ.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        truncated(&context.sign())
    }

    /// Keyed fingerprint of a secret: 16 hex digits.
    pub(super) fn fingerprint(&self, secret: &str) -> String {
        let tag = hmac::sign(&self.fingerprint, secret.as_bytes());
        let number = tag.as_ref().first_chunk().copied().map_or(0, u64::from_be_bytes);
        format!("{number:016x}")
    }

    /// Seals a record for the row of that table that has this lookup hash: nonce, ciphertext, tag.
    pub(super) fn seal(&self, table: Table, row: &Lookup, record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        let failed = || StoreError::Unavailable(format!("a row of {} cannot be sealed", table.name()));
        let mut nonce = [0; NONCE_LEN];
        (self.randomness)(&mut nonce);
        let mut buffer = Wiped(Vec::with_capacity(4096));
        buffer.0.extend_from_slice(&nonce);
        serde_json::to_writer(&mut buffer, record).map_err(|_| failed())?;
        let plain = buffer.0.get_mut(NONCE_LEN..).ok_or_else(failed)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag =
            self.of(table).seal.seal_in_place_separate_tag(nonce, bound_to(table, row), plain).map_err(|_| failed())?;
        // From here on the buffer holds ciphertext.
        buffer.0.extend_from_slice(tag.as_ref());
        Ok(std::mem::take(&mut buffer.0))
    }

    /// Opens in place what [`Keyring::seal`] made; `None` if it was changed, moved or sealed with another key.
    pub(super) fn open<'b>(&self, table: Table, row: &Lookup, sealed: &'b mut [u8]) -> Option<&'b [u8]> {
        let (nonce, ciphertext) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.of(table).seal.open_in_place(nonce, bound_to(table, row), ciphertext).ok()?;
        Some(plain)
    }

    fn of(&self, table: Table) -> &TableKeys {
        match table {
            Table::Application => &self.application,
            Table::Account => &self.account,
            Table::Grant => &self.grant,
            Table::AccessToken => &self.access_token,
            Table::Posting => &self.posting,
            Table::Identity => &self.identity,
            Table::AppMetadata => &self.app_metadata,
            Table::Provider => &self.provider,
            Table::Meta => &self.meta,
        }
    }
}

/// The associated data: what the row is, so that it opens nowhere else.
fn bound_to(table: Table, row: &Lookup) -> Aad<Vec<u8>> {
    let name = table.name().as_bytes();
    let mut text = Vec::with_capacity(16 + name.len() + row.len());
    for part in [name, row.as_slice()] {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part);
    }
    Aad::from(text)
}

fn truncated(tag: &hmac::Tag) -> Lookup {
    let mut lookup = Lookup::default();
    for (to, from) in lookup.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    lookup
}

/// Bytes that leave no copy behind when they grow or go. Wiped in one sweep and not, as `Zeroizing` does, byte by byte: that
/// took a third of the time of a cache hit.
pub(super) struct Wiped(Vec<u8>);

impl Wiped {
    /// A copy of these bytes.
    pub(super) fn copy_of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes, to be opened in place.
    pub(super) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let mut larger = Vec::with_capacity((self.0.len() + bytes.len()) * 2);
            larger.extend_from_slice(&self.0);
            drop(Self(std::mem::replace(&mut self.0, larger)));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        optimization_barrier(self.0.as_slice());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    };

    use proptest::prelude::*;

    use super::{Keyring, Table};
    use crate::store::key::{KeySource, Randomness};

    const TABLES: [Table; 9] = [
        Table::Application,
        Table::Account,
        Table::Grant,
        Table::AccessToken,
        Table::Posting,
        Table::Identity,
        Table::AppMetadata,
        Table::Provider,
        Table::Meta,
    ];

    /// Two keyrings of different keys.
    fn keyrings() -> &'static [Keyring; 2] {
        static BOTH: OnceLock<[Keyring; 2]> = OnceLock::new();
        BOTH.get_or_init(|| [1, 100].map(keyring))
    }

    fn keyring(first: u8) -> Keyring {
        let drawn = AtomicU8::new(first);
        let fill = move |buffer: &mut [u8]| buffer.fill(drawn.fetch_add(1, Ordering::Relaxed));
        let (randomness, folder): (Randomness, _) = (Arc::new(fill), tempfile::tempdir().unwrap());
        let key = KeySource::File(folder.path().join("key")).create(&randomness).unwrap();
        Keyring::derive(&key, randomness).unwrap()
    }

    proptest! {
        #[test]
        fn a_record_opens_where_it_was_sealed_and_nowhere_else(
            record in "\\PC{0,64}",
            (table, other) in (0..TABLES.len(), 1..TABLES.len()),
            (row, moved) in (any::<[u8; 16]>(), any::<[u8; 16]>()),
        ) {
            let ([keys, others], table, elsewhere) = (keyrings(), TABLES[table], TABLES[(table + other) % TABLES.len()]);
            let sealed = keys.seal(table, &row, &record).unwrap();
            let plain = keys.open(table, &row, &mut sealed.clone()).map(<[u8]>::to_vec);
            prop_assert_eq!(plain, serde_json::to_vec(&record).ok());
            prop_assert!(keys.open(elsewhere, &row, &mut sealed.clone()).is_none(), "another table");
            prop_assert!(row == moved || keys.open(table, &moved, &mut sealed.clone()).is_none(), "another row");
            prop_assert!(others.open(table, &row, &mut sealed.clone()).is_none(), "another key");
        }

        #[test]
        fn a_changed_record_never_opens(record in "\\PC{0,64}", place in any::<prop::sample::Index>(), bit in 0..8_u32, cut in any::<bool>()) {
            let [keys, _] = keyrings();
            let mut sealed = keys.seal(Table::Grant, &[7; 16], &record).unwrap();
            let place = place.index(sealed.len());
            if cut { sealed.truncate(place) } else { sealed[place] ^= 1 << bit }
            prop_assert!(keys.open(Table::Grant, &[7; 16], &mut sealed).is_none());
        }

        #[test]
        fn a_lookup_tells_its_fields_apart(one in proptest::collection::vec("[ab]{0,3}", 0..4), other in proptest::collection::vec("[ab]{0,3}", 0..4)) {
            let [keys, _] = keyrings();
            let hash = |fields: &[String]| {
                keys.lookup(Table::Account, "what", &fields.iter().map(String::as_str).collect::<Vec<_>>())
            };
            prop_assert_eq!(hash(&one) == hash(&other), one == other);
        }
    }
}
