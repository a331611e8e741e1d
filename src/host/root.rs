//! A host's files: this machine's, or a recorded tree's; every read bounded, every refusal a gap.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::RwLock;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::file::{Bounded, Metadata, bounded, stat, tail};
use super::gap::{HostError, gap};
use super::tape::{Mask, Player, Recorder};
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::iggy::IggyPlace;

/// Bytes that [`Host::text`] and [`Host::bytes`] read at most.
pub const READ_BYTES_MAX: usize = 256 * 1024;
/// Names that [`Host::list`] gives at most.
pub const LIST_NAMES_MAX: usize = 65_536;

/// Which of the two readings of the sampling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// At its start.
    First,
    /// At its end.
    Second,
}

/// A host that can be looked at.
#[derive(Debug)]
pub struct Host {
    view: View,
    recorder: Option<Recorder>,
    /// Mount points that did not answer: nothing below them is touched in this process.
    stuck: RwLock<BTreeSet<String>>,
}

#[derive(Debug)]
enum View {
    Live,
    Recorded { tree: OwnedFd, player: Player },
}

impl Host {
    /// This machine.
    #[must_use]
    pub fn live() -> Self {
        Self { view: View::Live, recorder: None, stuck: RwLock::default() }
    }

    /// A recorded tree: nothing of the live kernel is asked.
    ///
    /// # Errors
    /// The directory cannot be opened, or its `.snapvisor/` cannot be read.
    pub fn recorded(tree: &Path) -> Result<Self, HostError> {
        let failed = |source| HostError::Tree { path: tree.to_owned(), source };
        let fd = rustix::fs::open(tree, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| failed(errno.into()))?;
        let player = Player::open(tree).map_err(failed)?;
        Ok(Self { view: View::Recorded { tree: fd, player }, recorder: None, stuck: RwLock::default() })
    }

