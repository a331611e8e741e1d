//! A file of the data directory, opened without following a link and read up to the length seen first.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Advice, FileType, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::walk::{Found, open_directory};

/// Why a file that was found cannot be read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// It is gone, or another file has its name.
    Vanished,
    /// The kernel refuses it.
    Unreadable(Errno),
}

/// An open file, cut at the length that it had when it was found.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    /// Where it is cut.
    length: u64,
    /// Bytes read so far.
    position: u64,
    sparse: bool,
    /// Reading came to the end of the file.
    exhausted: bool,
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretch {
    /// Bytes on the disk.
    Data(u64),
    /// Zeros that are not on the disk.
    Hole(u64),
}

impl Source {
    /// Opens the file that `found` names below `root`: each directory on the way and the file itself without following
    /// links, and only if it is still the same file.
    pub(super) fn open(root: &OwnedFd, found: &Found) -> Result<Self, Absence> {
        let absence = |errno| match errno {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Absence::Vanished,
            other => Absence::Unreadable(other),
        };
        let mut parts: Vec<&OsStr> = found.path.iter().collect();
        let name = parts.pop().ok_or(Absence::Vanished)?;
        let mut directory: Option<OwnedFd> = None;
        for part in parts {
            let parent = directory.as_ref().map_or(root.as_fd(), AsFd::as_fd);
            directory = Some(open_directory(parent, part).map_err(absence)?);
        }
        let parent = directory.as_ref().map_or(root.as_fd(), AsFd::as_fd);
        // Non-blocking, should it have become a pipe; without a new access time, where we may.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let opened = match rustix::fs::openat(parent, name, flags | OFlags::NOATIME, Mode::empty()) {
            Err(Errno::PERM) => rustix::fs::openat(parent, name, flags, Mode::empty()),
            opened => opened,
        };
        let file = opened.map_err(absence)?;
        let stat = rustix::fs::fstat(&file).map_err(absence)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
            || (stat.st_dev, stat.st_ino) != found.identity
        {
            return Err(Absence::Vanished);
        }
        // Read ahead, and leave the page cache to those who need it: what is read once is dropped first (since Linux 6.3).
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::NoReuse);
        let allocated = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
        Ok(Self {
            file: File::from(file),
            length: found.size_bytes,
            position: 0,
            sparse: allocated < found.size_bytes,
            exhausted: false,
        })
    }

    /// Bytes that are still to come.
    pub(super) fn left(&self) -> u64 {
        self.length - self.position
    }

    /// Whether the file ended before the length that it had at first.
    pub(super) fn is_short(&self) -> bool {
        self.position < self.length
    }

    /// Whether a reader has seen all that there is: the length, or an earlier end.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left() == 0 || self.exhausted
    }

    /// The next stretch; `None` at the end. A hole counts as read.
    pub(super) fn stretch(&mut self) -> io::Result<Option<Stretch>> {
        if self.left() == 0 {
            return Ok(None);
        }
        if !self.sparse {
            return Ok(Some(Stretch::Data(self.left())));
        }
        let data_at = match rustix::fs::seek(&self.file, SeekFrom::Data(self.position)) {
            Ok(at) => at.min(self.length),
            // No data follows: a hole to the end of the file, if it still is that long.
            Err(Errno::NXIO) => self.file.metadata()?.len().min(self.length),
            // A file system that does not know holes.
            Err(_) => {
                rustix::fs::seek(&self.file, SeekFrom::Start(self.position))?;
                self.sparse = false;
                return Ok(Some(Stretch::Data(self.left())));
            }
        };
        if data_at > self.position {
            let bytes = data_at - self.position;
            self.position = data_at;
            rustix::fs::seek(&self.file, SeekFrom::Start(data_at))?;
            return Ok(Some(Stretch::Hole(bytes)));
        }
        let hole_at = rustix::fs::seek(&self.file, SeekFrom::Hole(self.position)).unwrap_or(self.length);
        rustix::fs::seek(&self.file, SeekFrom::Start(self.position))?;
        // At least a byte: at the end of a file that shrank, reading says so.
        Ok(Some(Stretch::Data(hole_at.clamp(self.position + 1, self.length) - self.position)))
    }

    /// Back to the start, for another pass over the same bytes.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        rustix::fs::seek(&self.file, SeekFrom::Start(0))?;
        self.position = 0;
        self.exhausted = false;
        Ok(())
    }
}

impl Read for Source {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left()).unwrap_or(to.len()).min(to.len());
        let read = self.file.read(&mut to[..room])?;
        self.position += read as u64;
        self.exhausted |= read == 0 && !to.is_empty();
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{FileExt as _, symlink};
    use std::path::Path;

    use super::super::walk::walk;
    use super::*;

    fn root(path: &Path) -> OwnedFd {
        OwnedFd::from(File::open(path).unwrap())
    }

    #[test]
    fn a_file_is_cut_at_the_length_seen_first() {
        let tree = tempfile::tempdir().unwrap();
        let root = root(tree.path());
        fs::write(tree.path().join("log"), "first").unwrap();
        let found = walk(&root).found.remove(0);
        fs::write(tree.path().join("log"), "first and more").unwrap();
        let mut source = Source::open(&root, &found).unwrap();
        assert_eq!(io::read_to_string(&mut source).unwrap(), "first");
        assert!(!source.is_short());
        fs::write(tree.path().join("log"), "fir").unwrap();
        let mut source = Source::open(&root, &found).unwrap();
        assert_eq!(io::read_to_string(&mut source).unwrap(), "fir");
        assert!(source.is_short());
    }

    #[test]
    fn what_was_replaced_is_not_read() {
        let tree = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("file"), "outside").unwrap();
        let root = root(tree.path());
        fs::create_dir(tree.path().join("d")).unwrap();
        fs::write(tree.path().join("d/file"), "inside").unwrap();
        let found = walk(&root).found.remove(0);
        fs::rename(tree.path().join("d/file"), tree.path().join("d/other")).unwrap();
        assert_eq!(Source::open(&root, &found).unwrap_err(), Absence::Vanished);
        fs::write(tree.path().join("d/file"), "another").unwrap();
        assert_eq!(Source::open(&root, &found).unwrap_err(), Absence::Vanished);
        fs::remove_dir_all(tree.path().join("d")).unwrap();
        symlink(outside.path(), tree.path().join("d")).unwrap();
        assert_eq!(Source::open(&root, &found).unwrap_err(), Absence::Vanished);
    }

    #[test]
    fn holes_are_seen() {
        let tree = tempfile::tempdir().unwrap();
        let file = File::create(tree.path().join("sparse")).unwrap();
        file.set_len(3 << 20).unwrap();
        file.write_all_at(b"data", 1 << 20).unwrap();
        let root = root(tree.path());
        let found = walk(&root).found.remove(0);
        let mut source = Source::open(&root, &found).unwrap();
        let (mut holes, mut data) = (0, Vec::new());
        while let Some(stretch) = source.stretch().unwrap() {
            match stretch {
                Stretch::Hole(bytes) => holes += bytes,
                Stretch::Data(bytes) => {
                    Read::by_ref(&mut source).take(bytes).read_to_end(&mut data).unwrap();
                }
            }
        }
        assert_eq!(holes + data.len() as u64, 3 << 20);
        assert!(holes >= 2 << 20, "{holes}");
        assert_eq!(&data[data.iter().position(|byte| *byte != 0).unwrap()..][..4], b"data");
    }
}
