//! A secret that was learned.

use zeroize::Zeroizing;

use super::pseudonym::Class;
use super::span::{Rule, Seed};

/// A secret that was learned: its bytes, and where from.
pub(super) struct Secret {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) class: Class,
    pub(super) rule: Rule,
    pub(super) seed: Seed,
}
