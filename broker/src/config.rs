//! The configuration file: settings of the daemon only, TOML. Unknown keys are refused by name, with the nearest right one. A
//! commented example with every key is `packaging/config.toml`; applications are not configured here but registered with
//! `broker-cli app add`.

use std::{
    fs,
    io::ErrorKind,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de, forward_to_deserialize_any};
use url::Url;

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
    /// The way to providers.
    #[serde(default)]
    pub http: HttpConfig,
    /// Limits of callers.
    #[serde(default)]
    pub limits: LimitsConfig,
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
    /// Proxy for all providers, instead of the environment's.
    pub proxy: Option<String>,
    /// Hosts that are asked directly, as in `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// File of the certificate authorities to trust (PEM), instead of the machine's.
    pub ca_file: Option<PathBuf>,
}

/// The longest exchange in seconds. A daemon that is asked to stop waits a little longer: an answer may hold the only copy of a
/// new refresh token.
const LONGEST_EXCHANGE: u32 = 30;

impl HttpConfig {
    /// The key that has no good value, and the rule for it. The value is not repeated: it may hold a password.
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_proxy = |text: &str| {
            Url::parse(text).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
            })
        };
        if self.timeout_seconds.is_some_and(|seconds| !(1..=LONGEST_EXCHANGE).contains(&seconds)) {
            Some(("[http] timeout_seconds", "must be from 1 to 30"))
        } else if self.proxy.as_deref().is_some_and(|proxy| !is_proxy(proxy)) {
            let rule = "must be like http://proxy.example:3128; one that wants a name and a password is given by \
                        HTTPS_PROXY in the daemon's environment";
            Some(("[http] proxy", rule))
        } else if self.no_proxy.is_some() && self.proxy.is_none() {
            Some(("[http] no_proxy", "goes with [http] proxy; for a proxy of the environment set NO_PROXY there"))
        } else if self.ca_file.as_ref().is_some_and(|file| !file.is_absolute()) {
            Some(("[http] ca_file", "must be an absolute path"))
        } else {
            None
        }
    }
}

/// The `[limits]` table. None may be 0: a daemon that serves nobody is stopped, not configured.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Connections at once.
    pub connections: Option<NonZeroU32>,
    /// Connections at once of one process.
    pub connections_per_process: Option<NonZeroU32>,
    /// Calls at once that wait for a provider's answer.
    pub waiting_calls: Option<NonZeroU32>,
    /// Exchanges at once with one provider.
    pub provider_exchanges: Option<NonZeroU32>,
    /// Seconds that a caller may leave a connection or a request half said.
    pub half_open_seconds: Option<NonZeroU32>,
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
    #[error("{path}: {error}{}", nearest.as_ref().map(|key| format!("did you mean {key}?")).unwrap_or_default())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
        /// The key that an unknown one is nearest to.
        nearest: Option<String>,
    },
    /// A value means nothing.
    #[error("{path}: {key} {rule}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The table and the key.
        key: &'static str,
        /// What holds for it.
        rule: &'static str,
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
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            nearest: nearest_to_unknown(&text),
            error: Box::new(error),
        })?;
        match config.http.problem() {
            Some((key, rule)) => Err(ConfigError::Value { path: path.to_owned(), key, rule }),
            None => Ok(config),
        }
    }
}

/// The right key for the first unknown one, if one is near enough to be meant, wherever in the file it belongs.
fn nearest_to_unknown(text: &str) -> Option<String> {
    let file: toml::Table = toml::from_str(text).ok()?;
    let http = file.get("http").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let limits = file.get("limits").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let tables = [
        ("", &file, keys::<Config>()),
        (" in [http]", &http, keys::<HttpConfig>()),
        (" in [limits]", &limits, keys::<LimitsConfig>()),
    ];
    let mut unknown =
        tables.iter().flat_map(|(_, table, keys)| table.keys().filter(|key| !keys.contains(&key.as_str())));
    let unknown = unknown.next()?;
    let known = tables.iter().flat_map(|(place, _, keys)| keys.iter().map(move |key| (*key, *place)));
    let near = known.map(|(key, place)| (strsim::jaro_winkler(unknown, key), key, place));
    let near = near.filter(|(likeness, ..)| *likeness > 0.8).max_by(|one, other| one.0.total_cmp(&other.0));
    near.map(|(_, key, place)| format!("`{key}`{place}"))
}

/// The keys that a table of the file may have: the names of the fields of `T`, as serde knows them.
fn keys<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // An error by design: the names are all that is asked for.
    let _ = T::deserialize(FieldNames(&mut keys));
    keys
}

/// A deserializer that only takes down which fields a struct has.
struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("only a struct has fields"))
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Config, nearest_to_unknown};

    #[test]
    fn the_commented_example_is_valid_and_shows_every_key() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/config.toml"));
        let text = std::fs::read_to_string(path).expect("the example");
        let shown: Vec<&str> = text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
        let config: Config = toml::from_str(&shown.join("\n")).expect("a valid configuration");
        assert!(config.socket.is_some() && config.data_dir.is_some() && config.log_format.is_some());
        let http = &config.http;
        assert!(http.timeout_seconds.is_some() && http.proxy.is_some() && http.no_proxy.is_some());
        assert!(http.ca_file.is_some() && http.problem().is_none());
        let limits = &config.limits;
        assert!(limits.connections.is_some() && limits.connections_per_process.is_some());
        assert!(limits.waiting_calls.is_some() && limits.provider_exchanges.is_some());
        assert!(limits.half_open_seconds.is_some());
        assert_eq!(toml::from_str::<Config>(&text).expect("valid as it is"), Config::default());
    }

    #[test]
    fn the_nearest_key_is_meant() {
        let cases = [
            ("sockett = 'x'", Some("`socket`")),
            ("data-dir = 'x'", Some("`data_dir`")),
            ("[htttp]", Some("`http`")),
            ("[http]\ntimeout = 3", Some("`timeout_seconds` in [http]")),
            ("timeout_seconds = 3", Some("`timeout_seconds` in [http]")),
            ("[limit]", Some("`limits`")),
            ("[limits]\nconnection = 3", Some("`connections` in [limits]")),
            ("client_id = 'x'", None),
            ("socket = 3", None),
            ("socket = ", None),
        ];
        for (text, nearest) in cases {
            assert_eq!(nearest_to_unknown(text).as_deref(), nearest, "{text}");
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = toml::from_str::<Config>("sockett = 'x'").expect_err("no such key").to_string();
        assert!(error.contains("sockett") && error.contains("socket"), "{error}");
    }
}
