//! The diagnosis: looks at the store, its folder, key and disk, the clock, the program, the way to providers, the grants and the
//! limits, and says of each what was found and what to do. It mends nothing. One check never keeps the others from being made.

use token_broker_proto::{calls::Check, oauth::Authority};

use super::Desk;
use crate::{
    access::Caller,
    ports::http::{Network, Proxy},
    store::StoreError,
};

/// Below this a disk is about to be full, in bytes.
const SCARCE: u64 = 256 << 20;
/// Below this it is full as far as the store is concerned.
const FULL: u64 = 16 << 20;
/// A clock before this is wrong (2025-01-01), and one after that (2100-01-01), Unix seconds.
const SANE: std::ops::Range<i64> = 1_735_689_600..4_102_444_800;
/// Limits that the diagnosis looks at.
const LIMITS: [&str; 8] = [
    "connections",
    "connections_per_process",
    "waiting_calls",
    "waiting_calls_per_answer",
    "provider_exchanges",
    "sign_ins",
    "web_sign_ins",
    "imports",
];

impl Desk {
    /// Everything that can be looked at from inside, in a stable order; also while the store is locked.
    pub async fn diagnose(&self, caller: &Caller) -> Vec<Check> {
        tracing::debug!(%caller, "diagnose");
        let mut checks = vec![self.store_check().await];
        checks.extend(self.surroundings_checks());
        checks.extend(self.vault.notices().into_iter().map(|notice| {
            Check::warning(
                "damaged_cache",
                notice,
                "remove the file when nobody needs it, and sign in again where it is asked for",
            )
        }));
        checks.extend(self.vault.damaged_tokens().into_iter().map(|damaged| {
            Check::warning(
                "damaged_token",
                damaged,
                "broker-cli cache verify, and broker-cli cache remove for what it names",
            )
        }));
        checks.push(self.clock_check());
        checks.push(self.program_check());
        checks.push(trust_check(self.provider.network()).await);
        checks.extend(proxy_checks(&self.provider.network()));
        checks.extend(self.application_checks());
        checks.extend(self.grants_check().await);
        checks.push(self.limits_check());
        checks
    }

    async fn store_check(&self) -> Check {
        match self.vault.try_to_write(self.clock.now()).await {
            Ok(()) => Check::ok("store", "can be read and written"),
            Err(StoreError::Locked(why)) => Check::problem(
                "store",
                format!("is locked: {why}"),
                "put the key back; the daemon opens the store by itself",
            ),
            Err(error) => Check::problem("store", error.to_string(), "broker-cli cache verify"),
        }
    }

    fn surroundings_checks(&self) -> Vec<Check> {
        let found = self.vault.surroundings();
        let folder = match found.folder_mode {
            _ if !found.is_in_place => Check::problem(
                "data_folder",
                format!("the database in {} is gone while the daemon uses it", found.folder),
                "restart the daemon, and sign in again where it is asked for",
            ),
            Some(mode) if !is_open_to_others(mode) => {
                Check::ok("data_folder", format!("{}, closed to others", found.folder))
            }
            Some(mode) => Check::warning(
                "data_folder",
                format!("{} can be entered by others (mode {mode:04o})", found.folder),
                format!("chmod 700 {}", found.folder),
            ),
            None => {
                Check::problem("data_folder", format!("{} cannot be looked at", found.folder), "restart the daemon")
            }
        };
        let key = match found.key_problem {
            None => Check::ok("key", format!("{}, in its place", self.vault.key_source())),
            Some(why) => {
                Check::problem("key", why, "mend it before the daemon ends: at its next start the store is locked")
            }
        };
        vec![folder, key, disk_check(found.free_bytes)]
    }

    fn clock_check(&self) -> Check {
        let now = self.clock.now().seconds();
        if SANE.contains(&now) {
            return Check::ok("clock", "plausible");
        }
        let found = format!("the clock says {now} s after 1970: tokens look expired or valid that are not");
        Check::problem("clock", found, "set the clock: timedatectl set-ntp true")
    }

    fn program_check(&self) -> Check {
        match &self.about.executable {
            None => Check::ok("program", "its file is not known"),
            Some(file) if file.is_replaced() => Check::warning(
                "program",
                format!("another version is at {} since the daemon started", file.path().display()),
                "systemctl --user restart token-broker.service, or wait: the service does so when it is idle",
            ),
            Some(file) if file.is_gone() => Check::warning(
                "program",
                format!("{} is gone: the daemon runs on, and will not start again", file.path().display()),
                "install token-brokerd again, then broker-cli service install",
            ),
            Some(file) => Check::ok("program", file.path().display().to_string()),
        }
    }

