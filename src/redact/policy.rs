//! [`Redacted`] text and the policies that may make it.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Engine;
use crate::domain::snapshot::Redaction;

/// Proof that a snapshot asked for clear text and that its node allows it.
#[derive(Debug, Clone, Copy)]
pub struct UnredactedConsent {
    _private: (),
}

impl UnredactedConsent {
    /// The proof, when `asked` is for clear text and `allowed` (the node's `snapshot.allow_unredacted`) permits it.
    #[must_use]
    pub fn given(asked: Redaction, allowed: Redaction) -> Option<Self> {
        (asked == Redaction::Unredacted && allowed == Redaction::Unredacted).then_some(Self { _private: () })
    }
}

/// Proof that a text was read from the report of an archive of ours whose digest was right.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedArchive {
    _private: (),
}

impl VerifiedArchive {
    /// The proof, when the digest of what was read is the one that the archive's manifest states.
    #[must_use]
    pub fn matching(stated_sha256: &str, read_sha256: &str) -> Option<Self> {
        (!stated_sha256.is_empty() && stated_sha256 == read_sha256).then_some(Self { _private: () })
    }
}

/// Why a text may leave the node.
#[derive(Debug, Clone, Copy)]
pub enum Policy<'a> {
    /// It goes through the engine.
    Redact(&'a Engine),
    /// It goes as it is, since it was asked for and allowed.
    Passthrough(UnredactedConsent),
    /// It was redacted when its archive was made.
    FromVerifiedArchive(VerifiedArchive),
}

/// Text that may leave the node.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redacted<T>(T);

impl Redacted<String> {
    /// `text` as the policy lets it out.
    #[must_use]
    pub fn new(text: String, policy: &Policy<'_>) -> Self {
        match policy {
            Policy::Redact(engine) => Self(engine.text(&text)),
            Policy::Passthrough(_) | Policy::FromVerifiedArchive(_) => Self(text),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Redacted<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Redacted<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Redacted<String> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
