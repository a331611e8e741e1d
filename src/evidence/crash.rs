//! What crashes left on disk: names, sizes and times, never contents.

use super::{Key, Observed};
use crate::domain::gap::Gap;

/// The dumps in the places where crashes leave them.
pub const CRASHES: Key<Crashes> = Key::new("system.crashes");

/// What crashes left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crashes {
    /// The dumps, newest first.
    pub dumps: Vec<Dump>,
    /// Dumps left out by a cap.
    pub dropped: u64,
    /// Places that exist and were read.
    pub places: Vec<String>,
    /// Places that exist and could not be read.
    pub gaps: Vec<Gap>,
}

/// One dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// Its path.
    pub path: String,
    /// What crashed.
    pub kind: DumpKind,
    /// Its length, bytes.
    pub size_bytes: u64,
    /// When it was written, seconds since the epoch.
    pub modified_unix: i64,
}

/// What crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpKind {
    /// The kernel.
    Kernel,
    /// A program of Iggy's.
    Iggy,
    /// Another program.
    Program,
}

/// What a file in one of those places is; `None` for locks and lists that belong to the tools that write them.
#[must_use]
pub fn kind(place: &str, name: &str) -> Option<DumpKind> {
    /// Files that say nothing of a crash.
    const HOUSEKEEPING: &[&str] = &["kexec_cmd", "kdump_lock", ".lock", "lost+found", "minfree", "bounds"];
    /// Beginnings of the names of kdump's files.
    const OF_THE_KERNEL: &[&str] = &["vmcore", "dump.", "dmesg.", "linux-image-"];
    if HOUSEKEEPING.contains(&name) || name.ends_with(".upload") || name.ends_with(".uploaded") {
        return None;
    }
    let kernel = place == PSTORE || OF_THE_KERNEL.iter().any(|start| name.starts_with(start));
    Some(match name.contains("iggy") {
        _ if kernel => DumpKind::Kernel,
        true => DumpKind::Iggy,
        false => DumpKind::Program,
    })
}

/// Where the firmware keeps what the kernel said last.
pub const PSTORE: &str = "/sys/fs/pstore";

impl Crashes {
    /// What was seen; a gap if no place could be.
    ///
    /// # Errors
    /// No place exists, or the only ones that do are closed to us.
    pub fn seen(self) -> Observed<Self> {
        match (self.places.is_empty(), self.gaps.first()) {
            (true, Some(gap)) => Err(gap.clone()),
            (true, None) => Err(Gap::absent("this host has none of the places where crashes leave dumps")),
            (false, _) => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_known_by_its_place_and_name() {
        for (place, name, expected) in [
            (PSTORE, "dmesg-efi-1", Some(DumpKind::Kernel)),
            ("/var/crash", "vmcore.1", Some(DumpKind::Kernel)),
            ("/var/crash", "dump.202611240101", Some(DumpKind::Kernel)),
            ("/var/crash", "_usr_bin_iggy-server.1000.crash", Some(DumpKind::Iggy)),
            ("/var/lib/systemd/coredump", "core.iggy-server.999.abc.812.1.zst", Some(DumpKind::Iggy)),
            ("/var/lib/systemd/coredump", "core.java.999.abc.812.1.zst", Some(DumpKind::Program)),
            ("/var/crash", "kexec_cmd", None),
            ("/var/crash", "linux-image-6.8.0-31-generic-202611240101.crash", Some(DumpKind::Kernel)),
        ] {
            assert_eq!(kind(place, name), expected, "{place}/{name}");
        }
    }
}
