//! The first levels of Iggy's data directory: whose they are. Names and contents are not looked at.

use super::Key;

/// What stands on the first two levels.
pub const DATA_DIR: Key<DataDirectory> = Key::new("disk.data-dir");

/// What stands on the first two levels of the data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataDirectory {
    /// The directory itself, then what is in it.
    pub entries: Vec<DataEntry>,
    /// Entries left out by a cap.
    pub dropped: u64,
    /// Entries that may not be looked at.
    pub hidden: u64,
}

/// One file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataEntry {
    /// Its path below the data directory; empty for itself.
    pub path: String,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its permissions.
    pub mode: u32,
    /// What it is.
    pub kind: DataKind,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// A folder.
    Folder,
    /// Anything else.
    File,
}

/// A user, as far as permissions ask for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User<'a> {
    /// Its id.
    pub uid: u32,
    /// Its groups.
    pub groups: &'a [u32],
}

impl DataEntry {
    /// Whether this user may write to it and, if it is a folder, go through it, by its permission bits alone.
    #[must_use]
    pub fn writable_by(&self, user: User<'_>) -> bool {
        let needed = if self.kind == DataKind::Folder { 0o3 } else { 0o2 };
        let bits = if user.uid == 0 {
            return true;
        } else if user.uid == self.uid {
            self.mode >> 6
        } else if user.groups.contains(&self.gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        bits & needed == needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_is_by_owner_else_by_group_else_by_the_rest() {
        let entry = |mode, kind| DataEntry { path: String::new(), uid: 10, gid: 20, mode, kind };
        for (mode, kind, uid, groups, allowed) in [
            (0o700, DataKind::Folder, 10, &[][..], true),
            (0o600, DataKind::Folder, 10, &[], false),
            (0o600, DataKind::File, 10, &[], true),
            (0o077, DataKind::Folder, 10, &[20], false),
            (0o070, DataKind::Folder, 11, &[20], true),
            (0o707, DataKind::Folder, 11, &[20], false),
            (0o707, DataKind::Folder, 11, &[], true),
            (0o000, DataKind::Folder, 0, &[], true),
        ] {
            assert_eq!(entry(mode, kind).writable_by(User { uid, groups }), allowed, "{mode:o} {uid} {groups:?}");
        }
    }
}
