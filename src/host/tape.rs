//! Recording a host and playing a recording back: what files cannot hold stands as JSON below `.snapvisor/`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::file::{Bounded, Metadata};
use super::root::HostError;
use crate::domain::gap::Gap;
use crate::evidence::Observed;

/// The folder of a recorded tree that holds what is not a file.
const FOLDER: &str = ".snapvisor";
/// Bytes of one JSON file of a recording at most.
const JSON_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Masks the secrets of what is recorded.
pub struct Masker(pub Box<Mask>);

/// Given the path that bytes come from and the bytes, gives the bytes that may be kept.
pub type Mask = dyn Fn(&str, &[u8]) -> Vec<u8> + Send + Sync;

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker")
    }
}

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

/// Writes a recording while a host is looked at.
#[derive(Debug)]
pub(super) struct Recorder {
    tree: PathBuf,
    masker: Masker,
    notes: Mutex<Notes>,
    first_failure: Mutex<Option<HostError>>,
}

impl Recorder {
    pub(super) fn new(tree: PathBuf, masker: Masker) -> Self {
        Self { tree, masker, notes: Mutex::default(), first_failure: Mutex::default() }
    }

    pub(super) fn file(&self, path: &str, read: &Observed<Bounded>) {
        match read {
            Ok(read) => self.write(path, &(self.masker.0)(path, &read.bytes)),
            Err(gap) => self.note(|notes| notes.gaps.insert(path.to_owned(), gap.clone())),
        }
    }

    pub(super) fn link(&self, path: &str, read: &Observed<String>) {
        match read {
            Ok(target) => {
                let target = (self.masker.0)(path, target.as_bytes());
                let Some(at) = self.place(path) else { return };
                let target: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(target.as_slice());
                match std::os::unix::fs::symlink(target, &at) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => self.failed(at, error),
                    _ => {}
                }
            }
            Err(gap) => self.note(|notes| notes.gaps.insert(path.to_owned(), gap.clone())),
        }
    }

    pub(super) fn list(&self, path: &str, listed: &Observed<Vec<String>>) {
        self.note(|notes| match listed {
            Ok(names) => drop(notes.lists.insert(path.to_owned(), names.clone())),
            Err(gap) => drop(notes.gaps.insert(path.to_owned(), gap.clone())),
        });
    }

    pub(super) fn metadata(&self, path: &str, observed: &Observed<Metadata>) {
        self.note(|notes| match observed {
            Ok(metadata) => drop(notes.metadata.insert(path.to_owned(), metadata.clone())),
            Err(gap) => drop(notes.gaps.insert(path.to_owned(), gap.clone())),
        });
    }

    pub(super) fn call<T: Serialize>(&self, name: &str, observed: &Observed<T>) {
        let outcome = match observed {
            Ok(value) => Outcome::Ok(value),
            Err(gap) => Outcome::Gap(gap.clone()),
        };
        self.json(&format!("/{FOLDER}/calls/{name}.json"), &outcome);
    }

    pub(super) fn finish(&self) -> Result<(), HostError> {
        let notes = std::mem::take(&mut *self.notes.lock().expect("no holder of this lock panics"));
        self.json(&format!("/{FOLDER}/notes.json"), &notes);
        self.first_failure.lock().expect("no holder of this lock panics").take().map_or(Ok(()), Err)
    }

    fn note<R>(&self, change: impl FnOnce(&mut Notes) -> R) {
        change(&mut self.notes.lock().expect("no holder of this lock panics"));
    }

    fn json(&self, path: &str, value: &impl Serialize) {
        let text = serde_json::to_vec_pretty(value).expect("evidence has only string keys");
        self.write(path, &(self.masker.0)(path, &text));
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let Some(at) = self.place(path) else { return };
        let written = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&at)
            .and_then(|mut file| file.write_all(bytes));
        if let Err(error) = written {
            self.failed(at, error);
        }
    }

    /// Where a path of the host stands in the tree, its folder made; `None` (and noted) if that fails.
    fn place(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_)));
        let at = below.fold(self.tree.clone(), |at, part| at.join(part));
        let folder = at.parent().unwrap_or(&self.tree);
        match fs::DirBuilder::new().recursive(true).mode(0o700).create(folder) {
            Ok(()) => Some(at),
            Err(error) => {
                self.failed(at, error);
                None
            }
        }
    }

    fn failed(&self, path: PathBuf, source: io::Error) {
        self.first_failure
            .lock()
            .expect("no holder of this lock panics")
            .get_or_insert(HostError::Recording { path, source });
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
        let masker = Masker(Box::new(|_, bytes| bytes.to_vec()));
        let live = Host::live().recording(tree.path(), masker);
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
        live.finish_recording().unwrap();
        let recorded = Host::recorded(tree.path()).unwrap();
        assert_eq!(observe(&recorded, Err(Gap::broken("asked the live kernel"))), seen);
    }
}
