//! What the snapshot itself has used.

use serde::{Deserialize, Serialize};

use super::Key;

/// Our own process, late in the snapshot.
pub const OWN: Key<OwnProcess> = Key::new("own.process");

/// How long each source took, in the order in which they came back.
pub const TIMINGS: Key<Vec<SourceTiming>> = Key::new("own.timings");

/// How long a source took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceTiming {
    /// Its name.
    pub source: String,
    /// Microseconds until it was there, or was given up.
    pub wall_us: u64,
    /// Microseconds of those in which its thread could have run and had no processor.
    pub waited_us: u64,
}

/// Our own process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnProcess {
    /// Its id.
    pub pid: u32,
    /// CPU time in user mode, microseconds; children included.
    pub user_us: u64,
    /// CPU time in the kernel, microseconds; children included.
    pub system_us: u64,
    /// The most memory that was resident, bytes.
    pub resident_max_bytes: u64,
    /// Threads now.
    pub threads: Option<u32>,
    /// Open files now.
    pub open_files: Option<u64>,
    /// Bytes read by system calls.
    pub read_bytes: Option<u64>,
    /// Its priority: −20 to 19.
    pub nice: i32,
    /// The effective user.
    pub uid: u32,
    /// The effective capabilities, as bits.
    pub capabilities: u64,
    /// The mode of seccomp: 0 off, 1 strict, 2 filtered.
    pub seccomp: u32,
}
