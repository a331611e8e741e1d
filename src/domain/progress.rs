//! How far one node's snapshot has come; crosses from the child process to the appliance and on to clients.

use serde::{Deserialize, Serialize};

/// The stages of one node's snapshot, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waiting for its node.
    Queued,
    /// Reading the host.
    Observing,
    /// Judging the evidence.
    Judging,
    /// Writing the data directory's ZIP.
    Bundling,
    /// Writing the report.
    Rendering,
    /// Writing and checking the archive.
    Packing,
    /// Over.
    Done,
}

/// One line of progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The stage that is under way.
    pub stage: Stage,
    /// Steps done within it.
    pub done: u64,
    /// Steps in all, 0 when unknown. Bytes while bundling.
    pub total: u64,
}
