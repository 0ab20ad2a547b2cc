//! The configuration file: settings of the daemon only, TOML. Unknown keys are refused by name. A commented example with every
//! key is `packaging/config.toml`; applications are not configured here but registered with `broker-cli app add`.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Socket path.
    pub socket: Option<PathBuf>,
    /// Data folder.
    pub data_dir: Option<PathBuf>,
    /// Form of the log.
    pub log_format: Option<LogFormat>,
    /// Limits towards providers.
    #[serde(default)]
    pub http: HttpConfig,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, Default, Deserialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// The `[http]` table.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Seconds that one exchange with a provider may take.
    pub timeout_seconds: Option<u32>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is not a configuration.
    #[error("{path}: {error}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: toml::de::Error,
    },
}

impl Config {
    /// Reads the file. One that nobody named may be missing.
    pub fn read(path: &Path, named: bool) -> Result<Self, ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !named => return Ok(Self::default()),
            Err(error) => return Err(ConfigError::Read { path: path.to_owned(), error }),
        };
        toml::from_str(&text).map_err(|error| ConfigError::Parse { path: path.to_owned(), error })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Config;

    #[test]
    fn the_commented_example_is_valid_and_shows_every_key() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/config.toml"));
        let text = std::fs::read_to_string(path).expect("the example");
        let shown: Vec<&str> = text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
        let config: Config = toml::from_str(&shown.join("\n")).expect("a valid configuration");
        assert!(config.socket.is_some() && config.data_dir.is_some() && config.log_format.is_some());
        assert!(config.http.timeout_seconds.is_some());
        assert_eq!(toml::from_str::<Config>(&text).expect("valid as it is"), Config::default());
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = toml::from_str::<Config>("sockett = 'x'").expect_err("no such key").to_string();
        assert!(error.contains("sockett") && error.contains("socket"), "{error}");
    }
}
