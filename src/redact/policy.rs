//! [`Redacted`] text and the policies that may make it.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Engine;
use crate::domain::hex::hex;
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

/// Proof that bytes are those of which an archive's manifest states the digest.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedArchive {
    _private: (),
}

impl VerifiedArchive {
    /// The proof, when `bytes` have this SHA-256, in hexadecimal digits.
    #[must_use]
    pub fn of(stated_sha256: &str, bytes: &[u8]) -> Option<Self> {
        (stated_sha256 == hex(&Sha256::digest(bytes))).then_some(Self { _private: () })
    }
}

/// Why a text may leave the node.
#[derive(Debug, Clone, Copy)]
pub enum Policy<'a> {
    /// It goes through the engine.
    Redact(&'a Engine),
    /// It goes as it is, since it was asked for and allowed.
    Passthrough(UnredactedConsent),
    /// It stands in a finished archive, which says of itself whether it was masked: the text is shown as that snapshot was
    /// asked to keep it.
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

    /// The name of a file, or a path, as the policy has it.
    #[must_use]
    pub fn name(name: String, policy: &Policy<'_>) -> Self {
        match policy {
            Policy::Redact(engine) => Self(engine.name(&name)),
            Policy::Passthrough(_) | Policy::FromVerifiedArchive(_) => Self(name),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bytes_whose_digest_is_stated_are_proven() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(VerifiedArchive::of(abc, b"abc").is_some());
        for (stated, bytes) in [(abc, &b"abd"[..]), (&abc[1..], b"abc"), ("", b""), ("", b"abc")] {
            assert!(VerifiedArchive::of(stated, bytes).is_none(), "{stated}");
        }
    }
}
