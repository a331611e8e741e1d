//! Files that were deleted and are still open: their space comes back when the last process closes them.

use serde::{Deserialize, Serialize};

use super::Key;

/// The deleted files that processes hold open.
pub const DELETED_FILES: Key<DeletedFiles> = Key::new("disk.deleted-files");

/// Deleted files that processes hold open. A file that one process holds several times counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedFiles {
    /// The largest of them, largest first.
    pub files: Vec<DeletedFile>,
    /// Bytes that each process holds, most first.
    pub processes: Vec<(u32, u64)>,
    /// Bytes on each device, each file once.
    pub devices: Vec<((u32, u32), u64)>,
    /// Processes whose files may not be seen.
    pub hidden_processes: u64,
    /// Open files that were not looked at because of a cap.
    pub unread: Unread,
}

/// Whether all open files were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// All that may be seen.
    #[default]
    None,
    /// There were too many.
    Some,
}

/// A deleted file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedFile {
    /// Who holds it.
    pub pid: u32,
    /// Where it was.
    pub path: String,
    /// Blocks that it still takes, bytes.
    pub allocated_bytes: u64,
    /// The device's number, major and minor.
    pub device: (u32, u32),
    /// Its number there.
    pub inode: u64,
}

/// Files that are kept.
const FILES_MAX: usize = 100;
/// Processes that are kept.
const PROCESSES_MAX: usize = 50;

impl DeletedFiles {
    /// Adds up what was found.
    #[must_use]
    pub fn of(mut files: Vec<DeletedFile>, hidden_processes: u64, unread: Unread) -> Self {
        use std::collections::BTreeMap;
        files.sort_by_key(|file| (file.pid, file.device, file.inode));
        files.dedup_by_key(|file| (file.pid, file.device, file.inode));
        let (mut processes, mut each) = (BTreeMap::<u32, u64>::new(), BTreeMap::new());
        for file in &files {
            *processes.entry(file.pid).or_default() += file.allocated_bytes;
            each.insert((file.device, file.inode), file.allocated_bytes);
        }
        let mut devices = BTreeMap::<(u32, u32), u64>::new();
        for ((device, _), bytes) in each {
            *devices.entry(device).or_default() += bytes;
        }
        let mut processes: Vec<(u32, u64)> = processes.into_iter().collect();
        processes.sort_by_key(|(pid, bytes)| (std::cmp::Reverse(*bytes), *pid));
        processes.truncate(PROCESSES_MAX);
        files.sort_by_key(|file| (std::cmp::Reverse(file.allocated_bytes), file.pid));
        files.truncate(FILES_MAX);
        Self { files, processes, devices: devices.into_iter().collect(), hidden_processes, unread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_once_for_each_process_and_once_for_its_device() {
        let file = |pid, inode, allocated_bytes| DeletedFile {
            pid,
            path: "/x".into(),
            allocated_bytes,
            device: (8, 1),
            inode,
        };
        let found =
            DeletedFiles::of(vec![file(7, 1, 100), file(7, 1, 100), file(8, 1, 100), file(8, 2, 5)], 3, Unread::None);
        assert_eq!(found.processes, [(8, 105), (7, 100)]);
        assert_eq!(found.devices, [((8, 1), 105)]);
        assert_eq!((found.files.len(), found.hidden_processes), (3, 3));
    }
}
