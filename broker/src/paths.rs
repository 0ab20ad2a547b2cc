//! Where the daemon finds its files and its socket: the command line, else the environment, else the configuration, else the
//! places of the platform (XDG on Linux, the user's Library on macOS). `token-broker-client` finds the socket in the same order.

use std::{
    env,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use directories::{BaseDirs, ProjectDirs};

/// No place is known.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The home folder is not known.
    #[error("no home folder is known; set HOME, or name the places with --socket and --data-dir")]
    NoHome,
    /// There is no runtime folder for the socket.
    #[error(
        "no runtime folder is known for the socket: XDG_RUNTIME_DIR is not set; name a place, here and for who calls: \
         export TOKEN_BROKER_SOCKET=\"$HOME/.token-broker/broker.sock\""
    )]
    NoRuntimeFolder,
}

fn project() -> Result<ProjectDirs, PathError> {
    ProjectDirs::from("", "", "token-broker").ok_or(PathError::NoHome)
}

fn from_environment(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The configuration file, and whether somebody named it.
pub fn config_file(given: Option<PathBuf>) -> Result<(PathBuf, bool), PathError> {
    match given.or_else(|| from_environment("TOKEN_BROKER_CONFIG")) {
        Some(path) => Ok((path, true)),
        None => Ok((project()?.config_dir().join("config.toml"), false)),
    }
}

/// The data folder.
pub fn data_dir(given: Option<PathBuf>, configured: Option<PathBuf>) -> Result<PathBuf, PathError> {
    match given.or_else(|| from_environment("TOKEN_BROKER_DATA_DIR")).or(configured) {
        Some(path) => Ok(path),
        None => Ok(project()?.data_dir().to_owned()),
    }
}

/// The socket path.
pub fn socket(given: Option<PathBuf>, configured: Option<PathBuf>, uid: u32) -> Result<PathBuf, PathError> {
    match given.or_else(|| from_environment("TOKEN_BROKER_SOCKET")).or(configured) {
        Some(path) => Ok(path),
        None => Ok(runtime_folder(uid)?.join("token-broker").join("broker.sock")),
    }
}

fn runtime_folder(uid: u32) -> Result<PathBuf, PathError> {
    if cfg!(target_os = "macos") {
        return Ok(BaseDirs::new().ok_or(PathError::NoHome)?.cache_dir().to_owned());
    }
    if let Some(folder) = from_environment("XDG_RUNTIME_DIR").filter(|folder| folder.is_absolute()) {
        return Ok(folder);
    }
    let folder = Path::new("/run/user").join(uid.to_string());
    let ours = folder.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid);
    if ours { Ok(folder) } else { Err(PathError::NoRuntimeFolder) }
}
