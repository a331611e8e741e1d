//! journald's files, and what systemd noted in them about services.

use serde::{Deserialize, Serialize};

use super::Key;

/// The journal's files.
pub const JOURNAL_FILES: Key<Vec<JournalFile>> = Key::new("journal.files");
/// What systemd and journald noted.
pub const JOURNAL_EVENTS: Key<JournalEvents> = Key::new("journal.events");

/// A file of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalFile {
    /// Its path.
    pub path: String,
    /// Whether it outlives a reboot.
    pub keeping: Keeping,
    /// Its size.
    pub size_bytes: u64,
    /// What its header says, or what is wrong with it.
    pub header: Result<JournalHeader, String>,
}

/// Whether a file outlives a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    /// It does: `/var/log/journal`.
    Persistent,
    /// It does not: `/run/log/journal`.
    Volatile,
}

/// What the header of a journal file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalHeader {
    /// Whether it is written to.
    pub state: FileState,
    /// Entries in it.
    pub entries: u64,
    /// Its oldest entry, microseconds since the epoch; 0 without one.
    pub oldest_us: u64,
    /// Its newest.
    pub newest_us: u64,
}

/// Whether a journal file is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Closed.
    Offline,
    /// Open.
    Online,
    /// Closed for good.
    Archived,
}

/// What was noted in the last days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEvents {
    /// How far back was read, seconds since the epoch.
    pub since_unix: i64,
    /// The newest events, newest first.
    pub events: Vec<JournalEvent>,
    /// Whether older ones were left out by the cap.
    pub completeness: Completeness,
}

/// Whether all events are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// They are.
    #[default]
    Whole,
    /// There were more.
    Cut,
}

/// Something that systemd or journald noted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEvent {
    /// When, seconds since the epoch.
    pub at_unix: i64,
    /// What.
    pub kind: EventKind,
    /// The unit that it is about.
    pub unit: Option<String>,
    /// In systemd's own words; of a core dump the topmost frames.
    pub text: String,
    /// Of a core dump: the program's path and the signal.
    pub program: Option<(String, String)>,
    /// How many messages were lost.
    pub lost: u64,
}

/// What was noted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// systemd will start the unit again by itself.
    #[default]
    Restart,
    /// The unit failed.
    Failed,
    /// The unit could not be started.
    StartFailed,
    /// A process of the unit ended.
    Exited,
    /// A program crashed and its memory was kept.
    CoreDump,
    /// journald threw messages of one service away: it wrote too many.
    Suppressed,
    /// journald missed messages.
    Missed,
    /// The clock was set.
    ClockSet,
}

impl EventKind {
    /// Each kind with systemd's id of the message (`sd-messages.h`).
    pub const IDS: [(&'static str, Self); 9] = [
        ("5eb03494b6584870a536b337290809b3", Self::Restart),
        ("d9b373ed55a64feb8242e02dbe79a49c", Self::Failed),
        ("be02cf6855d2428ba40df7e9d022f03d", Self::StartFailed),
        ("98e322203f7a4ed290d09fe03c09fe15", Self::Exited),
        ("fc2e22bc6ee647b6b90729ab34a250b1", Self::CoreDump),
        ("a596d6fe7bfa4994828e72309e95d61e", Self::Suppressed),
        ("e9bf28e6e834481bb6f48f548ad13606", Self::Missed),
        ("c7a787079b354eaaa9e77b371893cd27", Self::ClockSet),
        ("45f82f4aef7a4bbf942ce861d1f20990", Self::ClockSet),
    ];
}

/// Whether a unit or a program is one of Iggy's.
#[must_use]
pub fn is_iggys(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("iggy") || file.contains("iggy-server") || file.contains("iggy-connectors")
}
