//! Segment files in the data directory, by their names and sizes alone.

use serde::{Deserialize, Serialize};

use super::Key;
use crate::domain::gap::Gap;

/// What stands in the partitions' folders.
pub const SEGMENT_FILES: Key<SegmentFiles> = Key::new("iggy.segment-files");

/// What stands in the partitions' folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentFiles {
    /// Partitions.
    pub partitions: u64,
    /// Folders that could not be listed: what is in them is not counted.
    #[serde(default)]
    pub unlisted: Vec<Gap>,
    /// Logs.
    pub logs: u64,
    /// Logs without a byte.
    pub empty_logs: u64,
    /// Indexes.
    pub indexes: u64,
    /// Bytes of logs and indexes.
    pub bytes: u64,
    /// The newest change of a log, seconds since the epoch.
    pub newest_unix: Option<i64>,
    /// Files whose counterpart is missing, below the data directory; at most [`ORPHANS_MAX`].
    pub orphans: Vec<Orphan>,
    /// Whether the walk came to its end.
    pub walk: Walk,
}

/// Files without a counterpart that are named.
pub const ORPHANS_MAX: usize = 100;

/// A file whose counterpart is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphan {
    /// Its path below the data directory.
    pub path: String,
    /// What is missing beside it.
    pub missing: Counterpart,
}

/// One of the two files of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counterpart {
    /// The messages.
    Log,
    /// Where they are.
    Index,
}

/// Whether a walk came to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Walk {
    /// It did.
    #[default]
    Whole,
    /// It met its cap: counts are lower bounds.
    Cut,
}
