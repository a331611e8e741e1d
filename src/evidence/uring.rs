//! What can be known about `io_uring`.

use serde::{Deserialize, Serialize};

use super::Key;

/// What came of asking for a ring.
pub const RING_PROBE: Key<RingProbe> = Key::new("uring.probe");
/// The two settings of the kernel.
pub const RING_SETTINGS: Key<RingSettings> = Key::new("uring.settings");

/// Entries of a ring of Iggy's shards unless `IGGY_SHARD_RUNTIME_CAPACITY` says otherwise (its `executor.rs`).
pub const RING_CAPACITY: u32 = 4096;

/// What came of asking for a ring as Iggy does, with `COOP_TASKRUN` and `TASKRUN_FLAG` and [`RING_CAPACITY`] entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingProbe {
    /// It was given, and closed at once.
    Given {
        /// The features that the kernel reports, as bits.
        features: u32,
        /// The operations that it knows, if it says.
        operations: Option<RingOperations>,
    },
    /// It was refused.
    Refused {
        /// Why.
        errno: i32,
    },
}

/// Operations of `io_uring`, as bits by their numbers in `io_uring.h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingOperations(pub [u64; 4]);

impl RingOperations {
    /// Adds an operation.
    pub const fn add(&mut self, code: u8) {
        self.0[(code / 64) as usize] |= 1 << (code % 64);
    }

    /// Whether an operation is among them.
    #[must_use]
    pub const fn has(&self, code: u8) -> bool {
        self.0[(code / 64) as usize] >> (code % 64) & 1 == 1
    }

    /// How many they are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.iter().map(|bits| bits.count_ones()).sum()
    }
}

/// Who may use `io_uring`: the kernel's two settings, which came in 6.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSettings {
    /// `kernel.io_uring_disabled`: 0 nobody is refused, 1 all but the group and `CAP_SYS_ADMIN`, 2 everybody;
    /// `None` where the kernel has no such setting.
    pub disabled: Option<u32>,
    /// `kernel.io_uring_group`; −1 is none.
    pub group: Option<i64>,
}
