//! Why a piece of data could not be redacted.

use std::io;

/// Why a piece of data could not be redacted. Whoever gets one must throw away what was written so far.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// The data could not be read.
    #[error("the data could not be read")]
    Read(#[source] io::Error),
    /// The result could not be written.
    #[error("the result could not be written")]
    Write(#[source] io::Error),
    /// Data that was read twice was not the same both times.
    #[error("the data changed between the two readings")]
    Changed,
    /// Data that has to be seen as a whole is larger than the limit.
    #[error("the data is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The data is in a form that is not read here.
    #[error("{0}")]
    Form(&'static str),
    /// The engine failed on it.
    #[error("the redaction engine failed on it")]
    Panicked,
    /// A planted secret was not masked: no result of this engine may be used.
    #[error("a planted secret was not masked")]
    Canary,
}
