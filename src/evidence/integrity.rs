//! What an audit of Iggy's messages on disk found.

use serde::{Deserialize, Serialize};

use super::Key;
use crate::domain::gap::Gap;

/// The audit.
pub const INTEGRITY: Key<Integrity> = Key::new("iggy.integrity");

/// What was audited, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integrity {
    /// Each partition.
    pub partitions: Vec<PartitionAudit>,
    /// Folders of streams and topics that could not be listed: their partitions are not among those.
    #[serde(default)]
    pub unlisted: Vec<Gap>,
    /// Bytes of segments that were read.
    pub bytes_read: u64,
    /// Segments that were not read, because time or bytes ran out.
    pub segments_left: u64,
    /// Whether a server writes to them meanwhile.
    pub writer: Writer,
}

/// Whether somebody writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// A server runs: the end of a partition is not whole until it is written.
    Live,
    /// None that can be seen.
    #[default]
    None,
}

/// One partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionAudit {
    /// Its stream's number.
    pub stream: u64,
    /// Its topic's number.
    pub topic: u64,
    /// Its own number.
    pub partition: u64,
    /// Segments that were read.
    pub segments: u64,
    /// Whole messages in them.
    pub messages: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// When the server took the first and the last of them, microseconds since 1970.
    pub times_us: Option<(u64, u64)>,
    /// The offset of the newest message.
    pub last_offset: Option<u64>,
    /// The newest segment's file below the data directory, without its extension.
    #[serde(default)]
    pub newest: String,
    /// Messages of the newest segment that its index does not have.
    pub unindexed: u64,
    /// Where the first of those starts in the log.
    #[serde(default)]
    pub unindexed_from: Option<u64>,
    /// Bytes of an unfinished message at the end of the newest segment, and where it starts.
    pub torn: Option<(u64, u64)>,
    /// The first thing that is wrong.
    pub defect: Option<Defect>,
    /// A consumer or group that is further than the newest message.
    pub ahead: Option<String>,
    /// Why something could not be read.
    pub unread: Option<Gap>,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// The file, below the data directory.
    pub file: String,
    /// The byte.
    pub position: u64,
    /// What is wrong there.
    pub what: String,
}
