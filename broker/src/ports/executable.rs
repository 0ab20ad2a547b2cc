//! The program file of this process, and whether another has taken its place since it started, as an upgrade does.

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// The program file that this process was started from.
#[derive(Debug, Clone)]
pub struct Executable {
    path: PathBuf,
    running: Identity,
}

/// What tells a file from one that replaced it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    /// Seconds and nanoseconds: an inode number may be used again.
    modified: (i64, i64),
}

impl Executable {
    /// The running program's file. Looked at once, at the start: afterwards the path may lead elsewhere.
    pub fn running() -> io::Result<Self> {
        let file = Self::at(env::current_exe()?)?;
        // A service manager names the path that it was given, which may be a link that an upgrade turns to another version.
        let named = env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute());
        let named = named.and_then(|path| Self::at(path).ok()).filter(|named| named.running == file.running);
        Ok(named.unwrap_or(file))
    }

    fn at(path: PathBuf) -> io::Result<Self> {
        let running = Identity::of(&fs::metadata(&path)?);
        Ok(Self { path, running })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing is at the path any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        fs::metadata(&self.path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether another program is at the path now. A file that is gone has no successor.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| {
            let runs = found.is_file() && found.len() > 0 && found.mode() & 0o111 != 0;
            runs && Identity::of(&found) != self.running
        })
    }
}

impl Identity {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::Executable;

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_another_program_at_the_path_is_a_successor() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("daemon"), folder.path().join("next"));
        write(&path, "one", 0o755);
        let executable = Executable::at(path.clone()).unwrap();
        assert!(!executable.is_replaced());
        fs::remove_file(&path).unwrap();
        assert!(!executable.is_replaced(), "removed");
        write(&next, "two", 0o644);
        fs::rename(&next, &path).unwrap();
        assert!(!executable.is_replaced(), "not a program yet");
        write(&path, "two", 0o755);
        assert!(executable.is_replaced());
    }

    #[test]
    fn a_link_that_turns_is_a_replacement() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&path("1.0"), "one", 0o755);
        write(&path("1.1"), "two", 0o755);
        std::os::unix::fs::symlink(path("1.0"), path("daemon")).unwrap();
        let executable = Executable::at(path("daemon")).unwrap();
        std::os::unix::fs::symlink(path("1.1"), path("next")).unwrap();
        fs::rename(path("next"), path("daemon")).unwrap();
        assert!(executable.is_replaced());
    }

    #[test]
    fn this_very_program_has_no_successor() {
        assert!(!Executable::running().unwrap().is_replaced());
    }
}
