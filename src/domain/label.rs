//! What was done to an entry of `iggy-data.zip`: one word in the manifest and in the report.

use serde::{Deserialize, Serialize};

/// What was done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// All of it went through the redactor, or it can hold no secret: numbers, by its checked shape.
    Full,
    /// A binary whose password hashes were overwritten at equal length.
    Altered,
    /// Searched for every known secret and token: none found, copied byte for byte.
    Scanned,
    /// Copied byte for byte and not searched: payloads of messages, or clear text that was asked for.
    NotRedacted,
    /// A secret as a whole (a private key, a key store): a note stands in its place.
    Excluded,
    /// It could not be read or redacted: a note stands in its place.
    Failed,
}
