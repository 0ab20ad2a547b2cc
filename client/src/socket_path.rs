//! Where the daemon's socket is: an explicit path, else `$TOKEN_BROKER_SOCKET`, else
//! `$XDG_RUNTIME_DIR/token-broker/broker.sock`, else the same under `/run/user/UID` when that folder is ours; on macOS the
//! user's cache folder. The daemon resolves the same order by itself (`paths` of its crate), since the contract crate does
//! no input or output.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use crate::ClientError;

/// Names the socket; wins over every default.
const VARIABLE: &str = "TOKEN_BROKER_SOCKET";
/// Path of the socket below the folder of the user's run-time files.
const BELOW: &str = "token-broker/broker.sock";

/// Path of the daemon's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketPath {
    path: PathBuf,
    is_default: bool,
}

impl SocketPath {
    /// Finds the path: `explicit` if it is given, else what this process's environment says.
    ///
    /// Fails with [`ClientError::NoSocketPath`] if nothing names one.
    pub fn resolve(explicit: Option<&Path>) -> Result<Self, ClientError> {
        let variable = |name: &str| std::env::var_os(name);
        Self::find(explicit, variable, own_default).ok_or(ClientError::NoSocketPath)
    }

    /// The order itself, with the environment and the platform's own folder passed in.
    fn find(
        explicit: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
        own_default: impl FnOnce() -> Option<PathBuf>,
    ) -> Option<Self> {
        if let Some(path) = explicit {
            return Some(Self { path: path.to_owned(), is_default: false });
        }
        if let Some(path) = variable(VARIABLE).filter(|path| !path.is_empty()) {
            return Some(Self { path: path.into(), is_default: false });
        }
        // A relative XDG folder is to be ignored (XDG Base Directory Specification).
        let runtime_dir = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let folder = runtime_dir.filter(|_| !cfg!(target_os = "macos")).or_else(own_default)?;
        Some(Self { path: folder.join(BELOW), is_default: true })
    }

    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.path
    }

    /// Whether it is the usual place, not one that was named.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.is_default
    }
}

impl fmt::Display for SocketPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// `/run/user/UID`, if it is a folder of ours.
#[cfg(not(target_os = "macos"))]
fn own_default() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;

    let uid = rustix::process::geteuid().as_raw();
    let folder = PathBuf::from(format!("/run/user/{uid}"));
    let found = std::fs::symlink_metadata(&folder).ok()?;
    (found.is_dir() && found.uid() == uid).then_some(folder)
}

/// The user's cache folder: macOS has no folder for run-time files.
#[cfg(target_os = "macos")]
fn own_default() -> Option<PathBuf> {
    Some(directories::BaseDirs::new()?.cache_dir().to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::SocketPath;

    fn found(explicit: Option<&str>, variables: &[(&str, &str)], own_default: Option<&str>) -> Option<PathBuf> {
        let variable = |name: &str| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| std::ffi::OsString::from(value))
        };
        SocketPath::find(explicit.map(Path::new), variable, || own_default.map(PathBuf::from)).map(|socket| socket.path)
    }

    #[test]
    fn the_most_explicit_place_wins() {
        let variables = [("TOKEN_BROKER_SOCKET", "/v/s"), ("XDG_RUNTIME_DIR", "/x")];
        assert_eq!(found(Some("/e/s"), &variables, Some("/run/user/1")), Some("/e/s".into()));
        assert_eq!(found(None, &variables, Some("/run/user/1")), Some("/v/s".into()));
        assert_eq!(found(None, &[], Some("/run/user/1")), Some("/run/user/1/token-broker/broker.sock".into()));
        assert_eq!(found(None, &[], None), None);
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn a_relative_or_empty_setting_is_passed_over() {
        let xdg = [("TOKEN_BROKER_SOCKET", ""), ("XDG_RUNTIME_DIR", "/x")];
        assert_eq!(found(None, &xdg, None), Some("/x/token-broker/broker.sock".into()));
        assert_eq!(found(None, &[("XDG_RUNTIME_DIR", "x")], None), None);
    }
}
