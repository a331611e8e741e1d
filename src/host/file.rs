//! What a file of a host is and holds, as far as it may be read.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

use rustix::fs::AtFlags;
use serde::{Deserialize, Serialize};

use super::gap::gap;
use crate::evidence::Observed;

/// Content of a file, at most as long as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounded {
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// Whether there were more.
    pub truncated: Truncated,
}

/// Whether a read met its cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncated {
    /// All of it was read.
    No,
    /// There was more.
    Yes,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket, pipe or device.
    Other,
}

/// What stat(2) says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Blocks in use, in bytes.
    pub allocated_bytes: u64,
    /// Last change of the content, seconds since the epoch.
    pub modified_unix: i64,
    /// Device number of its file system.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

pub(super) fn stat(fd: &OwnedFd, path: &str) -> Observed<Metadata> {
    let stat = rustix::fs::statat(fd, "", AtFlags::EMPTY_PATH).map_err(|errno| gap(&errno.into(), path))?;
    let kind = match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::RegularFile => FileKind::File,
        rustix::fs::FileType::Directory => FileKind::Directory,
        rustix::fs::FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    };
    Ok(Metadata {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
        allocated_bytes: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
        modified_unix: stat.st_mtime,
        device: stat.st_dev,
        inode: stat.st_ino,
    })
}

pub(super) fn bounded(file: File, path: &str, bytes_max: usize) -> Observed<Bounded> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| gap(&error, path))?;
    let truncated = if bytes.len() > bytes_max { Truncated::Yes } else { Truncated::No };
    bytes.truncate(bytes_max);
    Ok(Bounded { bytes, truncated })
}

pub(super) fn tail(mut file: File, path: &str, bytes_max: usize) -> Observed<Bounded> {
    let size = file.metadata().map_err(|error| gap(&error, path))?.size();
    let keep = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let skip = size.saturating_sub(keep);
    file.seek(SeekFrom::Start(skip)).map_err(|error| gap(&error, path))?;
    let mut read = bounded(file, path, bytes_max)?;
    read.truncated = if skip > 0 { Truncated::Yes } else { Truncated::No };
    Ok(read)
}
