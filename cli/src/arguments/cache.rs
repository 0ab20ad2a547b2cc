//! `cache list|show|remove|import-msal|verify`.

use std::path::PathBuf;

use clap::Subcommand;
use token_broker_client::{calls::CacheEntryId, oauth::ApplicationName};

use super::application;

/// What to do with the cache.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// List what the cache holds; never a token
    List {
        /// Only what serves this application
        #[arg(long, value_name = "NAME", value_parser = application)]
        app: Option<ApplicationName>,
    },
    /// Show one entry; never its token
    Show {
        /// Id from the list, such as at-17
        #[arg(value_parser = entry)]
        id: CacheEntryId,
    },
    /// Remove one entry
    Remove {
        /// Id from the list, such as at-17
        #[arg(value_parser = entry)]
        id: CacheEntryId,
    },
    /// Import a token cache of Microsoft's libraries, such as Azure CLI's
    ImportMsal {
        /// The cache: JSON as MSAL for Python, .NET, Go and Java and the Azure CLI write it, not encrypted
        file: PathBuf,
        /// Application that takes over what the file has of its client id
        #[arg(long, value_name = "NAME", value_parser = application)]
        app: ApplicationName,
        /// Only look and tell what would be imported
        #[arg(long)]
        dry_run: bool,
    },
    /// Open every sealed row and check the database
    Verify,
}

fn entry(text: &str) -> Result<CacheEntryId, String> {
    text.parse().map_err(|invalid: token_broker_client::Invalid| invalid.rule)
}