    /// The same host; everything that is read of it is also kept, for [`Host::write_recording`].
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.recorder = Some(Recorder::default());
        self
    }

    /// Writes what was kept as a recorded tree below `tree`, its secrets masked by `mask`. Nothing if nothing was kept.
    ///
    /// # Errors
    /// The first file of the recording that could not be written.
    pub fn write_recording(&self, tree: &Path, mask: &Mask<'_>) -> Result<(), HostError> {
        self.recorder.as_ref().map_or(Ok(()), |recorder| recorder.write(tree, mask))
    }

    /// Whether this machine itself is looked at.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.view, View::Live)
    }

    /// Nothing below this mount point is touched any more.
    pub fn mark_stuck(&self, mount_point: &str) {
        self.stuck.write().expect("no holder of this lock panics").insert(mount_point.to_owned());
    }

    /// The value of a system call or a netlink dump: asked live, or read from the recorded tree.
    ///
    /// `name` is the call's name in `.snapvisor/calls/`: lower-case letters, digits, `.`, `_` and `-`.
    ///
    /// # Errors
    /// The gap of the call; a recorded tree without it is a gap too.
    pub fn call<T: Serialize + DeserializeOwned>(&self, name: &str, live: impl FnOnce() -> Observed<T>) -> Observed<T> {
        let observed = match &self.view {
            View::Live => live(),
            View::Recorded { player, .. } => player.call(name),
        };
        if let Some(recorder) = &self.recorder {
            recorder.call(name, &observed);
        }
        observed
    }

    /// A text file of at most `READ_BYTES_MAX`; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// The gap: absent, denied, or not a regular file.
    pub fn text(&self, path: &str) -> Observed<String> {
        self.bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// [`Host::text`], at one of the two readings of the sampling window.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn sample(&self, reading: Reading, path: &str) -> Observed<String> {
        match reading {
            Reading::First => self.text(path),
            Reading::Second => {
                let read = match &self.view {
                    View::Live => self.open(path).and_then(|file| bounded(file, path, READ_BYTES_MAX)),
                    View::Recorded { .. } => {
                        let second = format!("/{SECOND_READINGS}{path}");
                        self.open(&second).and_then(|file| bounded(file, path, READ_BYTES_MAX))
                    }
                };
                if let Some(recorder) = &self.recorder {
                    recorder.file(&format!("/{SECOND_READINGS}{path}"), &read);
                }
                read.map(|read| String::from_utf8_lossy(&read.bytes).into_owned())
            }
        }
    }

    /// A file of at most `READ_BYTES_MAX`; more is cut off.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn bytes(&self, path: &str) -> Observed<Vec<u8>> {
        self.bounded(path, READ_BYTES_MAX).map(|read| read.bytes)
    }

    /// A file whose content is never evidence and never recorded: it only seeds the table of secrets (environments,
    /// whole command lines, credentials). The buffer is wiped when it is dropped.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn seed(&self, path: &str) -> Observed<Zeroizing<Vec<u8>>> {
        self.open(path).and_then(|file| bounded(file, path, READ_BYTES_MAX)).map(|read| Zeroizing::new(read.bytes))
    }

    /// The first `bytes_max` bytes of a file.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn bounded(&self, path: &str, bytes_max: usize) -> Observed<Bounded> {
        let read = self.open(path).and_then(|file| bounded(file, path, bytes_max));
        if let Some(recorder) = &self.recorder {
            recorder.file(path, &read);
        }
        read
    }

    /// The first word of a file: what stands before the first NUL or blank. Of a command line that is the program alone;
    /// a program that rewrites its title puts the rest behind a blank. Nothing after the word is kept or recorded.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn first_word(&self, path: &str, bytes_max: usize) -> Observed<String> {
        let mut read = self.open(path).and_then(|file| bounded(file, path, bytes_max));
        if let Ok(read) = &mut read {
            let ends = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
            read.bytes.truncate(read.bytes.iter().position(ends).unwrap_or(read.bytes.len()));
        }
        if let Some(recorder) = &self.recorder {
            recorder.file(path, &read);
        }
        read.map(|read| String::from_utf8_lossy(&read.bytes).into_owned())
    }

    /// The last `bytes_max` bytes of a file.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn tail(&self, path: &str, bytes_max: usize) -> Observed<Bounded> {
        let read = self.open(path).and_then(|file| tail(file, path, bytes_max));
        if let Some(recorder) = &self.recorder {
            recorder.file(path, &read);
        }
        read
    }

    /// The names in a directory, sorted, at most `LIST_NAMES_MAX`. Names that are not UTF-8 are given lossily.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn list(&self, path: &str) -> Observed<Vec<String>> {
        let listed = match &self.view {
            View::Live => self.list_files(path),
            View::Recorded { player, .. } => player.list(path).unwrap_or_else(|| self.list_files(path)),
        };
        if let Some(recorder) = &self.recorder {
            recorder.list(path, &listed);
        }
        listed
    }

    /// Where a symbolic link (of /proc too) leads, as text.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn link(&self, path: &str) -> Observed<String> {
        let read = self.link_target(path);
        if let Some(recorder) = &self.recorder {
            recorder.link(path, &read);
        }
        read
    }

    /// What stat(2) says of the file that a path leads to.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn metadata(&self, path: &str) -> Observed<Metadata> {
        let observed = match &self.view {
            View::Live => self.open_path(path, Access::Handle).and_then(|fd| stat(&fd, path)),
            View::Recorded { player, .. } => player
                .metadata(path)
                .unwrap_or_else(|| self.open_path(path, Access::Handle).and_then(|fd| stat(&fd, path))),
        };
        if let Some(recorder) = &self.recorder {
            recorder.metadata(path, &observed);
        }
        observed
    }

    /// [`Host::metadata`] of a file whose very path is not recorded: a recording's notes pass through the redaction, to
    /// which a name like `credential` says that what stands behind it is a secret.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn seed_metadata(&self, path: &str) -> Observed<Metadata> {
        self.open_path(path, Access::Handle).and_then(|fd| stat(&fd, path))
    }

    /// Opens a regular file for reading, never blocking on a pipe or device and never leaving the root it belongs to.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn open(&self, path: &str) -> Observed<File> {
        let fd = self.open_path(path, Access::Read)?;
        let file = File::from(fd);
        let metadata = file.metadata().map_err(|error| gap(&error, path))?;
        if metadata.is_file() { Ok(file) } else { Err(Gap::broken(format!("{path} is not a regular file"))) }
    }

    /// Opens the directory that was looked at when Iggy was found, and no other that has taken its place since.
    ///
    /// # Errors
    /// As [`Host::text`]; broken if it is another directory now.
    pub fn open_data_directory(&self, place: &IggyPlace) -> Observed<OwnedFd> {
        let path = place.below("")?;
        let opened = self.open_path(&path, Access::Directory)?;
        let (_, directory) = place.believed().expect("what is not believed has no path below");
        let identity = stat(&opened, &path).map(|metadata| (metadata.device, metadata.inode))?;
        // A recorded tree lies on another file system than the host that it was recorded on.
        if self.is_live() && identity != directory.identity {
            return Err(Gap::broken(format!("{path} was replaced while it was looked at")));
        }
        Ok(opened)
    }

    fn list_files(&self, path: &str) -> Observed<Vec<String>> {
        let fd = self.open_path(path, Access::Directory)?;
        let entries = rustix::fs::Dir::read_from(&fd).map_err(|errno| gap(&errno.into(), path))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|errno| gap(&errno.into(), path))?;
            let name = entry.file_name().to_string_lossy();
            if name != "." && name != ".." {
                names.push(name.into_owned());
            }
            if names.len() == LIST_NAMES_MAX {
                break;
            }
        }
        names.sort();
        Ok(names)
    }

    fn link_target(&self, path: &str) -> Observed<String> {
        let fd = self.open_path(path, Access::Link)?;
        let target = rustix::fs::readlinkat(&fd, "", Vec::new()).map_err(|errno| gap(&errno.into(), path))?;
        Ok(target.to_string_lossy().into_owned())
    }

    fn open_path(&self, path: &str, access: Access) -> Observed<OwnedFd> {
        self.refuse_stuck(path)?;
        let flags = access.flags();
        let opened = match &self.view {
            View::Recorded { tree, .. } => below(tree, path.trim_start_matches('/'), flags),
            View::Live => match process_root(path) {
                Some((root, rest)) => {
                    rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
                        .and_then(|root| below(&root, rest, flags))
                }
                None => rustix::fs::open(path, flags, Mode::empty()),
            },
        };
        opened.map_err(|errno| match &self.view {
            View::Recorded { player, .. } => player.gap(path).unwrap_or_else(|| gap(&errno.into(), path)),
            View::Live => gap(&errno.into(), path),
        })
    }

    fn refuse_stuck(&self, path: &str) -> Result<(), Gap> {
        let stuck = self.stuck.read().expect("no holder of this lock panics");
        match stuck.iter().find(|mount| Path::new(path).starts_with(mount)) {
            Some(mount) => Err(Gap::timeout(format!("{path} was not touched: the mount {mount} does not answer"))),
            None => Ok(()),
        }
    }
}

