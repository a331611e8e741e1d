//! What can go wrong as a whole; what goes wrong with one file is listed in the manifest instead.

use std::io;

/// Why there is no bundle or no archive.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The data directory cannot be opened.
    #[error("data directory")]
    Directory(#[source] io::Error),
    /// Writing the ZIP failed.
    #[error("writing the archive")]
    Write(#[source] io::Error),
    /// Reading back what was written failed.
    #[error("reading the archive back")]
    ReadBack(#[source] io::Error),
    /// The ZIP's own structure failed.
    #[error("the archive's structure")]
    Zip(#[source] zip::result::ZipError),
    /// What was read back is not what was written.
    #[error("the archive as written is damaged: {0}")]
    Damaged(&'static str),
    /// The policy is not one for data that is read now.
    #[error("proof of an archive does not cover a live directory")]
    Policy,
    /// A worker died.
    #[error("a compression worker died")]
    Worker,
}

impl From<zip::result::ZipError> for BundleError {
    /// A full disk is told as what it is, and once.
    fn from(error: zip::result::ZipError) -> Self {
        match error {
            zip::result::ZipError::Io(error) => Self::Write(error),
            error => Self::Zip(error),
        }
    }
}
