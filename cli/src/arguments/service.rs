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
    /// Run the daemon in a user namespace with a read-only view of the system (systemd; the kernel has to allow it)
    #[arg(long)]
    pub(crate) private_users: bool,
}
