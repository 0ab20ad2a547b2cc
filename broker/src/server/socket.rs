//! The owner's socket: a folder that only the owner can enter, checked again at every start, and a socket file in it that only
//! the owner can open. A stale socket file is replaced; a file that is no socket, or one that somebody answers at, is not.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The folder is not safe; the text says in what way.
    #[error("the socket folder {folder} is not safe: {rule}")]
    UnsafeFolder {
        /// The folder.
        folder: PathBuf,
        /// The rule that it breaks.
        rule: String,
    },
    /// Somebody serves there.
    #[error("another daemon answers at {0}")]
    InUse(PathBuf),
    /// A file that is not ours to remove.
    #[error("{0} exists and is not a socket; remove it or choose another --socket")]
    NotASocket(PathBuf),
    /// The path has no folder or is too long for a socket.
    #[error("{path} cannot be a socket path: {rule}")]
    Path {
        /// The path.
        path: PathBuf,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The system refused.
    #[error("{what} {path}: {error}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The uid of this process.
#[must_use]
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens the owner's socket.
pub async fn bind(path: &Path) -> Result<UnixListener, SocketError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.ok_or(SocketError::Path { path: path.to_owned(), rule: "it must be an absolute path" })?;
    prepare_folder(folder)?;
    clear(path).await?;
    let listener = UnixListener::bind(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => SocketError::Path { path: path.to_owned(), rule: "it is too long for a socket" },
        _ => io_error("cannot listen at", path, error),
    })?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| io_error("cannot restrict", path, error))?;
    Ok(listener)
}

/// Takes over the socket that the service manager made, after the same look at its folder.
pub fn adopt(listener: std::os::unix::net::UnixListener) -> Result<UnixListener, SocketError> {
    let failed = |error| io_error("cannot take over", Path::new("the socket of the service manager"), error);
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = UnixListener::from_std(listener).map_err(failed)?;
    let path = PathBuf::from(path_of(&listener));
    check_folder(path.parent().unwrap_or(&path))?;
    Ok(listener)
}

/// The path that a socket listens at; empty if it has none.
#[must_use]
pub fn path_of(listener: &UnixListener) -> String {
    let address = listener.local_addr().ok();
    address
        .as_ref()
        .and_then(|address| address.as_pathname())
        .map(|path| path.display().to_string())
        .unwrap_or_default()
}

/// Makes the folder if it is missing, and checks it.
fn prepare_folder(folder: &Path) -> Result<(), SocketError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| io_error("cannot make", folder, error))?;
    check_folder(folder)
}

/// A real folder, ours, closed to everybody else.
fn check_folder(folder: &Path) -> Result<(), SocketError> {
    let metadata = fs::symlink_metadata(folder).map_err(|error| io_error("cannot look at", folder, error))?;
    let refuse = |rule: String| Err(SocketError::UnsafeFolder { folder: folder.to_owned(), rule });
    if !metadata.is_dir() {
        return refuse("it is a symbolic link or no folder at all".into());
    }
    if metadata.uid() != own_uid() {
        return refuse(format!("it belongs to uid {}, not to uid {}", metadata.uid(), own_uid()));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return refuse(format!("its mode is {mode:03o}; close it with: chmod 700 {}", folder.display()));
    }
    Ok(())
}

/// Removes the socket file of a daemon that is gone.
async fn clear(path: &Path) -> Result<(), SocketError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error("cannot look at", path, error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(SocketError::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // Only this one says that nobody listens; a daemon that is busy says something else.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| io_error("cannot remove the stale socket", path, error))
        }
        Ok(_) | Err(_) => Err(SocketError::InUse(path.to_owned())),
    }
}

fn io_error(what: &'static str, path: &Path, error: io::Error) -> SocketError {
    SocketError::Io { what, path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::{SocketError, bind};

    #[tokio::test]
    async fn folder_and_socket_are_closed_to_others() {
        let scratch = tempfile::tempdir().expect("scratch folder");
        let path = scratch.path().join("new").join("broker.sock");
        let _listener = bind(&path).await.expect("a socket");
        let mode = |path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().expect("a folder")), mode(&path)), (0o700, 0o600));
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
        let scratch = tempfile::tempdir().expect("scratch folder");
        let path = scratch.path().join("run").join("broker.sock");
        drop(bind(&path).await.expect("a first daemon"));
        let _second = bind(&path).await.expect("the stale file is replaced");
        assert!(matches!(bind(&path).await, Err(SocketError::InUse(_))));
    }

    #[tokio::test]
    async fn unsafe_places_are_refused() {
        let scratch = tempfile::tempdir().expect("scratch folder");
        let open = scratch.path().join("open");
        fs::create_dir(&open).expect("a folder");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o770)).expect("its mode");
        assert!(matches!(bind(&open.join("s")).await, Err(SocketError::UnsafeFolder { .. })));
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink(scratch.path(), &link).expect("a link");
        assert!(matches!(bind(&link.join("s")).await, Err(SocketError::UnsafeFolder { .. })));
        let closed = scratch.path().join("closed");
        drop(bind(&closed.join("s")).await.expect("a safe place"));
        let file = closed.join("file");
        fs::write(&file, "mine").expect("a file");
        assert!(matches!(bind(&file).await, Err(SocketError::NotASocket(_))));
        assert_eq!(fs::read_to_string(&file).expect("still there"), "mine");
    }
}
