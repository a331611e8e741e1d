//! `snapvisor serve`: the composition root. Here, and nowhere else, the rooms are put together.
//!
//! Order matters: the socket and the lock before anything is written, recovery before the first answer, the printed
//! address last. On SIGTERM or SIGINT no new work is taken, requests are finished for a while, and snapshots under way
//! end with reports that say so.

use std::io::{IsTerminal, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit};

use super::settings::Overrides;
use super::{CliError, Exit, output, place};
use crate::archive::{Archives, Links};
use crate::config::{Config, LogFormat};
use crate::domain::causes::chain;
use crate::domain::shell;
use crate::http::{self, AppState};
use crate::observability::{Colour, Format, Logs, Metrics};
use crate::orchestrator::{ChildExaminer, Clock as _, Orchestrator, Parts, ServeLock, Start, SystemClock, bootstrap};
use crate::redact::{Engine, PseudonymKey};
use crate::store::{Store, make_data_dir};

/// Connections that wait to be accepted.
const CONNECTIONS_WAITING_MAX: i32 = 1024;
/// Open files that are kept for what is no connection: the database, the log, examinations and their pipes.
const OPEN_FILES_KEPT: u64 = 256;
/// The exit code after a second signal: it failed to end in order ([`Exit::Failed`]).
const SECOND_SIGNAL: i32 = 3;

/// Run the appliance: the snapshot API, its archives and its database.
///
/// Nothing needs to be set up. The first start makes a tenant, a deployment called `local` with this host as its node, and
/// an API key that expires in 365 days, and writes them to bootstrap.json in the data directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
When it is ready it prints one line, `listening on http://ADDR:PORT`, on standard output. Logs go to standard error.

Examples:
  snapvisor serve
  snapvisor serve --listen 127.0.0.1:0 --data-dir /var/tmp/try       a free port, other data
  snapvisor serve --listen 0.0.0.0:8787 --public-url https://snap.example.com")]
pub(super) struct Serve {
    /// Where the database, the signing key and the archives are [default: ./snapvisor-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8787].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// What clients reach the appliance by; download links begin with it.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// How log lines look: auto, text or json [default: auto].
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Serve {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let loaded = Overrides::default()
            .with_path("--data-dir", "data_dir", self.data_dir.as_deref())?
            .with("--listen", "listen", self.listen)
            .with("--public-url", "public_url", self.public_url)
            .with("--log-format", "log_format", self.log_format)
            .load(file)?;
        let mut config = loaded.for_serving()?.clone();
        config.data_dir = std::path::absolute(&config.data_dir).map_err(|source| data_dir_failed(&config, source))?;
        place::refuse_foreign_data_dir(&config)?;
        if let Some(log_file) = &config.log_file {
            place::refuse_in_iggy(log_file, &config)?;
        }
        start_logs(&config)?;
        let connections_max = connections_within(raise_open_files());
        if config.limits.connections > connections_max {
            tracing::warn!(connections_max, "fewer connections than limits.connections, for the limit of open files");
            config.limits.connections = connections_max;
        }
        let appliance = Appliance::prepare(config)?;
        appliance.run(out)?;
        Ok(Exit::Done)
    }
}

/// Everything that a server needs, ready to run.
struct Appliance {
    listener: TcpListener,
    state: AppState,
    start: Start,
    /// Held for as long as we serve.
    _lock: ServeLock,
}

impl Appliance {
    fn prepare(config: Config) -> Result<Self, CliError> {
        let config = Arc::new(config);
        let listener = listen(config.listen).map_err(|source| CliError::Listen { address: config.listen, source })?;
        let address = listener.local_addr().map_err(|source| CliError::Listen { address: config.listen, source })?;
        let public_url = config.public_url.as_ref().map_or_else(|| format!("http://{address}"), ToString::to_string);
        make_data_dir(&config.data_dir)?;
        let lock = ServeLock::take(&config.data_dir)?;
        let store = Store::open(&config.data_dir)?;
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let start = bootstrap(&store, &config.data_dir, &hostname, &public_url, SystemClock.now())?;
        let archives = Archives::open(&config.data_dir)?;
        let links = Links::open(&config.data_dir)?;
        let orchestrator = Orchestrator::new(Parts {
            store,
            archives: archives.clone(),
            config: Arc::clone(&config),
            examiner: Arc::new(ChildExaminer),
            clock: Arc::new(SystemClock),
        })?;
        let metrics = Arc::new(Metrics::new());
        let state = AppState { config, public_url, orchestrator, archives, links, metrics };
        Ok(Self { listener, state, start, _lock: lock })
    }

    fn run(self, out: &mut dyn Write) -> Result<(), CliError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)?;
        runtime.block_on(self.serve(out))
    }

    async fn serve(self, out: &mut dyn Write) -> Result<(), CliError> {
        let Self { listener, state, start, _lock } = self;
        let address = listener.local_addr().map_err(CliError::Runtime)?;
        let shutdown = shutdown_signal().map_err(CliError::Runtime)?;
        listener.set_nonblocking(true).map_err(CliError::Runtime)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(CliError::Runtime)?;
        let orchestrator = state.orchestrator.clone();
        orchestrator.recover().await?;
        let housekeeping = tokio::spawn({
            let orchestrator = orchestrator.clone();
            async move { orchestrator.keep_house().await }
        });
        tracing::info!(%address, data_dir = %state.config.data_dir.display(), version = env!("CARGO_PKG_VERSION"), "serving");
        greet(out, &format!("http://{address}"), &start)?;
        http::serve(state, listener, shutdown).await;
        orchestrator.shut_down().await;
        housekeeping.abort();
        tracing::info!("ended");
        Ok(())
    }
}

