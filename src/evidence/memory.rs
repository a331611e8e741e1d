//! What can be known about a host's memory.

use super::Key;

/// `/proc/sys/vm/swappiness`.
pub const SWAPPINESS: Key<Swappiness> = Key::new("memory.swappiness");

/// How willingly the kernel swaps, 0 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swappiness(pub u32);
