//! `service install|uninstall|status`.

use clap::{Args, Subcommand};

/// What to do with the user service.
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Let systemd (launchd on macOS) run the daemon; doing it again brings it up to date
    Install(InstallArguments),
    /// Stop the daemon and remove the service; the data stays
    Uninstall,
    /// Show whether the service is installed, and what it runs
    Status,
}

/// `service install`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct InstallArguments {
    /// Install for the next login, but start nothing now
    #[arg(long)]
    pub(crate) no_start: bool,
    /// Confine the daemon further, in a user namespace with a read-only view of the system, if the kernel allows it; stays on
    /// until `service uninstall`
    #[arg(long)]
    pub(crate) private_users: bool,
}
