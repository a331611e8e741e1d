//! The bitmap of known secrets: whether one may stand around a position, asked of eight positions at once.
//!
//! Five bytes are hashed. A part of the hash says which word they belong to, two more which bits of it they set: a word of
//! a bitmap whose size goes by the number of patterns is as good as empty.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the vectors of the processor")]

use fearless_simd::prelude::*;
use fearless_simd::{Simd, u8x32, u32x8};

use super::{HEAD, STEP};

/// Positions that are asked about together, and the bytes that they and what begins at the last of them take.
const LANES: usize = 8;
pub(in crate::redact) const AT_HAND: usize = LANES * STEP + HEAD;
/// Words of the bitmap, two a pattern: at least and at most 2 KiB and 2 MiB.
const WORDS_MIN: usize = 1 << 9;
const WORDS_MAX: usize = 1 << 19;
/// Odd numbers whose products spread what goes in.
const NEAR: u32 = 0x9E37_79B1;
const FIFTH: u32 = 0x85EB_CA6B;
const LAST: u32 = 0xC2B2_AE35;

const _: () = assert!(cfg!(target_endian = "little"), "bytes are read as numbers, the first one lowest");

/// The bitmap.
pub(in crate::redact) struct Bitmap {
    words: Vec<u32>,
    /// What is left of a hash, shifted right by this, is the place of a word.
    shift: u32,
}

impl Bitmap {
    /// An empty one for so many patterns.
    pub(super) fn new(patterns: usize) -> Self {
        let words = (patterns * 2).next_power_of_two().clamp(WORDS_MIN, WORDS_MAX);
        Self { words: vec![0; words], shift: u32::BITS - words.trailing_zeros() }
    }

    /// Notes that a pattern may stand around bytes that begin like these.
    pub(super) fn mark(&mut self, bytes: u64) {
        let (place, marks) = self.place_and_marks(bytes);
        self.words[place] |= marks;
    }

    /// Whether a pattern may stand around the first of these bytes.
    pub(super) fn may_hold(&self, bytes: u64) -> bool {
        let (place, marks) = self.place_and_marks(bytes);
        self.words[place] & marks == marks
    }

    fn place_and_marks(&self, bytes: u64) -> (usize, u32) {
        let [near, next] = [bytes, bytes >> 32].map(|half| u32::try_from(half & u64::from(u32::MAX)).expect("32 bits"));
        let hash = (near ^ (next & 0xFF).wrapping_mul(FIFTH)).wrapping_mul(NEAR);
        let hash = (hash ^ hash >> 15).wrapping_mul(LAST);
        ((hash >> self.shift) as usize, 1 << (hash >> 7 & 31) | 1 << (hash >> 2 & 31))
    }

    /// [`may_hold`](Self::may_hold) of every fourth position: a bit for each.
    #[inline(always)]
    pub(in crate::redact) fn may_hold_any<S: Simd>(&self, simd: S, bytes: &[u8; AT_HAND]) -> u32 {
        let numbers = |place: usize| -> u32x8<S> { u8x32::from_slice(simd, &bytes[place..][..LANES * STEP]).bitcast() };
        let hash = (numbers(0) ^ ((numbers(STEP) & 0xFF) * FIFTH)) * NEAR;
        let hash = (hash ^ hash >> 15) * LAST;
        let one = u32x8::splat(simd, 1);
        let marks = one << (hash >> 7 & 31) | one << (hash >> 2 & 31);
        let places = (hash >> self.shift).to_array();
        let words = u32x8::from_fn(simd, |lane| self.words[places[lane] as usize]);
        u32::try_from((words & marks).simd_eq(marks).to_bitmask()).expect("there are eight lanes")
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[test]
    fn eight_positions_at_once_are_as_one_by_one() {
        let mut bitmap = Bitmap::new(4);
        for number in 0..100_u64 {
            bitmap.mark(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        }
        let mut held = 0;
        for start in 0..100_u64 {
            let bytes: [u8; AT_HAND] = std::array::from_fn(|at| {
                start.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(at as u64 / 8 * start).to_le_bytes()[at % 8]
            });
            let one_by_one = (0..LANES).fold(0, |bits, lane| {
                let window = u64::from_le_bytes(*bytes[lane * STEP..].first_chunk().expect("eight bytes"));
                bits | u32::from(bitmap.may_hold(window)) << lane
            });
            held += one_by_one.count_ones();
            for level in [Level::new(), Level::baseline()] {
                assert_eq!(dispatch!(level, simd => bitmap.may_hold_any(simd, &bytes)), one_by_one);
            }
        }
        assert!((100..400).contains(&held), "{held} of 800");
    }
}
