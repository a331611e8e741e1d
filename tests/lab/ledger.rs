//! What namespaces do not contain, written down before it is done and undone when the lab has ended, however it ended.
//!
//! The ledger stands at a fixed place and is locked while a lab runs. One that a killed lab left is worked off first.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::{Outcome, run};

const PATH: &str = "/run/snapvisor-lab.ledger";

/// What undoes a change.
pub(crate) enum Undo {
    /// A file of the kernel's gets its old value back.
    Write { path: String, value: String },
    /// A swap area is switched off.
    SwapOff(String),
    /// A control group is removed; its processes are gone by then.
    RemoveGroup(String),
}

impl Undo {
    fn line(&self) -> String {
        match self {
            Self::Write { path, value } => format!("write\t{path}\t{}\n", value.trim_end().replace('\t', " ")),
            Self::SwapOff(path) => format!("swapoff\t{path}\n"),
            Self::RemoveGroup(path) => format!("rmdir\t{path}\n"),
        }
    }
}

/// Takes a change into the ledger. Undoing it twice does no harm.
pub(crate) fn note(undo: &Undo) -> Outcome<()> {
    let mut file = OpenOptions::new().append(true).open(PATH)?;
    file.write_all(undo.line().as_bytes())?;
    Ok(file.sync_all()?)
}

/// The ledger of a lab that runs; dropped, it is worked off.
pub(crate) struct Ledger(File);

impl Ledger {
    /// Works off what an earlier lab left, and begins an empty one.
    pub(crate) fn begin() -> Outcome<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(PATH)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| format!("another lab runs: {PATH} is locked"))?;
        work_off();
        file.set_len(0)?;
        Ok(Self(file))
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        work_off();
        let _ = fs::remove_file(PATH);
        let _ = self.0.set_len(0);
    }
}

/// The newest change first.
fn work_off() {
    let text = fs::read_to_string(PATH).unwrap_or_default();
    for line in text.lines().rev() {
        let fields: Vec<&str> = line.split('\t').collect();
        let undone = match fields.as_slice() {
            ["write", path, value] => fs::write(path, value).map_err(Into::into),
            ["swapoff", path] => {
                let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
                if swaps.contains(path) { run("swapoff", &[path]) } else { Ok(()) }
            }
            ["rmdir", path] if Path::new(path).exists() => fs::remove_dir(path).map_err(Into::into),
            _ => Ok(()),
        };
        if let Err(error) = undone {
            eprintln!("lab: `{line}` could not be undone: {error}");
        }
    }
}