/// What a path is opened for.
#[derive(Debug, Clone, Copy)]
enum Access {
    /// stat alone, of what the path leads to.
    Handle,
    /// stat and readlink, of the link itself.
    Link,
    /// Reading a file.
    Read,
    /// Reading a directory.
    Directory,
}

impl Access {
    const fn flags(self) -> OFlags {
        let flags = match self {
            Self::Handle => OFlags::PATH,
            Self::Link => OFlags::PATH.union(OFlags::NOFOLLOW),
            Self::Read => OFlags::NONBLOCK.union(OFlags::NOCTTY),
            Self::Directory => OFlags::DIRECTORY,
        };
        flags.union(OFlags::CLOEXEC)
    }
}

/// Where second readings stand in a recorded tree.
const SECOND_READINGS: &str = ".snapvisor/second";

/// Splits a path through a process's own root: symbolic links below it must not lead out into ours.
fn process_root(path: &str) -> Option<(&str, &str)> {
    let (pid, _) = path.strip_prefix("/proc/")?.split_once("/root/")?;
    let known = pid == "self" || (!pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()));
    let root_length = "/proc/".len() + pid.len() + "/root".len();
    known.then(|| (&path[..root_length], path[root_length..].trim_start_matches('/')))
}

/// Opens `path` with `root` as the root of every absolute link and every `..`.
fn below(root: &OwnedFd, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let path = if path.is_empty() { "." } else { path };
    rustix::fs::openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
}

#[cfg(test)]
mod tests {
    use super::super::file::Truncated;
    use super::*;

    #[test]
    fn a_recorded_tree_cannot_be_left() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "outside").unwrap();
        let tree = tempfile::tempdir().unwrap();
        let target = outside.path().join("secret");
        std::os::unix::fs::symlink(&target, tree.path().join("absolute")).unwrap();
        std::os::unix::fs::symlink("../../../../../../../../../../etc/passwd", tree.path().join("relative")).unwrap();
        let host = Host::recorded(tree.path()).unwrap();
        for path in ["/absolute", "/relative", "/../../../../../../../etc/passwd"] {
            assert!(host.text(path).is_err(), "{path} was read");
        }
        assert_eq!(host.link("/absolute").unwrap(), target.to_str().unwrap());
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let tree = tempfile::tempdir().unwrap();
        let pipe = tree.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let refused = Host::live().text(pipe.to_str().unwrap());
        assert!(refused.unwrap_err().detail.ends_with("is not a regular file"));
    }

    #[test]
    fn reads_keep_their_caps() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::write(tree.path().join("digits"), "0123456789").unwrap();
        let host = Host::recorded(tree.path()).unwrap();
        let read = |bytes: &[u8], truncated| Bounded { bytes: bytes.to_vec(), truncated };
        assert_eq!(host.bounded("/digits", 10).unwrap(), read(b"0123456789", Truncated::No));
        assert_eq!(host.bounded("/digits", 4).unwrap(), read(b"0123", Truncated::Yes));
        assert_eq!(host.tail("/digits", 4).unwrap(), read(b"6789", Truncated::Yes));
        assert_eq!(host.tail("/digits", 99).unwrap(), read(b"0123456789", Truncated::No));
    }

    #[test]
    fn nothing_below_a_stuck_mount_is_touched() {
        let host = Host::live();
        host.mark_stuck("/proc/sys");
        assert_eq!(host.text("/proc/sys/kernel/osrelease").unwrap_err().reason, crate::domain::gap::GapReason::Timeout);
        assert!(host.text("/proc/version").is_ok());
    }

    #[test]
    fn paths_through_a_process_root_stay_in_it() {
        assert_eq!(process_root("/proc/12/root/etc/x"), Some(("/proc/12/root", "etc/x")));
        assert_eq!(process_root("/proc/12/rooted/etc"), None);
        assert_eq!(process_root("/proc/net/root/x"), None);
    }
}
