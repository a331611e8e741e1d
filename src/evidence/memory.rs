//! What can be known about a host's memory.

use super::pressure::Pressure;
use super::{Key, Observed};
use crate::domain::gap::Gap;

/// /proc/meminfo.
pub const MEMORY: Key<Memory> = Key::new("memory.info");
/// Swap devices and `vm.swappiness`.
pub const SWAP: Key<Swap> = Key::new("memory.swap");
/// Transparent huge pages.
pub const HUGE_PAGES: Key<TransparentHugePages> = Key::new("memory.thp");
/// What happened to pages during the sampling window.
pub const PAGING: Key<Paging> = Key::new("memory.paging");

/// Memory of each node.
pub const MEMORY_NODES: Key<Vec<MemoryNode>> = Key::new("memory.nodes");
/// The memory pool that the server's configuration asks for, bytes; `None` when the pool is off.
pub const MEMORY_POOL: Key<Option<u64>> = Key::new("memory.pool");

/// Memory of one node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryNode {
    /// Its number.
    pub node: u32,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Bytes that are free or file cache that can be dropped.
    pub free_bytes: u64,
}

/// The lines of /proc/meminfo that are read; sizes in bytes. A line that a kernel does not have is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// `MemTotal`.
    pub total_bytes: u64,
    /// `MemFree`.
    pub free_bytes: u64,
    /// `MemAvailable`.
    pub available_bytes: u64,
    /// `Buffers` and `Cached`.
    pub cached_bytes: u64,
    /// `Dirty` and `Writeback`.
    pub dirty_bytes: u64,
    /// `AnonPages`.
    pub anonymous_bytes: u64,
    /// `Shmem`.
    pub shared_bytes: u64,
    /// `SUnreclaim`.
    pub slab_bytes: u64,
    /// `AnonHugePages`.
    pub anonymous_huge_bytes: u64,
    /// `SwapTotal`.
    pub swap_total_bytes: u64,
    /// `SwapFree`.
    pub swap_free_bytes: u64,
    /// `CommitLimit`.
    pub commit_max_bytes: u64,
    /// `Committed_AS`.
    pub committed_bytes: u64,
    /// `HugePages_Total`.
    pub huge_pages: u64,
    /// `HugePages_Free`.
    pub huge_pages_free: u64,
    /// `HugePages_Rsvd`: promised to programs and not used yet.
    pub huge_pages_promised: u64,
    /// `Hugepagesize`.
    pub huge_page_bytes: u64,
}

/// Swap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swap {
    /// Devices and files.
    pub areas: Vec<SwapArea>,
    /// `vm.swappiness`, 0 to 200.
    pub swappiness: Option<u32>,
}

/// A swap device or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapArea {
    /// Its path.
    pub path: String,
    /// `partition` or `file`.
    pub kind: String,
    /// Size, bytes.
    pub size_bytes: u64,
    /// In use, bytes.
    pub used_bytes: u64,
}

/// The settings of transparent huge pages: the word in brackets of each file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransparentHugePages {
    /// `always`, `madvise` or `never`.
    pub enabled: String,
    /// `always`, `defer`, `defer+madvise`, `madvise` or `never`.
    pub defrag: String,
}

/// Pages during the sampling window, and the pressure averages.
#[derive(Debug, Clone, PartialEq)]
pub struct Paging {
    /// Length of the window, seconds.
    pub window_s: f64,
    /// Page faults that had to read a disk.
    pub major_faults: u64,
    /// Pages read from swap.
    pub swapped_in: u64,
    /// Pages written to swap.
    pub swapped_out: u64,
    /// Times that an allocation had to free memory itself.
    pub allocation_stalls: u64,
    /// Times that an allocation had to move pages together itself.
    pub compaction_stalls: u64,
    /// Huge pages that could not be had at a fault.
    pub huge_fallbacks: u64,
    /// Pages that were had from the memory node that was asked for.
    pub node_hits: u64,
    /// Pages that were had from another.
    pub node_misses: u64,
    /// Kills for want of memory since boot; `None` where the kernel does not count them (before 4.13).
    pub oom_kills: Option<u64>,
    /// Pressure on memory.
    pub pressure: Observed<Pressure>,
}

impl Default for Paging {
    /// A quiet window of a second on a kernel without pressure stall information.
    fn default() -> Self {
        Self {
            window_s: 1.0,
            major_faults: 0,
            swapped_in: 0,
            swapped_out: 0,
            allocation_stalls: 0,
            compaction_stalls: 0,
            huge_fallbacks: 0,
            node_hits: 0,
            node_misses: 0,
            oom_kills: None,
            pressure: Err(Gap::absent("the kernel has no pressure stall information")),
        }
    }
}

impl Paging {
    /// Events a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "events of a window of seconds")]
    pub fn per_second(&self, events: u64) -> f64 {
        events as f64 / self.window_s
    }
}
