//! A small file system of its own, mounted over a folder: it can be full, or be mounted so that nothing can be written. Only
//! root can do that.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use crate::requirements::Missing;

/// A file system in memory; gone when dropped, with all that is on it.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

/// Whether the files may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// They may.
    Write,
    /// They may not.
    ReadOnly,
}

impl SmallDisk {
    /// Mounts one over the folder, with what is in the folder now.
    ///
    /// # Errors
    /// When this user or this machine cannot mount.
    pub fn over(folder: &Path, access: Access) -> Result<Self, Missing> {
        let content: Vec<_> = fs::read_dir(folder)
            .expect("the folder can be listed")
            .flatten()
            .map(|entry| (entry.file_name(), fs::read(entry.path()).expect("a file")))
            .collect();
        let target = folder.to_str().expect("a path that is text");
        mount(&["-t", "tmpfs", "-o", "size=2m,mode=700", "token-broker-test", target])?;
        let disk = Self(folder.to_owned());
        for (name, bytes) in content {
            let path = folder.join(name);
            fs::write(&path, bytes).expect("it fits");
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&path, private).expect("its mode can be set");
        }
        if access == Access::ReadOnly {
            mount(&["-o", "remount,ro", target])?;
        }
        Ok(disk)
    }

    /// Writes until nothing more fits.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("the disk takes a file");
        while file.write_all(&[0; 512]).is_ok() {}
    }

    /// Makes room again.
    pub fn clear(&self) {
        fs::remove_file(self.filler()).expect("what fills the disk can be removed");
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the daemon may still have its files open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str]) -> Result<(), Missing> {
    let said = match Command::new("mount").args(arguments).output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Missing::new(format!("a small file system cannot be mounted ({said}): run as root")))
}
