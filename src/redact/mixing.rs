//! A hasher for keys that are spread already or come from nobody who would choose them: tags, and heads of secrets.

use std::hash::{BuildHasherDefault, Hasher};

use super::bytes::eight;

/// Builds [`Mixing`] hashers.
pub(super) type Mixed = BuildHasherDefault<Mixing>;

/// One multiplication for eight bytes.
#[derive(Default)]
pub(super) struct Mixing(u64);

impl Hasher for Mixing {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.write_u64(eight(chunk));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
