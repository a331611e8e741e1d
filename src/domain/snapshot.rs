//! A snapshot: its options, its status and the moves that are legal.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;
use super::word::closed_list;

closed_list! {
    /// How one node's work ended. Each is a completed row; all but the last have an archive.
    Outcome = "examined, failed, interrupted, lost" {
        /// With a report.
        Examined = "examined",
        /// With a minimal report that says what failed.
        Failed = "failed",
        /// The appliance stopped meanwhile; a minimal report says so.
        Interrupted = "interrupted",
        /// Not even a minimal archive could be written; the headline says why.
        Lost = "lost",
    }
}

/// Secrets are masked, or the report says loudly that they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redaction {
    /// Passwords, keys and tokens are masked.
    Masked,
    /// Everything stands in clear.
    Unredacted,
}

/// What a summary says where clear text was asked for and the node's configuration does not give it.
pub const CLEAR_TEXT_REFUSED: &str = "clear text: this node does not give it (snapshot.allow_unredacted = false)";

/// Whether Iggy's data directory is bundled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IggyData {
    /// As a second ZIP in the archive.
    Included,
    /// Left out.
    Excluded,
}

/// What a POST asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotOptions {
    /// Mask secrets.
    pub redaction: Redaction,
    /// Bundle the data directory.
    pub iggy_data: IggyData,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self { redaction: Redaction::Masked, iggy_data: IggyData::Included }
    }
}

/// The status of a row. There is no third: a node that fails ends `Completed` with a report that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Work is under way.
    Processing,
    /// An archive is on disk.
    Completed,
}

impl Status {
    /// The word as the API and SQLite write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Completed => "completed",
        }
    }
}

/// The name of a snapshot triggered at `now`; `repeat` is 1 for the first of that second, then 2, 3, …
#[must_use]
pub fn name(now: Timestamp, repeat: u32) -> String {
    let stem = format!("snapshot-{}", now.compact());
    if repeat <= 1 { stem } else { format!("{stem}-{repeat}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_snapshot_of_a_second_has_a_suffix() {
        let now: Timestamp = "2026-06-01T10:30:00Z".parse().unwrap();
        assert_eq!(name(now, 1), "snapshot-20260601-103000");
        assert_eq!(name(now, 2), "snapshot-20260601-103000-2");
    }
}
