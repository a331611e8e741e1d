//! One server per data directory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// The lock's file in the data directory.
const FILE: &str = "serve.lock";
/// Bytes of a process's number that are read back.
const NUMBER_BYTES_MAX: u64 = 32;

/// Why the data directory is not ours to serve.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another server serves it.
    #[error("another snapvisor (process {pid}) already serves {data_dir}")]
    Held {
        /// The directory.
        data_dir: PathBuf,
        /// What the file says of the other.
        pid: String,
    },
    /// The file cannot be made or locked.
    #[error("cannot lock {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The right to serve a data directory. The kernel takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// Takes it, at once or not at all. The command line needs no lock: SQLite keeps it and the server apart.
    ///
    /// # Errors
    /// Another server has it.
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let path = data_dir.join(FILE);
        let failed = |source| LockError::File { path: path.clone(), source };
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = open.map_err(failed)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut pid = String::new();
                // Who holds it may not have written yet; the message then has no number.
                let _ = file.take(NUMBER_BYTES_MAX).read_to_string(&mut pid);
                return Err(LockError::Held { data_dir: data_dir.to_owned(), pid: pid.trim().to_owned() });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_do_not_share_a_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        let first = ServeLock::take(dir.path()).unwrap();
        let second = ServeLock::take(dir.path()).unwrap_err();
        let expected =
            format!("another snapvisor (process {}) already serves {}", std::process::id(), dir.path().display());
        assert_eq!(second.to_string(), expected);
        drop(first);
        ServeLock::take(dir.path()).unwrap();
    }
}
