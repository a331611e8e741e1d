//! What can be known about a host's clock.

use serde::{Deserialize, Serialize};

use super::Key;

/// What the kernel knows of its clock.
pub const KERNEL_CLOCK: Key<KernelClock> = Key::new("time.clock");

/// How far the host's local time is ahead of UTC.
pub const UTC_OFFSET: Key<UtcOffset> = Key::new("time.utc-offset");

/// The offset of the host's time zone at the time of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UtcOffset {
    /// Seconds; negative west of Greenwich.
    pub ahead_s: i32,
}

/// What adjtimex(2) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelClock {
    /// Whether a time service keeps telling the kernel that the clock is right.
    pub synchronised: bool,
    /// The status bits.
    pub status: i32,
    /// The offset that is still to be worked off, microseconds.
    pub offset_us: i64,
    /// The largest possible error, microseconds; the kernel lets it grow while nobody disciplines the clock, to 16 s.
    pub error_max_us: i64,
    /// The estimated error, microseconds.
    pub error_estimate_us: i64,
    /// The correction of the clock's speed, parts per billion.
    pub frequency_ppb: i64,
}
