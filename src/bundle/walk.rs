//! The walk: every name below a directory, through directory descriptors, no link followed.
//!
//! Each directory is opened relative to its parent with `O_NOFOLLOW`, so a directory that is swapped for a link in the
//! meantime cannot lead out of the tree. Nothing but directories is opened.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// Directories below directories. Iggy has seven.
const DEPTH_MAX: usize = 32;
/// Names that are taken; the rest of a larger tree is counted only. 25,000 segments of 1 GiB with their indexes.
pub(super) const NAMES_MAX: usize = 50_000;
/// Bytes of a link's target that are kept.
const TARGET_BYTES_MAX: usize = 1024;

/// What a name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file.
    File,
    /// A symbolic link and where it points.
    Link(PathBuf),
    /// A socket, pipe or device.
    Special(&'static str),
    /// Something that could not be looked at.
    Unreadable(Errno),
}

/// A name that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path below the root.
    pub(super) path: PathBuf,
    /// What it is.
    pub(super) kind: Kind,
    /// Its length when it was found.
    pub(super) size_bytes: u64,
    /// Its last change, in nanoseconds since 1970.
    pub(super) modified_ns: i128,
    /// Its permissions.
    pub(super) mode: u32,
    /// Its owner.
    pub(super) uid: u32,
    /// Its group.
    pub(super) gid: u32,
    /// Its file system and number there: what is opened later must be the same file.
    pub(super) identity: (u64, u64),
}

/// What a walk gives.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The names, those of each directory in order.
    pub(super) found: Vec<Found>,
    /// Names that were seen and not taken, for there were too many.
    pub(super) names_dropped: u64,
    names_taken: usize,
}

/// Opens a directory below `parent`, never through a link.
pub(super) fn open_directory(parent: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match rustix::fs::openat(parent, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(parent, name, flags, Mode::empty()),
        opened => opened,
    }
}

/// All names below `root`.
pub(super) fn walk(root: &OwnedFd) -> Walked {
    let mut walked = Walked::default();
    match open_directory(root.as_fd(), OsStr::new(".")) {
        Ok(directory) => visit(&directory, Path::new(""), 0, &mut walked),
        Err(errno) => walked.found.push(unreadable(PathBuf::from("."), errno)),
    }
    walked
}

fn visit(directory: &OwnedFd, path: &Path, depth: usize, walked: &mut Walked) {
    let names = match names(directory, walked) {
        Ok(names) => names,
        Err(errno) => return walked.found.push(unreadable(path.to_owned(), errno)),
    };
    for name in names {
        let below = path.join(&name);
        let stat = match rustix::fs::statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // It vanished between the listing and now: as if the listing had come later.
            Err(Errno::NOENT) => continue,
            Err(errno) => {
                walked.found.push(unreadable(below, errno));
                continue;
            }
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if depth >= DEPTH_MAX => Kind::Special("a directory nested too deep"),
            FileType::Directory => {
                match open_directory(directory.as_fd(), &name) {
                    Ok(child) => visit(&child, &below, depth + 1, walked),
                    Err(errno) => walked.found.push(unreadable(below, errno)),
                }
                continue;
            }
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link(target(directory, &name)),
            FileType::Fifo => Kind::Special("a pipe"),
            FileType::Socket => Kind::Special("a socket"),
            FileType::CharacterDevice | FileType::BlockDevice => Kind::Special("a device"),
            FileType::Unknown => Kind::Special("of an unknown type"),
        };
        walked.found.push(found(below, kind, &stat));
    }
}

/// The names of a directory, in byte order, as far as the limit on all names allows.
fn names(directory: &OwnedFd, walked: &mut Walked) -> Result<Vec<OsString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if walked.names_taken >= NAMES_MAX {
            walked.names_dropped += 1;
            continue;
        }
        walked.names_taken += 1;
        names.push(OsStr::from_bytes(name).to_owned());
    }
    names.sort_unstable();
    Ok(names)
}

fn target(directory: &OwnedFd, name: &OsStr) -> PathBuf {
    let mut bytes =
        rustix::fs::readlinkat(directory, name, Vec::new()).map_or_else(|_| Vec::new(), std::ffi::CString::into_bytes);
    bytes.truncate(TARGET_BYTES_MAX);
    PathBuf::from(OsString::from_vec(bytes))
}

fn found(path: PathBuf, kind: Kind, stat: &Stat) -> Found {
    Found {
        path,
        kind,
        size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ns: i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        identity: (stat.st_dev, stat.st_ino),
    }
}

fn unreadable(path: PathBuf, errno: Errno) -> Found {
    Found {
        path,
        kind: Kind::Unreadable(errno),
        size_bytes: 0,
        modified_ns: 0,
        mode: 0,
        uid: 0,
        gid: 0,
        identity: (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn walked(root: &Path) -> Vec<(String, Kind)> {
        let root = OwnedFd::from(fs::File::open(root).unwrap());
        let found = walk(&root).found;
        found.into_iter().map(|found| (found.path.to_string_lossy().into_owned(), found.kind)).collect()
    }

    #[test]
    fn links_are_recorded_and_never_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/b/file"), "12345").unwrap();
        symlink(outside.path(), root.path().join("a/out")).unwrap();
        symlink("..", root.path().join("a/b/loop")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, root.path().join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert_eq!(
            walked(root.path()),
            [
                ("a/b/file".to_owned(), Kind::File),
                ("a/b/loop".to_owned(), Kind::Link("..".into())),
                ("a/out".to_owned(), Kind::Link(outside.path().into())),
                ("pipe".to_owned(), Kind::Special("a pipe")),
            ]
        );
    }

    #[test]
    fn a_tree_too_deep_ends_with_a_note() {
        let root = tempfile::tempdir().unwrap();
        let deep = (0..=DEPTH_MAX).fold(root.path().to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(deep.join("below")).unwrap();
        let found = walked(root.path());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1, Kind::Special("a directory nested too deep"));
    }
}
