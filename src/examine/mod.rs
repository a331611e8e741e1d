//! One node's snapshot, start to end: observe → judge → redact → render → pack, in one place.
//!
//! The same code serves the one-shot command, the appliance's own host and, later, remote agents. It runs in a child
//! process of its own ([`child`]): low priority, limited memory, no core dumps, killed with its group at its deadline.
//! It owns nothing but the archive that it was asked to write and, where a node keeps one, the summary of its last
//! snapshot. Invariant: an archive that it announces was written, synced, read back, found whole and searched for
//! secrets; anything less is an error, and the caller writes a minimal archive that says so.

mod assemble;
mod before;
mod cancel;
pub mod child;
mod data;
mod error;
mod facts;
mod job;
mod logs;
mod minimal;
mod outcome;
mod output;
mod place;
mod run;
mod stages;
mod verify;

pub use error::ExamineError;
pub use job::{Before, Job, Origin, SnapshotLabel, Summary};
pub use minimal::write_minimal;
pub use run::{dry_run, run};
