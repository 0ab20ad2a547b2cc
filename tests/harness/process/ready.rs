//! The service manager's side of `Type=notify`: a datagram socket that the daemon tells when it is ready (`sd_notify`). The event
//! that a test waits for instead of sleeping.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tokio::net::UnixDatagram;

/// Where one daemon tells how it is.
#[derive(Debug)]
pub(super) struct NotifySocket {
    path: PathBuf,
    socket: UnixDatagram,
}

impl NotifySocket {
    /// A new one in this folder.
    pub(super) fn bind(folder: &Path) -> Self {
        // A daemon that was started here before has left its own.
        let path = (0..1000).map(|number| folder.join(format!("notify-{number}"))).find(|path| !path.exists());
        let path = path.expect("fewer starts in one home");
        let socket = UnixDatagram::bind(&path).expect("a notify socket");
        // The daemon may run as another user.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("its mode");
        Self { path, socket }
    }

    /// The value of `NOTIFY_SOCKET`.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Resolves once the daemon says that it serves.
    pub(super) async fn ready(&self) {
        let mut message = [0; 1024];
        loop {
            let length = self.socket.recv(&mut message).await.expect("a message");
            let text = String::from_utf8_lossy(message.get(..length).unwrap_or_default());
            if text.lines().any(|line| line == "READY=1") {
                return;
            }
        }
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // an error: the home is gone already
    }
}
