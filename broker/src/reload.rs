//! The configuration file read again while the daemon runs. What can change at run time changes; what cannot is named as
//! waiting for a restart; a file that cannot be used changes nothing.

use std::{num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    access::Limits,
    config::{Config, ConfigError, HttpConfig, LimitsConfig},
    ports::http::{AdjustableHttp, HttpLimits, HttpSettings, Network},
};

/// The configuration in force, and where it came from.
#[derive(Debug)]
pub struct Reload {
    file: PathBuf,
    /// Whether somebody named the file, so that it must be there.
    named: bool,
    at_start: Config,
    /// The table that holds now.
    http_config: HttpConfig,
    http: Arc<AdjustableHttp>,
}

impl Reload {
    /// After a start with this configuration.
    #[must_use]
    pub fn new((file, named): (PathBuf, bool), at_start: Config, http: Arc<AdjustableHttp>) -> Self {
        let http_config = at_start.http.clone();
        Self { file, named, at_start, http_config, http }
    }

    /// Reads the file again and says in a sentence what came of it.
    pub fn again(&mut self) -> String {
        let said = match Config::read(&self.file, self.named) {
            Ok(config) => self.take_over(config),
            Err(error) => refused(&error),
        };
        tracing::info!("{said}");
        said
    }

    fn take_over(&mut self, config: Config) -> String {
        let mut said = "the configuration was read again".to_owned();
        let waiting = self.waiting(&config);
        if config.http == self.http_config {
            said.push_str("; [http] is as it was");
        } else {
            self.http.adjust(http_settings(&config.http));
            self.http_config = config.http;
            said.push_str("; [http] has changed");
        }
        if !waiting.is_empty() {
            let waiting = waiting.join(", ");
            tracing::warn!(keys = waiting, "these settings take effect at the next start of the daemon");
            said.push_str("; waiting for the next start: ");
            said.push_str(&waiting);
        }
        said
    }

    /// The keys whose new value needs a new process.
    fn waiting(&self, config: &Config) -> Vec<&'static str> {
        let before = &self.at_start;
        let differs = [
            ("socket", config.socket != before.socket),
            ("data_dir", config.data_dir != before.data_dir),
            ("log_format", config.log_format != before.log_format),
            ("limits", config.limits != before.limits),
        ];
        differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }
}

fn refused(error: &ConfigError) -> String {
    tracing::warn!("the configuration was refused: {error}");
    // The parser draws the place over several lines.
    let error = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    format!("the configuration was refused and nothing has changed: {error}")
}

/// The way to providers that the file asks for.
#[must_use]
pub fn http_settings(config: &HttpConfig) -> HttpSettings {
    let HttpConfig { timeout_seconds, proxy, no_proxy, ca_file } = config.clone();
    let default = HttpLimits::default();
    let total = timeout_seconds.map_or(default.total, |seconds| Duration::from_secs(seconds.into()));
    HttpSettings { limits: HttpLimits { total, ..default }, network: Network { proxy, no_proxy, ca_file } }
}

/// The limits of callers that the file asks for.
#[must_use]
pub fn limits(config: &LimitsConfig) -> Limits {
    let default = Limits::default();
    let or = |given: Option<NonZeroU32>, default: usize| {
        given.map_or(default, |given| usize::try_from(given.get()).unwrap_or(usize::MAX))
    };
    Limits {
        connections: or(config.connections, default.connections),
        connections_per_process: or(config.connections_per_process, default.connections_per_process),
        waiting_calls: or(config.waiting_calls, default.waiting_calls),
        provider_exchanges: or(config.provider_exchanges, default.provider_exchanges),
        half_open: config
            .half_open_seconds
            .map_or(default.half_open, |given| Duration::from_secs(u64::from(given.get()))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use super::{AdjustableHttp, Config, HttpSettings, Reload};

    #[test]
    fn the_commented_example_shows_the_default_limits() {
        let example = include_str!("../../packaging/config.toml");
        let shown: Vec<&str> = example.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, shown.join("\n")).unwrap();
        let config = Config::read(&file, true).unwrap();
        assert_eq!(super::limits(&config.limits), super::Limits::default());
        assert_eq!(super::limits(&super::LimitsConfig::default()), super::Limits::default());
    }

    #[test]
    fn each_setting_changes_now_or_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let http = Arc::new(AdjustableHttp::new(HttpSettings::default()));
        let mut reload = Reload::new((file.clone(), true), Config::default(), http);
        let mut again = |text: &str| {
            fs::write(&file, text).unwrap();
            reload.again()
        };
        assert!(again("").ends_with("[http] is as it was"));
        assert!(again("[http]\ntimeout_seconds = 5").ends_with("[http] has changed"));
        let said = again(
            "data_dir = '/d'\nsocket = '/s'\nlog_format = 'json'\n[http]\ntimeout_seconds = 5\n[limits]\nconnections = 9",
        );
        assert!(
            said.ends_with("as it was; waiting for the next start: socket, data_dir, log_format, limits"),
            "{said}"
        );
        let said = again("[http]\ntimeout_second = 7");
        assert!(said.contains("nothing has changed") && said.contains("timeout_second`"), "{said}");
        assert!(said.contains("config.toml") && !said.contains('\n'), "{said}");
        assert!(again("[http]\ntimeout_seconds = 5").ends_with("as it was"), "the old settings still hold");
        fs::remove_file(&file).unwrap();
        assert!(reload.again().contains("nothing has changed"));
    }
}
