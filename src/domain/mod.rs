//! The nouns of the field, pure: ids, times, sizes, verdicts, findings, gaps, levels of log lines, progress, snapshots and their legal moves, plans, permissions, words of a shell.
//!
//! Nothing here reads a clock, a file or the network, and nothing here knows another room of this crate.
//! Invariant: a value that exists is valid; what can be wrong is refused by the constructor.

pub mod causes;
pub mod deployment;
pub mod finding;
pub mod gap;
pub mod hex;
pub mod id;
pub mod label;
pub mod level;
pub mod permission;
pub mod plan;
pub mod progress;
pub mod shell;
pub mod size;
pub mod snapshot;
pub mod time;
pub mod verdict;
pub mod word;