    /// Applications whose provider was never asked: their first use needs it.
    fn application_checks(&self) -> Vec<Check> {
        let Ok(applications) = self.vault.applications() else { return Vec::new() };
        let unknown = |authority: &Authority| {
            !matches!(authority, Authority::Endpoints(_) | Authority::ManagedIdentity(_))
                && matches!(self.vault.find_provider(authority), Ok(None))
        };
        let total = applications.len();
        let mut checks: Vec<_> = applications
            .into_iter()
            .map(|stored| stored.application)
            .filter(|application| unknown(&application.authority))
            .map(|application| {
                let found = format!("{}: nothing is known of {} yet", application.name, application.authority);
                Check::warning("application", found, format!("broker-cli login {}", application.name))
            })
            .collect();
        if checks.is_empty() {
            checks.push(Check::ok("application", format!("registered: {total}, none whose provider is not known")));
        }
        checks
    }

    async fn grants_check(&self) -> Option<Check> {
        let counts = self.vault.grant_counts(self.clock.now()).await.ok()?;
        let found =
            format!("{} good, {} paused after failures, {} refused", counts.live, counts.backing_off, counts.refused);
        Some(if counts.refused > 0 {
            Check::warning("grants", found, "broker-cli login APP, for each that asks for a sign-in")
        } else if counts.backing_off > 0 {
            Check::warning(
                "grants",
                found,
                "they are tried again by themselves; see whether their providers can be reached",
            )
        } else {
            Check::ok("grants", found)
        })
    }

    fn limits_check(&self) -> Check {
        let limits = &self.metrics.limits;
        let met: Vec<_> = LIMITS
            .into_iter()
            .filter_map(|limit| Some((limit, limits.times_met(limit))).filter(|(_, times)| *times > 0))
            .map(|(limit, times)| format!("{limit} {times} times"))
            .collect();
        let connections = limits.connections.now();
        if !met.is_empty() {
            let advice = "see broker/docs/limits.md; [limits] of the configuration moves them";
            return Check::warning("limits", format!("met since the start: {}", met.join(", ")), advice);
        }
        match limits.bound("connections") {
            Some(most) if connections.saturating_mul(5) >= most.saturating_mul(4) => Check::warning(
                "limits",
                format!("connections open: {connections} of {most}"),
                "see which program keeps them open, or raise [limits] connections",
            ),
            _ => Check::ok("limits", "none was met"),
        }
    }
}

/// Whether the mode lets anybody else do anything.
fn is_open_to_others(mode: u32) -> bool {
    mode & 0o077 != 0
}

fn disk_check(free: Option<u64>) -> Check {
    let advice = "make room: a refresh token that cannot be saved is lost";
    match free {
        None => Check::ok("disk", "the system does not say how much is free"),
        Some(free) if free < FULL => Check::problem("disk", format!("free: {} MiB", free >> 20), advice),
        Some(free) if free < SCARCE => Check::warning("disk", format!("free: {} MiB", free >> 20), advice),
        Some(free) => Check::ok("disk", format!("free: {} MiB", free >> 20)),
    }
}

/// Reading the authorities takes milliseconds that nobody's token should wait for.
async fn trust_check(network: Network) -> Check {
    match tokio::task::spawn_blocking(move || network.check_trust()).await {
        Ok(Ok(())) => Check::ok("trust", "certificate authorities can be read"),
        Ok(Err(why)) => {
            let advice = "name a file of certificate authorities in SSL_CERT_FILE of the daemon's environment or in \
                          [http] ca_file of its configuration, or name none";
            Check::problem("trust", why, advice)
        }
        Err(error) => Check::problem("trust", error.to_string(), "look into the daemon's log"),
    }
}

fn proxy_checks(network: &Network) -> Vec<Check> {
    let check = |Proxy { named_by, place }: Proxy| match place {
        Some(place) => Check::ok("proxy", format!("{named_by} names {place}")),
        None => Check::problem(
            "proxy",
            format!("{named_by} names no proxy that can be used"),
            format!("write it as {named_by}=http://host:port in the daemon's environment, or unset it"),
        ),
    };
    let checks: Vec<_> = network.proxies().into_iter().map(check).collect();
    if checks.is_empty() { vec![Check::ok("proxy", "none; providers are asked directly")] } else { checks }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::calls::CheckState;

    use super::disk_check;

    #[test]
    fn a_disk_is_well_scarce_or_full() {
        for (mib, state) in [(15, CheckState::Problem), (255, CheckState::Warning), (257, CheckState::Ok)] {
            assert_eq!(disk_check(Some(mib << 20)).state, state, "{mib}");
        }
        assert_eq!(disk_check(None).state, CheckState::Ok);
    }
}
