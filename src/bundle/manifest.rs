//! The manifest: what each file is, its size and SHA-256, and what was left out and why.
//!
//! It is the last file of an archive and written from what really happened. Names come from the host and are redacted.

use serde::{Serialize, Serializer};

use crate::domain::hex::hex;
pub use crate::domain::label::Label;
use crate::domain::snapshot::SnapshotOptions;
use crate::domain::time::Timestamp;
use crate::redact::Redacted;

/// The version of the manifest's shape; grows when a reader would have to know.
pub const SCHEMA: u32 = 1;

/// Why something is not in the bundle, or only in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The limit on the bundle's size.
    Budget,
    /// The snapshot's deadline.
    Deadline,
    /// The disk would have fallen below its reserve.
    Space,
    /// It was gone, or replaced, when its turn came.
    Vanished,
    /// It shrank while it was read.
    Shrank,
    /// The kernel refused it.
    Unreadable,
    /// It is a secret as a whole.
    Secret,
    /// It could not be redacted.
    Redaction,
    /// It holds payloads, and those were not to be copied.
    Payloads,
    /// A socket, pipe or device.
    Special,
    /// A symbolic link: recorded, never followed.
    Symlink,
    /// There were more names than are taken.
    Limit,
}

impl Reason {
    /// The word in the manifest and the report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Deadline => "deadline",
            Self::Space => "space",
            Self::Vanished => "vanished",
            Self::Shrank => "shrank",
            Self::Unreadable => "unreadable",
            Self::Secret => "secret",
            Self::Redaction => "redaction",
            Self::Payloads => "payloads",
            Self::Special => "special",
            Self::Symlink => "symlink",
            Self::Limit => "limit",
        }
    }

    /// Whether it makes a bundle partial: what was never to be bundled does not.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        !matches!(self, Self::Secret | Self::Payloads | Self::Special | Self::Symlink)
    }
}

/// A SHA-256, shown in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sha256Digest(pub [u8; 32]);

impl std::fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl Serialize for Sha256Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A part of a file is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Why.
    pub reason: Reason,
    /// Bytes that the file had when it was found.
    pub of_bytes: u64,
}

/// An entry of `iggy-data.zip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name in the ZIP.
    pub name: Redacted<String>,
    /// What it is, in our words.
    pub role: &'static str,
    /// Bytes before compression.
    pub size_bytes: u64,
    /// SHA-256 of them.
    pub sha256: Sha256Digest,
    /// What was done to it.
    pub redaction: Label,
    /// What is missing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// Something that is not in `iggy-data.zip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path below the data directory.
    pub path: Redacted<String>,
    /// Why.
    pub reason: Reason,
    /// More about it; where a link points.
    pub detail: Redacted<String>,
    /// Its bytes, if it is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Its permissions, in octal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `user:group`, as numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What became of the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataSection {
    /// Iggy's layout: `0.8`, `0.9 (edge)`, `unknown layout`.
    pub layout: &'static str,
    /// Whether anything that should be in it is missing.
    pub complete: bool,
    /// Bytes of all entries before compression.
    pub size_bytes: u64,
    /// Names beyond the limit on names, which are not even listed.
    pub names_dropped: u64,
    /// The entries, in the ZIP's order.
    pub entries: Vec<Entry>,
    /// What is not in it.
    pub left_out: Vec<LeftOut>,
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRecord {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Its bytes.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub sha256: Sha256Digest,
}

/// Who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Our name.
    pub name: &'static str,
    /// Our version.
    pub version: &'static str,
}

/// This program.
pub const PRODUCT: Product = Product { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };

/// Which snapshot this is. Ids are strings, since they exceed what JavaScript can count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// `snapshot-YYYYMMDD-HHMMSS`.
    pub name: String,
    /// The node.
    pub node_name: Redacted<String>,
    /// The deployment.
    pub deployment_name: Redacted<String>,
    /// The node's id, when it has one.
    pub node_id: Option<String>,
    /// The deployment's id, when it has one.
    pub deployment_id: Option<String>,
    /// When the snapshot was triggered.
    pub created_at: Timestamp,
    /// What was asked for.
    pub options: SnapshotOptions,
    /// Hash of the redaction rules that were in force.
    pub ruleset: String,
    /// Sentences about what the snapshot as a whole lacks.
    pub left_out: Vec<Redacted<String>>,
}

/// `manifest.json`.
#[derive(Debug, Serialize)]
pub struct Manifest<'a> {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Who made it.
    pub product: Product,
    /// Which snapshot.
    pub snapshot: &'a About,
    /// The archive's other files.
    pub files: Vec<FileRecord>,
    /// What is in `iggy-data.zip`, when it was asked for and there is a data directory.
    pub iggy_data: Option<&'a DataSection>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_json_are_the_words_of_the_report() {
        for reason in [Reason::Budget, Reason::Unreadable, Reason::Symlink, Reason::Limit] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.word());
        }
        assert_eq!(serde_json::to_value(Label::NotRedacted).unwrap(), "not-redacted");
        assert_eq!(serde_json::to_value(Sha256Digest([0xab; 32])).unwrap(), "ab".repeat(32));
    }
}
