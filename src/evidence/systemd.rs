//! What systemd's manager says of itself and of its units.

use serde::{Deserialize, Serialize};

use super::Key;

/// The manager's answers.
pub const SYSTEMD: Key<Systemd> = Key::new("systemd.manager");

/// The manager's answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Systemd {
    /// Its version, `252.39-1~deb12u2`.
    pub version: String,
    /// `running`, `degraded`, `starting`, `maintenance`.
    pub state: String,
    /// Loaded units.
    pub units: u64,
    /// Names of the units that failed; at most [`FAILED_MAX`].
    pub failed: Vec<String>,
    /// Failed units beyond those.
    pub failed_dropped: u64,
    /// Iggy's services and this appliance's.
    pub services: Vec<Service>,
    /// The timers.
    pub timers: Vec<Timer>,
}

/// Failed units that are named.
pub const FAILED_MAX: usize = 64;

/// A service that the snapshot is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// `iggy-server.service`.
    pub name: String,
    /// `active`, `failed`, `inactive`, `activating`.
    pub active: String,
    /// `running`, `dead`, `auto-restart`.
    pub sub: String,
    /// How it ended last: `success`, `exit-code`, `signal`, `oom-kill`, `start-limit-hit`.
    pub result: String,
    /// Automatic restarts since it was last started by hand.
    pub restarts: Option<u32>,
    /// How its last process ended, and with which number.
    pub exit: Option<(i32, i32)>,
    /// Its process.
    pub main_pid: Option<u32>,
    /// Since when it is active, seconds since the epoch.
    pub active_since_unix: Option<i64>,
    /// Whether its files changed since systemd read them.
    pub files: UnitFiles,
}

/// Whether a unit's files are those that systemd read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitFiles {
    /// They are, as far as systemd says.
    #[default]
    AsLoaded,
    /// They changed: `systemctl daemon-reload` is needed.
    Changed,
}

/// A timer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// `logrotate.timer`.
    pub name: String,
    /// The unit that it starts.
    pub starts: String,
    /// When it elapsed last, seconds since the epoch.
    pub last_unix: Option<i64>,
    /// When it elapses next, seconds since the epoch.
    pub next_unix: Option<i64>,
    /// The state of the unit that it starts: `inactive`, `active`, `failed`.
    pub unit_state: String,
}
