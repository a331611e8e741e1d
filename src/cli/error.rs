//! What can go wrong at the edge, and the exit code of each kind.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::snapshot::ApiError;
use crate::archive::ArchiveError;
use crate::config::ConfigError;
use crate::examine::ExamineError;
use crate::examine::child::ChildError;
use crate::observability::LogsError;
use crate::orchestrator::{BootstrapError, ChangeError, LockError, RecoverError};
use crate::store::StoreError;

/// The exit codes; the top of `snapvisor --help` documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Done, and `--fail-on` found what it was asked for.
    Findings,
    /// The command line or the configuration is wrong; nothing was done.
    Usage,
    /// A file, the database, the network or the other side failed.
    Failed,
    /// Not found, not permitted, in conflict, or `--yes` is missing.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
            Exit::Refused => 4,
        })
    }
}

/// Why a command did not end well.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The command line, beyond what its parser can see.
    #[error("{0}")]
    Usage(String),
    /// It is refused until the operator says more.
    #[error("{0}")]
    Refused(String),
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A change that the orchestrator refused.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The redaction engine alone.
    #[error(transparent)]
    Redact(#[from] crate::redact::run::RunError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another server has the data directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The first start.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The start after a crash.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The log.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// The address is used, or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server's threads.
    #[error("the server cannot run")]
    Runtime(#[source] io::Error),
    /// The examining child.
    #[error("no archive was written to {}", directory.display())]
    Examine {
        /// Where it was to be.
        directory: PathBuf,
        /// Why.
        #[source]
        source: ChildError,
    },
    /// What would be bundled cannot be said.
    #[error("what would be bundled cannot be said")]
    DryRun(#[source] ExamineError),
    /// An archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A report that an archive does not give.
    #[error("the report of {} cannot be read", path.display())]
    OldReport {
        /// The archive.
        path: PathBuf,
        /// Why.
        #[source]
        source: ArchiveError,
    },
    /// A report that we cannot read.
    #[error("the report in {} is of another version", path.display())]
    Report {
        /// The archive.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The system's random numbers.
    #[error("the system gave no random numbers")]
    Random(#[source] Box<dyn Error + Send + Sync>),
    /// A file.
    #[error("{} cannot be {what}", path.display())]
    File {
        /// What was tried: `read`, `written`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another program.
    #[error("`{command}` failed")]
    Program {
        /// The command.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Standard output.
    #[error("the output cannot be written")]
    Output(#[source] io::Error),
}

impl From<io::Error> for CliError {
    /// Only writing to the output gives a bare error; files are named where they are touched.
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl CliError {
    /// Which kind it is.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Usage(_) => Exit::Usage,
            Self::Change(error) if !matches!(error, ChangeError::Store(_)) => Exit::Refused,
            Self::Refused(_) => Exit::Refused,
            Self::Api(error) => error.exit(),
            Self::Change(_)
            | Self::Redact(_)
            | Self::Store(_)
            | Self::Lock(_)
            | Self::Bootstrap(_)
            | Self::Recover(_)
            | Self::Logs(_)
            | Self::Listen { .. }
            | Self::Runtime(_)
            | Self::Examine { .. }
            | Self::DryRun(_)
            | Self::Archive(_)
            | Self::OldReport { .. }
            | Self::Report { .. }
            | Self::Random(_)
            | Self::File { .. }
            | Self::Program { .. }
            | Self::Output(_) => Exit::Failed,
        }
    }
}
