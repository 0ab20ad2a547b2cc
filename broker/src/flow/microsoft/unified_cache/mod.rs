//! The unified token cache of Microsoft's libraries (MSAL Python, .NET, Go, Java; Azure CLI's `msal_token_cache.json`): a JSON
//! object of sections, each an object of entries. Reads it entry by entry, so that a file of any length needs little memory.
//!
//! Owns the limits on it and how forgiving to be: an entry that is not as it should be is told as unreadable, and the rest goes
//! on; a file that is no JSON, is cut off or is something else is refused. Keys are not looked at: their format differs.

mod entry;

use std::{
    cell::Cell,
    fmt,
    io::{self, BufReader, Read},
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use token_broker_proto::Secret;

pub use entry::{AccessTokenEntry, AccountEntry, AppMetadataEntry, Entry, IdTokenEntry, RefreshTokenEntry, Section};

/// Longest entry in bytes; an access token with many groups fits many times.
const MAX_ENTRY_BYTES: usize = 1024 * 1024;
/// How much is read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Why a file cannot be read as a token cache.
#[derive(Debug, thiserror::Error)]
pub enum UnifiedCacheError {
    /// It is no JSON, or is cut off; the text says where.
    #[error("it is not a token cache of MSAL, or is cut off: {0}")]
    NotACache(String),
    /// It is JSON, but has none of the sections.
    #[error(
        "it has none of the sections of a token cache of MSAL (AccessToken, RefreshToken, IdToken, Account, AppMetadata)"
    )]
    NoSection,
    /// One entry is too long.
    #[error("an entry is longer than {MAX_ENTRY_BYTES} bytes")]
    TooLong,
    /// It could not be read.
    #[error("reading it failed: {0}")]
    Io(io::Error),
    /// Whoever takes the entries stopped.
    #[error("the import was stopped")]
    Stopped,
}

/// Reads a cache and hands over its entries one by one, until `take` says that it wants no more.
pub fn read(source: impl Read, take: &mut dyn FnMut(Entry) -> bool) -> Result<(), UnifiedCacheError> {
    let since_entry = Rc::new(Cell::new(Some(0)));
    let metered = Metered { source, since_entry: Rc::clone(&since_entry) };
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER_BYTES, metered));
    let mut reading = Reading { take, since_entry, sections: 0, stopped: false };
    let read = json.deserialize_map(Sections(&mut reading)).and_then(|()| json.end());
    let Reading { sections, stopped, since_entry, .. } = reading;
    match read {
        _ if stopped => Err(UnifiedCacheError::Stopped),
        Ok(()) if sections == 0 => Err(UnifiedCacheError::NoSection),
        Ok(()) => Ok(()),
        Err(_) if is_too_long(&since_entry) => Err(UnifiedCacheError::TooLong),
        Err(error) if error.is_io() => Err(UnifiedCacheError::Io(error.into())),
        // Only the place: the text of a syntax error could quote a token.
        Err(error) => Err(UnifiedCacheError::NotACache(format!("line {}, column {}", error.line(), error.column()))),
    }
}

/// What the visitors share.
struct Reading<'a> {
    take: &'a mut dyn FnMut(Entry) -> bool,
    since_entry: Count,
    sections: usize,
    stopped: bool,
}

/// Bytes that were read since the last entry; none while something is skipped, of which nothing is held.
type Count = Rc<Cell<Option<usize>>>;

fn is_too_long(since_entry: &Count) -> bool {
    since_entry.get().is_some_and(|bytes| bytes > MAX_ENTRY_BYTES)
}

/// Counts, and ends an entry that does not end.
struct Metered<R> {
    source: R,
    since_entry: Count,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if is_too_long(&self.since_entry) {
            return Err(io::Error::other("too long"));
        }
        let read = self.source.read(buffer)?;
        self.since_entry.set(self.since_entry.get().map(|bytes| bytes + read));
        Ok(read)
    }
}

/// The outer object.
struct Sections<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Visitor<'de> for Sections<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token cache")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if let Some(section) = Section::named(&name) {
                self.0.sections += 1;
                map.next_value_seed(Entries { reading: &mut *self.0, section })?;
            } else {
                // Other sections are other programs' own.
                self.0.since_entry.set(None);
                map.next_value::<IgnoredAny>()?;
                self.0.since_entry.set(Some(0));
            }
        }
        Ok(())
    }
}

/// One section.
struct Entries<'r, 'a> {
    reading: &'r mut Reading<'a>,
    section: Section,
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section of a token cache")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(IgnoredAny) = map.next_key()? {
            let raw: Box<RawValue> = map.next_value()?;
            let raw = Secret::new(String::from(Box::<str>::from(raw)));
            self.reading.since_entry.set(Some(0));
            if !(self.reading.take)(self.section.read(raw.expose())) {
                self.reading.stopped = true;
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
