//! The data folder: safe to keep secrets in, and one process at a time in it. Owns its creation (0700), the refusal of one
//! that others could change, and the `lock` file that holds the pid. Does not look into the other files.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, process::geteuid};

use super::error::StartError;

/// Mode bits by which somebody else may write.
const OTHERS_WRITE: u32 = 0o022;

/// A data folder that is ours alone for as long as this value lives.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl DataFolder {
    /// Makes the folder if it is missing, checks it and locks it.
    pub(super) fn claim(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::Io { path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
            Ok(_) => {}
        }
        check(path, &fs::symlink_metadata(path).map_err(failed)?)?;
        Ok(Self { path: path.to_owned(), lock: lock(path)? })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The encrypted database.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("cache.db")
    }

    /// The file of the data key.
    pub(super) fn key(&self) -> PathBuf {
        self.path.join("key")
    }

    /// Makes the names in the folder durable.
    pub(super) fn sync(&self) -> Result<(), StartError> {
        sync_folder(&self.path).map_err(|source| StartError::Io { path: self.path.clone(), source })
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // Said and not left to the closing of the file: a process that is just being started may hold a copy of it.
        let _ = self.lock.unlock();
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Open options for a file of ours: never through a symlink, never waiting for a pipe, readable by the owner only.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

fn check(path: &Path, found: &fs::Metadata) -> Result<(), StartError> {
    let why = if found.is_symlink() {
        "is a symbolic link: name the folder that it leads to".to_owned()
    } else if !found.is_dir() {
        "is not a folder".to_owned()
    } else if found.uid() != geteuid().as_raw() {
        format!("belongs to user {}, not to user {} who runs the daemon", found.uid(), geteuid().as_raw())
    } else if found.mode() & OTHERS_WRITE != 0 {
        format!("can be written by others (mode {:04o}): chmod 700 it", found.mode() & 0o7777)
    } else {
        return Ok(());
    };
    Err(StartError::UnsafeFolder { path: path.to_owned(), why })
}

fn lock(folder: &Path) -> Result<File, StartError> {
    let path = folder.join("lock");
    let failed = |source| StartError::Io { path: path.clone(), source };
    let opened = private_file().write(true).create(true).truncate(false).open(&path);
    let mut file = opened.map_err(|source| match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            StartError::ReadOnlyFolder { path: folder.to_owned(), source }
        }
        _ => failed(source),
    })?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // A process that has just taken the lock may not have written its pid yet.
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(StartError::InUse { path: folder.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
    Ok(file)
}
