//! Logs: the kernel's, and the newest lines of each runtime.

use serde::{Deserialize, Serialize};

use super::Key;
use crate::domain::gap::Gap;

/// The kernel's log.
pub const KERNEL_LOG: Key<KernelLog> = Key::new("logs.kernel");
/// The logs of Iggy's runtimes.
pub const RUNTIME_LOGS: Key<Vec<RuntimeLog>> = Key::new("logs.runtime");

/// The kernel's log, as far as its buffer reaches back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelLog {
    /// The lines, oldest first.
    pub lines: Vec<KernelLine>,
    /// Older lines left out by a cap.
    pub dropped: u64,
    /// Seconds since boot when it was read.
    pub uptime_s: u64,
}

/// One line of the kernel's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelLine {
    /// 0 (emergency) to 7 (debug).
    pub priority: u8,
    /// Microseconds since boot.
    pub since_boot_us: u64,
    /// The text.
    pub text: String,
}

/// The newest lines of one runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeLog {
    /// `iggy-server`, `iggy-connectors`.
    pub runtime: String,
    /// The files, newest first, or the unit in the journal.
    pub sources: Vec<String>,
    /// The lines, oldest first.
    pub lines: Vec<String>,
    /// Older content left out by a cap.
    pub older: Older,
    /// Lines that were cut for their length.
    pub lines_cut: u64,
    /// Why there is no line, for a runtime that should have some.
    pub unread: Option<Gap>,
}

/// What a runtime's log holds besides the lines that were kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Older {
    /// Nothing: the lines are all there is.
    #[default]
    Nothing,
    /// More, of which it is not known how much.
    Some,
    /// At least this many bytes of older lines.
    Bytes(u64),
}
