//! Damage that the kernel counts: file systems with errors, arrays without a member.

use super::Key;

/// Errors that file systems counted on themselves.
pub const FILE_SYSTEM_ERRORS: Key<Vec<FileSystemErrors>> = Key::new("disk.file-system-errors");
/// Software RAID.
pub const ARRAYS: Key<Vec<Array>> = Key::new("disk.arrays");

/// A file system that counts its errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSystemErrors {
    /// Its type.
    pub kind: String,
    /// Its device.
    pub device: String,
    /// Errors, since it was made or checked (ext4), or since it was mounted (btrfs).
    pub errors: u64,
    /// The last one, seconds since the epoch.
    pub last_unix: Option<i64>,
}

/// A software RAID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Array {
    /// `md0`.
    pub name: String,
    /// `raid1`.
    pub level: String,
    /// Members that are missing.
    pub degraded: u64,
    /// `idle`, `check`, `resync`, `recover`, `repair`.
    pub action: String,
    /// Sectors that differ between members, as of the last check.
    pub mismatches: u64,
    /// Members that failed.
    pub failed: Vec<String>,
    /// Pages of the cache of stripes (RAID 4, 5, 6).
    pub stripe_cache: Option<u64>,
}
