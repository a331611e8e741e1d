//! Recording a host and playing a recording back: what files cannot hold stands as JSON below `.snapvisor/`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::file::{Bounded, Metadata};
use super::gap::HostError;
use crate::domain::gap::Gap;
use crate::evidence::Observed;

/// The folder of a recorded tree that holds what is not a file.
const FOLDER: &str = ".snapvisor";
/// Bytes of one JSON file of a recording at most.
const JSON_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of files that a recording keeps in memory at most.
const RECORDING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Gives the bytes of a path that may be kept, their secrets masked; `None`: nothing of it may.
pub type Mask<'a> = dyn Fn(&str, &[u8]) -> Option<Vec<u8>> + 'a;

/// What a recording holds besides files.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Notes {
    /// Path → why it could not be read.
    gaps: BTreeMap<String, Gap>,
    /// Directory → its names.
    lists: BTreeMap<String, Vec<String>>,
    /// Path → what stat(2) said.
    metadata: BTreeMap<String, Metadata>,
}

/// An outcome as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome<T> {
    Ok(T),
    Gap(Gap),
}

/// Keeps what is read of a host until its secrets are known and can be masked.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Recording>);

#[derive(Debug, Default)]
struct Recording {
    /// Path → content.
    files: BTreeMap<String, Vec<u8>>,
    /// Their bytes together.
    bytes: usize,
    /// Path → target.
    links: BTreeMap<String, String>,
    /// Name → JSON.
    calls: BTreeMap<String, Vec<u8>>,
    notes: Notes,
}

impl Recorder {
    pub(super) fn file(&self, path: &str, read: &Observed<Bounded>) {
        self.keep(|recording| match read {
            Ok(read) if recording.bytes + read.bytes.len() <= RECORDING_BYTES_MAX => {
                recording.bytes += read.bytes.len();
                recording.files.insert(path.to_owned(), read.bytes.clone());
            }
            Ok(_) => recording.gap(path, &Gap::broken("left out: the recording is full")),
            Err(gap) => recording.gap(path, gap),
        });
    }

    pub(super) fn link(&self, path: &str, read: &Observed<String>) {
        self.keep(|recording| match read {
            Ok(target) => drop(recording.links.insert(path.to_owned(), target.clone())),
            Err(gap) => recording.gap(path, gap),
        });
    }

    pub(super) fn list(&self, path: &str, listed: &Observed<Vec<String>>) {
        self.keep(|recording| match listed {
            Ok(names) => drop(recording.notes.lists.insert(path.to_owned(), names.clone())),
            Err(gap) => recording.gap(path, gap),
        });
    }

    pub(super) fn metadata(&self, path: &str, observed: &Observed<Metadata>) {
        self.keep(|recording| match observed {
            Ok(metadata) => drop(recording.notes.metadata.insert(path.to_owned(), metadata.clone())),
            Err(gap) => recording.gap(path, gap),
        });
    }

    pub(super) fn call<T: Serialize>(&self, name: &str, observed: &Observed<T>) {
        let outcome = match observed {
            Ok(value) => Outcome::Ok(value),
            Err(gap) => Outcome::Gap(gap.clone()),
        };
        let json = serde_json::to_vec_pretty(&outcome).expect("evidence has only string keys");
        self.keep(|recording| drop(recording.calls.insert(name.to_owned(), json)));
    }

    /// Writes the recording below `tree`, which may exist.
    pub(super) fn write(&self, tree: &Path, mask: &Mask<'_>) -> Result<(), HostError> {
        let recording = std::mem::take(&mut *self.0.lock().expect("no holder of this lock panics"));
        for (path, bytes) in &recording.files {
            write(tree, path, mask(path, bytes).as_deref())?;
        }
        for (path, target) in &recording.links {
            if let Some(target) = mask(path, target.as_bytes()) {
                link(tree, path, &target)?;
            }
        }
        for (name, json) in &recording.calls {
            let path = format!("/{FOLDER}/calls/{name}.json");
            write(tree, &path, mask(&path, json).as_deref())?;
        }
        let notes = serde_json::to_vec_pretty(&recording.notes).expect("notes have only string keys");
        let path = format!("/{FOLDER}/notes.json");
        write(tree, &path, mask(&path, &notes).as_deref())
    }

