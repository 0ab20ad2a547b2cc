//! The forms of `service install|uninstall|status`.

use serde::Serialize;

/// `service install`.
#[derive(Serialize)]
pub(crate) struct InstalledJson {
    /// Files that make the service.
    pub(crate) files: Vec<String>,
    /// The program that it runs.
    pub(crate) daemon: String,
    /// Where it will answer.
    pub(crate) socket: String,
    /// Whether a file is other than it was.
    pub(crate) changed: bool,
    /// Whether it was started, or told to take over what changed.
    pub(crate) started: bool,
}

/// `service uninstall`.
#[derive(Serialize)]
pub(crate) struct UninstalledJson {
    /// Files that are gone now.
    pub(crate) removed: Vec<String>,
    /// Where the data stays.
    pub(crate) data_dir: String,
}

/// `service status`.
#[derive(Serialize)]
pub(crate) struct ServiceStatusJson {
    /// `systemd` or `launchd`.
    pub(crate) manager: &'static str,
    pub(crate) installed: bool,
    pub(crate) units: Vec<UnitJson>,
    pub(crate) socket: Option<String>,
    /// The program that the service runs.
    pub(crate) daemon: Option<String>,
    /// The daemon, when it runs.
    pub(crate) running: Option<RunningJson>,
}

/// A part of the service, in the words of its manager.
#[derive(Serialize)]
pub(crate) struct UnitJson {
    pub(crate) name: String,
    pub(crate) active: String,
    pub(crate) sub: String,
    pub(crate) enabled: String,
    /// How it ended, when it failed.
    pub(crate) result: String,
}

/// The running daemon of the service.
#[derive(Serialize)]
pub(crate) struct RunningJson {
    pub(crate) pid: i64,
    pub(crate) version: String,
    pub(crate) executable: String,
    /// False when the program was replaced since it started, or when it is another one.
    pub(crate) executable_is_installed: bool,
}
