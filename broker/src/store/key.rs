//! The data key and where it comes from. Today a file of 32 random bytes, readable by its owner only; the Secret Service, a
//! systemd credential and a passphrase will be further sources. Does not decide when a new key may be made: `open` does.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::{
    error::StartError,
    folder::{private_file, sync_folder},
};

/// Bytes in a data key.
const KEY_BYTES: usize = 32;

/// Fills a buffer with unpredictable bytes.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The key that every subkey is derived from; wiped when dropped.
pub(super) struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// The bytes, to derive from.
    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

/// Where the data key comes from.
#[derive(Debug)]
pub(super) enum KeySource {
    /// A file of 32 bytes, mode 0600.
    File(PathBuf),
}

/// What a source gave.
pub(super) enum Loaded {
    /// The key.
    Key(DataKey),
    /// There is none, and the source could keep a new one; the text says what is missing.
    Missing(String),
    /// There is one that cannot be used; the text says why.
    Unusable(String),
}

impl KeySource {
    /// The word for the status.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
        }
    }

    /// Where the key should be, for messages.
    pub(super) fn place(&self) -> String {
        match self {
            Self::File(path) => format!("the key file {}", path.display()),
        }
    }

    /// Looks for the key.
    pub(super) fn load(&self) -> Loaded {
        let Self::File(path) = self;
        let mut file = match private_file().open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Loaded::Missing(format!("{} is missing: put it back", self.place()));
            }
            Err(error) => return Loaded::Unusable(format!("{} cannot be read: {error}", self.place())),
        };
        let why = match file.metadata() {
            Err(error) => format!("cannot be read: {error}"),
            Ok(found) if !found.is_file() => "is not a file".to_owned(),
            Ok(found) if found.uid() != geteuid().as_raw() => "belongs to another user".to_owned(),
            Ok(found) if found.mode() & 0o077 != 0 => "can be read by others: chmod 600 it".to_owned(),
            Ok(found) if found.len() != KEY_BYTES as u64 => format!("has {} bytes instead of 32", found.len()),
            Ok(_) => {
                let mut key = Zeroizing::new([0; KEY_BYTES]);
                match file.read_exact(key.as_mut_slice()) {
                    Ok(()) => return Loaded::Key(DataKey(key)),
                    Err(error) => format!("cannot be read: {error}"),
                }
            }
        };
        Loaded::Unusable(format!("{} {why}", self.place()))
    }

    /// Removes what a crash in [`KeySource::create`] may have left.
    pub(super) fn discard_draft(&self) {
        let Self::File(path) = self;
        // Missing as a rule; one that cannot be removed does no harm.
        let _ = std::fs::remove_file(draft_of(path));
    }

    /// Makes a new key and keeps it durably. Never replaces one that is there.
    pub(super) fn create(&self, randomness: &Randomness) -> Result<DataKey, StartError> {
        let Self::File(path) = self;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        randomness(key.as_mut_slice());
        let kept = || {
            // Written beside its place first: a crash leaves no half key there. `hard_link` refuses to replace.
            let draft = draft_of(path);
            let mut file = private_file().write(true).create(true).truncate(true).open(&draft)?;
            file.write_all(key.as_slice())?;
            file.sync_all()?;
            std::fs::hard_link(&draft, path)?;
            std::fs::remove_file(&draft)?;
            path.parent().map_or(Ok(()), sync_folder)
        };
        kept().map_err(|source| StartError::Io { path: path.clone(), source })?;
        Ok(DataKey(key))
    }
}

fn draft_of(path: &Path) -> PathBuf {
    path.with_extension("new")
}
