//! What a refusal of the kernel's means: a gap in the evidence and what would close it, or no host at all.

use std::io;
use std::path::PathBuf;

use crate::domain::gap::Gap;

/// Why a host cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The tree cannot be opened.
    #[error("cannot open the recorded tree {path}")]
    Tree {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A recording cannot be written.
    #[error("cannot write the recording {path}")]
    Recording {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What opens a path that was closed to us. What is behind a process takes the right to trace it, besides that to read.
fn unlock(path: &str) -> &'static str {
    let behind = path.strip_prefix("/proc/").and_then(|rest| rest.split_once('/'));
    let is_process = behind.is_some_and(|(pid, _)| !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()));
    if is_process {
        "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, or run as root"
    } else {
        "CAP_DAC_READ_SEARCH, or run as root"
    }
}

/// What an I/O error means for evidence.
pub(super) fn gap(error: &io::Error, path: &str) -> Gap {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::SRCH) => {
            Gap::absent(format!("{path} does not exist"))
        }
        Some(rustix::io::Errno::ACCESS) => Gap::denied(format!("{path} may not be read"), unlock(path)),
        Some(rustix::io::Errno::PERM) => Gap::denied(format!("{path} was refused by the kernel"), "run as root"),
        _ => Gap::broken(format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_capability_that_opens_the_path() {
        let refused = io::Error::from_raw_os_error(libc::EACCES);
        for (path, capability) in [
            ("/proc/12/environ", "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, or run as root"),
            ("/proc/slabinfo", "CAP_DAC_READ_SEARCH, or run as root"),
            ("/proc/sys/vm/x", "CAP_DAC_READ_SEARCH, or run as root"),
            ("/etc/iggy/key.pem", "CAP_DAC_READ_SEARCH, or run as root"),
        ] {
            assert_eq!(gap(&refused, path).unlock.as_deref(), Some(capability), "{path}");
        }
    }
}
