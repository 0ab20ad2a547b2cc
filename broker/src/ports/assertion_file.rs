//! Files that somebody else keeps a client assertion in, such as the projected token of a Kubernetes pod. Read anew each time,
//! since they are replaced before they expire.

use std::{
    fs::OpenOptions,
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use token_broker_proto::Secret;

/// Longest assertion in bytes.
const MAX_ASSERTION: usize = 64 * 1024;

/// Reads the file, away from the event loop. White space around the assertion does not count. The error says what is wrong with
/// the file, never what is in it.
pub async fn read(path: &Path) -> io::Result<Secret> {
    let path = PathBuf::from(path);
    tokio::task::spawn_blocking(move || read_now(&path)).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn read_now(path: &Path) -> io::Result<Secret> {
    // A pipe or a device could keep the reader forever, at its opening already.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // Sized at once: a text that grows would leave copies behind.
    let mut text = String::with_capacity(MAX_ASSERTION + 2);
    let read = file.take(MAX_ASSERTION as u64 + 1).read_to_string(&mut text);
    let secret = Secret::new(text);
    read?;
    let assertion = secret.expose().trim();
    if secret.expose().len() > MAX_ASSERTION {
        Err(io::Error::other(format!("it is longer than {MAX_ASSERTION} bytes")))
    } else if assertion.is_empty() {
        Err(io::Error::other("it is empty"))
    } else {
        Ok(Secret::new(assertion))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{MAX_ASSERTION, read};

    #[tokio::test]
    async fn what_is_there_now_is_read_and_what_cannot_be_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("assertion");
        for (text, expected) in [("a.b.c\n", "a.b.c"), (" d.e.f ", "d.e.f")] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path).await.unwrap().expose(), expected);
        }
        for text in [String::new(), " \n".to_owned(), "x".repeat(MAX_ASSERTION + 1)] {
            fs::write(&path, text).unwrap();
            assert!(read(&path).await.is_err());
        }
        fs::write(&path, b"\xff\xfe").unwrap();
        assert!(read(&path).await.is_err());
        assert!(read(folder.path()).await.unwrap_err().to_string().contains("regular"));
        assert!(read(&folder.path().join("none")).await.is_err());
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(read(&pipe).await.unwrap_err().to_string().contains("regular"), "nobody writes, and nobody waits");
    }
}
