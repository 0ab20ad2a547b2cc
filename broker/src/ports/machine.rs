//! What the daemon's machine says of itself, as far as managed identity needs it: variables of the environment, whether the agent
//! of Azure Arc is there, and its key files. Read at the moment of use and never kept.

use std::{
    env,
    fs::{self, File},
    future::Future,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    pin::Pin,
};

use token_broker_proto::Secret;

/// Where the agent of Azure Arc is installed.
const ARC_AGENT: &str = "/opt/azcmagent/bin/himds";
/// Where it puts its keys. Only root and the group `himds` can read there.
const ARC_KEYS: &str = "/var/opt/azcmagent/tokens";
/// Longest key in bytes (MSAL).
const MAX_KEY: usize = 4096;

/// The machine that the daemon runs on.
pub trait Machine: Send + Sync {
    /// A variable of the daemon's environment; `None` if it is not set or no text.
    fn variable(&self, name: &str) -> Option<Secret>;
    /// Whether the agent of Azure Arc is installed.
    fn has_arc_agent(&self) -> bool;
    /// The folder of the agent's keys.
    fn arc_keys(&self) -> &Path;
    /// Reads a key of that folder.
    fn arc_key(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Secret>> + Send>> {
        let path = self.arc_keys().join(name);
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || read_key(&path)).await;
            read.unwrap_or_else(|error| Err(io::Error::other(error)))
        })
    }
}

/// This machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemMachine;

impl Machine for SystemMachine {
    fn variable(&self, name: &str) -> Option<Secret> {
        env::var(name).ok().map(Secret::new)
    }

    fn has_arc_agent(&self) -> bool {
        cfg!(target_os = "linux") && Path::new(ARC_AGENT).exists()
    }

    fn arc_keys(&self) -> &Path {
        Path::new(ARC_KEYS)
    }
}

/// Reads a key file: a regular file, no link, within the limit. The error says what is wrong with it, never what is in it.
fn read_key(path: &PathBuf) -> io::Result<Secret> {
    let seen = fs::symlink_metadata(path)?;
    if !seen.is_file() {
        return Err(io::Error::other("it is a link or no regular file"));
    }
    let file = File::open(path)?;
    let opened = file.metadata()?;
    if (seen.dev(), seen.ino()) != (opened.dev(), opened.ino()) {
        return Err(io::Error::other("it was replaced while it was opened"));
    }
    // Sized at once: a text that grows would leave copies behind.
    let mut text = String::with_capacity(MAX_KEY + 2);
    let read = file.take(MAX_KEY as u64 + 1).read_to_string(&mut text);
    let secret = Secret::new(text);
    read?;
    if secret.expose().len() > MAX_KEY {
        return Err(io::Error::other(format!("it is longer than {MAX_KEY} bytes")));
    }
    let key = secret.expose().trim();
    if key.is_empty() || key.bytes().any(|byte| !(0x20..=0x7E).contains(&byte)) {
        return Err(io::Error::other("it does not hold a key"));
    }
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{MAX_KEY, read_key};

    #[test]
    fn only_a_small_regular_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        fs::write(&path, "k3y\n").unwrap();
        assert_eq!(read_key(&path).unwrap().expose(), "k3y");
        let link = folder.path().join("link.key");
        symlink(&path, &link).unwrap();
        let refused = |path: &std::path::PathBuf| read_key(path).unwrap_err().to_string();
        assert!(refused(&link).contains("link"));
        assert!(refused(&folder.path().to_path_buf()).contains("regular"));
        fs::write(&path, "x".repeat(MAX_KEY)).unwrap();
        assert!(read_key(&path).is_ok());
        for text in ["x".repeat(MAX_KEY + 1), String::new(), "two\nlines".to_owned(), "\u{e9}".to_owned()] {
            fs::write(&path, &text).unwrap();
            let said = refused(&path);
            assert!(!said.contains("lines"), "{said}");
        }
        assert!(read_key(&folder.path().join("none.key")).is_err());
    }
}
