//! The table of mounts, and what each file system answered.

use serde::{Deserialize, Serialize};

use super::{Key, Observed};
use crate::domain::gap::Gap;

/// The mounts of this host, in the order of the kernel's table.
pub const MOUNTS: Key<Vec<Mount>> = Key::new("disk.mounts");
/// The file system that holds Iggy's data.
pub const DATA_VOLUME: Key<Mount> = Key::new("disk.data-volume");

/// A mount.
#[derive(Debug, Clone, PartialEq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: String,
    /// The part of its file system that is mounted; `/` is all of it.
    pub root: String,
    /// The device's number, major and minor.
    pub device: (u32, u32),
    /// The file system's type.
    pub kind: String,
    /// What is mounted: a device, `server:/export`.
    pub source: String,
    /// Options of the mount, then of the file system.
    pub options: Vec<String>,
    /// Its space, if it was asked and answered.
    pub space: Observed<Space>,
}

/// What statvfs(2) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Its size, bytes.
    pub total_bytes: u64,
    /// Bytes that are free for a user without privileges.
    pub available_bytes: u64,
    /// Inodes; 0 where they are made as needed.
    pub inodes: u64,
    /// Inodes that are free for a user without privileges.
    pub inodes_available: u64,
}

/// What kind of file system a type names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountClass {
    /// It is of the kernel's own making and holds no files of anybody.
    Pseudo,
    /// It lives in memory.
    Memory,
    /// It stands on a device of this host.
    Local,
    /// A server or a program answers for it, and may not.
    Remote,
}

const PSEUDO: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];
const LOCAL: &[&str] = &[
    "bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "iso9660", "jfs", "msdos", "ntfs3",
    "overlay", "reiserfs", "squashfs", "udf", "vfat", "xfs", "zfs",
];

impl Mount {
    /// What kind of file system it is. One that is not known is taken for remote: it is never touched by the process that
    /// takes the snapshot.
    #[must_use]
    pub fn class(&self) -> MountClass {
        let kind = self.kind.as_str();
        match kind {
            "tmpfs" | "ramfs" => MountClass::Memory,
            _ if PSEUDO.contains(&kind) => MountClass::Pseudo,
            _ if LOCAL.contains(&kind) => MountClass::Local,
            _ => MountClass::Remote,
        }
    }

    /// Whether it has this option.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|known| known == option)
    }

    /// Whether it was asked and did not answer.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        matches!(&self.space, Err(gap) if gap.reason == crate::domain::gap::GapReason::Timeout)
    }
}

/// The mounts in the text of /proc/PID/mountinfo; lines that are none are left out.
#[must_use]
pub fn parse(mountinfo: &str) -> Vec<Mount> {
    mountinfo.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let fields: Vec<&str> = before.split(' ').collect();
    let [_, _, device, root, point, options, ..] = fields.as_slice() else { return None };
    let mut after = after.splitn(3, ' ');
    let (kind, source, super_options) = (after.next()?, after.next()?, after.next().unwrap_or_default());
    let (major, minor) = device.split_once(':')?;
    Some(Mount {
        point: unescape(point),
        root: unescape(root),
        device: (major.parse().ok()?, minor.parse().ok()?),
        kind: kind.to_owned(),
        source: unescape(source),
        options: options.split(',').chain(super_options.split(',')).map(str::to_owned).collect(),
        space: Err(Gap::not_applicable("it was not asked")),
    })
}

/// The kernel writes blank, tab, newline and backslash as three octal digits behind a backslash.
fn unescape(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        if let Some(byte) = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()) {
            bytes.push(byte);
            rest = &after[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The mount that holds an absolute path: the one with the longest mount point above it, and of several on the same point
/// the last, which covers the others.
#[must_use]
pub fn holding<'a>(mounts: &'a [Mount], path: &str) -> Option<&'a Mount> {
    let above = |mount: &&Mount| std::path::Path::new(path).starts_with(&mount.point);
    mounts.iter().filter(above).max_by_key(|mount| mount.point.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
22 27 0:21 / /proc rw - proc proc rw
40 27 259:1 /sub /var/lib/iggy\\040data rw,noatime shared:2 master:3 - xfs /dev/nvme0n1p1 rw,attr2
41 40 0:50 / /var/lib/iggy\\040data rw - tmpfs none rw
42 27 0:51 / /mnt/nas rw - nfs4 filer:/a\\134b rw,vers=4.2
nonsense
1 2 x:y / /z rw - ext4 a rw
";

    #[test]
    fn a_mount_is_read_with_blanks_and_optional_fields() {
        let mounts = parse(TABLE);
        let points: Vec<&str> = mounts.iter().map(|mount| mount.point.as_str()).collect();
        assert_eq!(points, ["/", "/proc", "/var/lib/iggy data", "/var/lib/iggy data", "/mnt/nas"]);
        let xfs = &mounts[2];
        assert_eq!((xfs.root.as_str(), xfs.device, xfs.source.as_str()), ("/sub", (259, 1), "/dev/nvme0n1p1"));
        assert_eq!(xfs.options, ["rw", "noatime", "rw", "attr2"]);
        assert_eq!(mounts[4].source, "filer:/a\\b");
    }

    #[test]
    fn a_path_belongs_to_the_longest_and_last_mount_above_it() {
        let mounts = parse(TABLE);
        for (path, kind) in [
            ("/", "ext4"),
            ("/var/lib/iggy data/streams", "tmpfs"),
            ("/var/lib/iggy database", "ext4"),
            ("/mnt/nas", "nfs4"),
            ("/proc/1", "proc"),
        ] {
            assert_eq!(holding(&mounts, path).unwrap().kind, kind, "{path}");
        }
    }

    #[test]
    fn what_is_not_known_may_not_answer() {
        let class = |kind: &str| {
            let mount = &parse(&format!("1 2 3:4 / / rw - {kind} x rw"))[0];
            mount.class()
        };
        for (kind, expected) in [
            ("ext4", MountClass::Local),
            ("tmpfs", MountClass::Memory),
            ("autofs", MountClass::Pseudo),
            ("nfs4", MountClass::Remote),
            ("fuse.sshfs", MountClass::Remote),
            ("fuseblk", MountClass::Remote),
            ("newfs", MountClass::Remote),
        ] {
            assert_eq!(class(kind), expected, "{kind}");
        }
    }
}