/// Listens, as `TcpListener::bind` does, with a queue that takes a burst of clients: past its end the kernel drops what
/// clients send, and they try again after seconds.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(CONNECTIONS_WAITING_MAX)?;
    Ok(socket.into())
}

/// The line that says where; on a first start, how to begin.
fn greet(out: &mut dyn Write, address: &str, start: &Start) -> std::io::Result<()> {
    writeln!(out, "listening on {address}")?;
    if let Start::First(file) = start {
        first_start(out, address, file)?;
    }
    out.flush()
}

/// How to begin. The key stays in its file: a pipe takes it from there to the client, past every command line.
fn first_start(out: &mut dyn Write, address: &str, file: &Path) -> std::io::Result<()> {
    let file = quoted(&file.display().to_string());
    writeln!(
        out,
        "
This is the first start. A tenant, the deployment `local` with this host as its node, and an API key that may do
everything for 365 days are in {file}, which only its owner can read.

Who am I? The key goes from the file to the request, past the command line:

  sed -n 's/.*\"api_key\": *\"\\(.*\\)\".*/ld-api-key: \\1/p' {file} | curl -sS -H @- {address}/tenants

A snapshot of this host, and its archive:

  snapvisor snapshot create --wait --api-url {address} --api-key-file {file}
  snapvisor snapshot download latest --api-url {address} --api-key-file {file}
"
    )
}

/// The text as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@,:=".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { shell::quoted(text) }
}

fn start_logs(config: &Config) -> Result<(), CliError> {
    let terminal = std::io::stderr().is_terminal();
    let colour = if output::wants_colours(&std::io::stderr()) { Colour::Terminal } else { Colour::None };
    let format = match config.log_format {
        LogFormat::Text => Format::Text(colour),
        LogFormat::Auto if terminal => Format::Text(colour),
        LogFormat::Auto | LogFormat::Json => Format::Json,
    };
    let key = PseudonymKey::generate().map_err(|error| CliError::Random(Box::new(error)))?;
    let engine = Engine::unlearned(&config.redaction, key)
        .map_err(|error| CliError::Usage(format!("`redaction`: {}", chain(&error))))?;
    let logs = Logs::to_stderr(format, engine);
    let logs = match &config.log_file {
        Some(path) => logs.and_file(path)?,
        None => logs,
    };
    logs.start()?;
    Ok(())
}

/// As many open files as the system lets us have: each connection is one, and each archive that is read. Gives how many
/// those are, `None` for no limit.
fn raise_open_files() -> Option<u64> {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match rustix::process::setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            limit.current
        }
    }
}

/// How many connections there may be with so many open files: one may read an archive, which is two files, and clients
/// alone must not take those that the database and an examination need.
fn connections_within(open_files: Option<u64>) -> u32 {
    let room = open_files.map_or(u64::MAX, |all| all.saturating_sub(OPEN_FILES_KEPT) / 2);
    u32::try_from(room).unwrap_or(u32::MAX).max(1)
}

/// Ready at the first SIGTERM or SIGINT. The handlers are in place when this returns. The second one ends the process at
/// once, as a crash would: whoever presses Ctrl-C twice waits for nobody, and the next start mends what is left.
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("ending: requests under way are finished first; a second signal ends at once");
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            tracing::warn!("ended at once by a second signal");
            std::process::exit(SECOND_SIGNAL);
        });
    })
}

fn data_dir_failed(config: &Config, source: std::io::Error) -> CliError {
    CliError::File { what: "used", path: config.data_dir.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_gives_a_command_that_keeps_the_key_off_the_command_line() {
        let mut out = Vec::new();
        greet(&mut out, "http://127.0.0.1:1", &Start::First("/a b/bootstrap.json".into())).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("listening on http://127.0.0.1:1\n"), "{text}");
        assert!(text.contains("'/a b/bootstrap.json' | curl -sS -H @- http://127.0.0.1:1/tenants"), "{text}");
        let mut later = Vec::new();
        greet(&mut later, "http://127.0.0.1:1", &Start::Later).unwrap();
        assert_eq!(later, b"listening on http://127.0.0.1:1\n");
    }

    #[test]
    fn connections_leave_files_for_the_rest() {
        for (open_files, expected) in
            [(None, u32::MAX), (Some(524_288), 262_016), (Some(4096), 1920), (Some(258), 1), (Some(64), 1)]
        {
            assert_eq!(connections_within(open_files), expected, "{open_files:?}");
        }
    }

    #[test]
    fn a_shell_takes_a_quoted_path_for_one_word() {
        for (text, expected) in [("/a/b.json", "/a/b.json"), ("/a b", "'/a b'"), ("/it's", "'/it'\\''s'")] {
            assert_eq!(quoted(text), expected);
        }
    }
}
