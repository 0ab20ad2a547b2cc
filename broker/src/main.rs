//! `token-brokerd`: reads its arguments and its configuration, hides its memory, starts the daemon and waits for its end.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use token_broker::{
    acquire::Outside,
    config::{Config, LogFormat},
    daemon::{Daemon, Settings, Socket},
    lifecycle::{self, Signals, Upkeep},
    paths,
    ports::{clock::SystemClock, entropy::SystemEntropy, http::AdjustableHttp, machine::SystemMachine},
    reload::{Reload, http_settings, limits},
    server::socket::own_uid,
};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Owns the encrypted token cache of one user, and all sign-in and refresh logic, and serves tokens on a Unix socket.
/// Runs in the foreground until SIGTERM or SIGINT.
#[derive(Debug, Parser)]
#[command(name = "token-brokerd", version)]
struct Arguments {
    /// Configuration file [default: `$TOKEN_BROKER_CONFIG`, else ~/.config/token-broker/config.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Socket to serve on [default: `$TOKEN_BROKER_SOCKET`, else `$XDG_RUNTIME_DIR`/token-broker/broker.sock]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Data folder [default: `$TOKEN_BROKER_DATA_DIR`, else ~/.local/share/token-broker]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Form of the log on standard error
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be open yet.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("token-brokerd: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let config_file = paths::config_file(arguments.config)?;
    let config = Config::read(&config_file.0, config_file.1)?;
    open_log(arguments.log_format.or(config.log_format).unwrap_or_default());
    lifecycle::hide_memory();
    let limits = limits(&config.limits).within(lifecycle::raise_open_files());
    let socket = match lifecycle::passed_socket()? {
        Some(passed) => Socket::Passed(passed),
        None => Socket::Path(paths::socket(arguments.socket, config.socket.clone(), own_uid())?),
    };
    let data_dir = paths::data_dir(arguments.data_dir, config.data_dir.clone())?;
    let settings = Settings { data_dir, socket, limits };
    let (http, clock) = (Arc::new(AdjustableHttp::new(http_settings(&config.http))), Arc::new(SystemClock));
    let mut reload = Reload::new(config_file, config, Arc::clone(&http));
    let upkeep = Upkeep {
        is_started_on_demand: matches!(settings.socket, Socket::Passed(_)),
        clock: clock.clone(),
        reload: Box::new(move || reload.again()),
    };
    let entropy = Arc::new(SystemEntropy::default());
    let outside = Outside { http, clock, entropy, machine: Arc::new(SystemMachine) };
    // ring, not the default provider: its first random number takes 3 us, the other's 50 ms.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "another TLS provider is installed already")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let signals = Signals::listen()?;
        let daemon = Daemon::start(settings, outside).await?;
        tracing::info!("ready");
        Ok(lifecycle::run(daemon, signals, upkeep).await?)
    })
}

/// `RUST_LOG` chooses what of our own is logged. The libraries below speak of bytes and headers on their finer levels, some of
/// them secret, so nothing but their warnings is let through, whatever it says.
fn open_log(format: LogFormat) {
    let chosen = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let ours = filter_fn(|metadata| {
        *metadata.level() <= tracing::Level::WARN || metadata.target().starts_with("token_broker")
    });
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let log = match format {
        LogFormat::Text => log.with_target(false).boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    tracing_subscriber::registry().with(log.with_filter(chosen.and(ours))).init();
}
