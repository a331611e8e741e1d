//! What can go wrong with archives on disk.

use std::io;
use std::path::PathBuf;

/// Why an archive, the directory of archives or the key of links cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such archive.
    #[error("no archive at {0}")]
    Missing(PathBuf),
    /// The disk is full.
    #[error("no space left for {path}")]
    NoSpace {
        /// What was to be written.
        path: PathBuf,
    },
    /// The file system refused something else.
    #[error("{action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What came of it.
        #[source]
        source: io::Error,
    },
    /// Others than its owner can read the signing key.
    #[error("{0} must be readable by its owner alone (chmod 600)")]
    KeyExposed(PathBuf),
    /// The signing key is not what we write there.
    #[error("{0} does not hold signing keys")]
    KeyMalformed(PathBuf),
    /// The system gave no random numbers.
    #[error("random numbers for a signing key")]
    Random(#[source] getrandom::Error),
    /// It is no archive of ours, or it is damaged.
    #[error("not an archive of this program: {0}")]
    Foreign(&'static str),
    /// A digest in it is not what its manifest states.
    #[error("{0} differs from what the manifest states")]
    Digest(&'static str),
}

impl ArchiveError {
    /// What went wrong for someone who may not know where files are: without a path.
    #[must_use]
    pub fn without_paths(&self) -> String {
        match self {
            Self::Missing(_) => "it is not there".to_owned(),
            Self::NoSpace { .. } => "the disk is full".to_owned(),
            Self::Io { source, .. } => source.kind().to_string(),
            Self::Foreign(_) | Self::Digest(_) => "it is damaged".to_owned(),
            Self::KeyExposed(_) | Self::KeyMalformed(_) | Self::Random(_) => {
                "the signing key cannot be used".to_owned()
            }
        }
    }

    /// An I/O error of this action on this path.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path },
            _ => Self::Io { action, path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_may_know_names_no_path() {
        let path = || PathBuf::from("/var/lib/snapvisor/archives/7.zip");
        let refused = || io::Error::from(io::ErrorKind::PermissionDenied);
        for (error, expected) in [
            (ArchiveError::Missing(path()), "it is not there"),
            (ArchiveError::NoSpace { path: path() }, "the disk is full"),
            (ArchiveError::Io { action: "renaming", path: path(), source: refused() }, "permission denied"),
            (ArchiveError::KeyExposed(path()), "the signing key cannot be used"),
        ] {
            assert_eq!(error.without_paths(), expected);
        }
    }
}