    fn keep(&self, change: impl FnOnce(&mut Recording)) {
        change(&mut self.0.lock().expect("no holder of this lock panics"));
    }
}

impl Recording {
    fn gap(&mut self, path: &str, gap: &Gap) {
        self.notes.gaps.insert(path.to_owned(), gap.clone());
    }
}

fn write(tree: &Path, path: &str, bytes: Option<&[u8]>) -> Result<(), HostError> {
    let Some(bytes) = bytes else { return Ok(()) };
    let at = place(tree, path)?;
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&at)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| HostError::Recording { path: at, source })
}

fn link(tree: &Path, path: &str, target: &[u8]) -> Result<(), HostError> {
    let at = place(tree, path)?;
    match std::os::unix::fs::symlink(OsStr::from_bytes(target), &at) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(HostError::Recording { path: at, source }),
        _ => Ok(()),
    }
}

/// Where a path of the host stands in the tree; its folder is made.
fn place(tree: &Path, path: &str) -> Result<PathBuf, HostError> {
    let below = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_)));
    let at = below.fold(tree.to_owned(), |at, part| at.join(part));
    let folder = at.parent().unwrap_or(tree);
    match fs::DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Ok(()) => Ok(at),
        Err(source) => Err(HostError::Recording { path: at, source }),
    }
}

/// Plays a recording back.
#[derive(Debug)]
pub(super) struct Player {
    calls: PathBuf,
    notes: Notes,
}

impl Player {
    pub(super) fn open(tree: &Path) -> io::Result<Self> {
        let folder = tree.join(FOLDER);
        let notes = match read_json(&folder.join("notes.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Notes::default(),
            read => read?,
        };
        Ok(Self { calls: folder.join("calls"), notes })
    }

    pub(super) fn call<T: DeserializeOwned>(&self, name: &str) -> Observed<T> {
        match read_json::<Outcome<T>>(&self.calls.join(format!("{name}.json"))) {
            Ok(Outcome::Ok(value)) => Ok(value),
            Ok(Outcome::Gap(gap)) => Err(gap),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Gap::absent(format!("the recorded tree has no call `{name}`")))
            }
            Err(error) => Err(Gap::broken(format!("the recorded call `{name}`: {error}"))),
        }
    }

    pub(super) fn gap(&self, path: &str) -> Option<Gap> {
        self.notes.gaps.get(path).cloned()
    }

    pub(super) fn list(&self, path: &str) -> Option<Observed<Vec<String>>> {
        self.notes.lists.get(path).cloned().map(Ok).or_else(|| self.gap(path).map(Err))
    }

    pub(super) fn metadata(&self, path: &str) -> Option<Observed<Metadata>> {
        self.notes.metadata.get(path).cloned().map(Ok).or_else(|| self.gap(path).map(Err))
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    use std::io::Read;
    let mut text = Vec::new();
    fs::File::open(path)?.take(JSON_BYTES_MAX).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::super::Host;
    use super::*;

    #[test]
    fn what_is_recorded_plays_back_the_same() {
        let tree = tempfile::tempdir().unwrap();
        let live = Host::live().recording();
        let observe = |host: &Host, call: Observed<u32>| {
            (
                host.text("/proc/sys/kernel/osrelease"),
                host.text("/no/such/file"),
                host.list("/proc/sys/vm").map(|names| names.len()),
                host.metadata("/etc"),
                host.link("/proc/self/exe"),
                host.call("answer", || call),
            )
        };
        let seen = observe(&live, Ok(42));
        live.write_recording(tree.path(), &|_, bytes| Some(bytes.to_vec())).unwrap();
        let recorded = Host::recorded(tree.path()).unwrap();
        assert_eq!(observe(&recorded, Err(Gap::broken("asked the live kernel"))), seen);
    }
}
