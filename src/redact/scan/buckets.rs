//! Buckets: where a pattern may begin, asked of 32 positions at once.
//!
//! The patterns are dealt into buckets, eight to a group. For each of the first four bytes two tables say, by the lower and
//! the higher half of a byte, to which buckets it may belong: a byte that belongs to a bucket by both halves at all four
//! places may begin one of its patterns. It is the method of Hyperscan's Teddy, without what finds out which pattern it
//! is: [`Probe`](super::trigger::Probe) knows.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the vectors of the processor")]

use std::collections::HashSet;

use fearless_simd::prelude::*;
use fearless_simd::{Simd, u8x32};

/// Bytes of a pattern that are looked at.
pub(super) const WINDOW: usize = 4;
/// Positions that are asked about together.
pub(super) const LANES: usize = 32;
/// Buckets of a group: bits of a byte.
const PER_GROUP: usize = 8;
/// Times that every pattern may move to a better bucket.
const ROUNDS: usize = 12;

/// How often bytes are met in logs and settings, in thousandths: small letters, capitals, digits. Others once at most, but
/// for some signs.
const SMALL: [u8; 26] = [23, 6, 19, 25, 66, 13, 18, 10, 31, 1, 3, 17, 15, 29, 33, 10, 2, 29, 46, 33, 14, 8, 2, 2, 7, 1];
const CAPITALS: [u8; 26] = [7, 2, 3, 3, 6, 3, 3, 2, 6, 1, 1, 3, 2, 6, 5, 2, 1, 5, 7, 9, 4, 1, 2, 1, 1, 4];
const DIGITS: [u8; 10] = [56, 25, 32, 20, 19, 12, 16, 10, 15, 10];
const SIGNS: &[(u8, u8)] = &[
    (b'\n', 13),
    (b' ', 105),
    (b'"', 19),
    (b',', 8),
    (b'-', 19),
    (b'.', 14),
    (b'/', 6),
    (b':', 32),
    (b'=', 8),
    (b'[', 2),
    (b']', 2),
    (b'_', 5),
];

/// By higher and lower half.
const WEIGHTS: [[u8; 16]; 16] = {
    let mut weights = [[1; 16]; 16];
    let mut byte = 0_u8;
    while byte < 128 {
        weights[(byte / 16) as usize][(byte % 16) as usize] = match byte {
            small @ b'a'..=b'z' => SMALL[(small - b'a') as usize],
            capital @ b'A'..=b'Z' => CAPITALS[(capital - b'A') as usize],
            digit @ b'0'..=b'9' => DIGITS[(digit - b'0') as usize],
            _ => 1,
        };
        byte += 1;
    }
    let mut sign = 0;
    while sign < SIGNS.len() {
        let (byte, weight) = SIGNS[sign];
        weights[(byte / 16) as usize][(byte % 16) as usize] = weight;
        sign += 1;
    }
    weights
};

/// For each higher half, and each set of the first eight and of the last eight lower halves, the sum of their weights.
static SUMS: [[[u16; 256]; 2]; 16] = {
    let mut sums = [[[0; 256]; 2]; 16];
    let mut at = 0;
    while at < 16 * 2 * 256 {
        let (row, side, set) = (at / 512, at / 256 % 2, at % 256);
        let mut low = 0;
        while low < 8 {
            if set >> low & 1 == 1 {
                sums[row][side][set] += WEIGHTS[row][8 * side + low] as u16;
            }
            low += 1;
        }
        at += 1;
    }
    sums
};

/// The bytes that may stand at one place, by their halves: a bit for each that a half may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Halves {
    low: u16,
    high: u16,
}

impl Halves {
    pub(super) fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        bytes
            .into_iter()
            .fold(Self::default(), |halves, byte| halves.and(Self { low: 1 << (byte & 15), high: 1 << (byte >> 4) }))
    }

    fn and(self, other: Self) -> Self {
        Self { low: self.low | other.low, high: self.high | other.high }
    }

    fn weight(self) -> u64 {
        let [low, high] = self.low.to_le_bytes();
        let row =
            |half: usize| u64::from(SUMS[half][0][usize::from(low)]) + u64::from(SUMS[half][1][usize::from(high)]);
        (0..16).filter(|half| self.high >> half & 1 == 1).map(row).sum()
    }
}

/// The first bytes of a pattern.
pub(super) type Window = [Halves; WINDOW];

fn together(one: &Window, other: &Window) -> Window {
    std::array::from_fn(|place| one[place].and(other[place]))
}

/// How often bytes fit, in no unit.
fn cost(window: &Window) -> u64 {
    window.iter().map(|halves| halves.weight()).product()
}

/// Patterns in so many groups of eight buckets.
pub(super) struct Buckets<const GROUPS: usize>([Group; GROUPS]);

/// The tables of eight buckets; each stands there twice, since vectors of 32 bytes are looked up in halves.
struct Group {
    low: [[u8; LANES]; WINDOW],
    high: [[u8; LANES]; WINDOW],
}

/// The halves of 32 bytes each, from four positions that follow each other.
pub(super) type View<S> = [(u8x32<S>, u8x32<S>); WINDOW];

impl<const GROUPS: usize> Buckets<GROUPS> {
    /// Deals out patterns: each goes where it costs least, the most frequent ones first, and may move when all are dealt.
    pub(super) fn new(mut windows: Vec<Window>) -> Self {
        let mut known = HashSet::new();
        windows.retain(|window| known.insert(*window));
        windows.sort_by_key(|window| std::cmp::Reverse(cost(window)));
        let mut buckets = vec![Window::default(); GROUPS * PER_GROUP];
        let mut places = vec![usize::MAX; windows.len()];
        for _ in 0..ROUNDS {
            let before = places.clone();
            for at in 0..windows.len() {
                let left = places[at];
                places[at] = usize::MAX;
                if let Some(bucket) = buckets.get_mut(left) {
                    let stay = windows.iter().zip(&places).filter(|(_, place)| **place == left);
                    *bucket = stay.fold(Window::default(), |bucket, (window, _)| together(&bucket, window));
                }
                let more = |bucket: &Window| cost(&together(bucket, &windows[at])) - cost(bucket);
                let best = (0..buckets.len()).min_by_key(|place| more(&buckets[*place])).expect("there are buckets");
                buckets[best] = together(&buckets[best], &windows[at]);
                places[at] = best;
            }
            if places == before {
                break;
            }
        }
        Self(std::array::from_fn(|group| Group::new(&buckets[group * PER_GROUP..][..PER_GROUP])))
    }

    /// A bit for each of the 32 positions at which a pattern may begin.
    #[inline(always)]
    pub(super) fn begin<S: Simd>(&self, simd: S, view: &View<S>) -> u32 {
        let mut some = u8x32::splat(simd, 0);
        for group in &self.0 {
            let mut fits = u8x32::splat(simd, 0xFF);
            for ((low, high), halves) in group.low.iter().zip(&group.high).zip(view) {
                let low = u8x32::load_array_ref(simd, low).swizzle_dyn_within_blocks(halves.0);
                let high = u8x32::load_array_ref(simd, high).swizzle_dyn_within_blocks(halves.1);
                fits = fits & low & high;
            }
            some |= fits;
        }
        bits(some.simd_ne(u8x32::splat(simd, 0)))
    }
}

impl Group {
    fn new(buckets: &[Window]) -> Self {
        let table = |half_of: &dyn Fn(&Window) -> u16| -> [u8; LANES] {
            std::array::from_fn(|lane| {
                let fits = |window: &Window| half_of(window) >> (lane % 16) & 1 == 1;
                buckets.iter().enumerate().fold(0, |bits, (bucket, window)| bits | u8::from(fits(window)) << bucket)
            })
        };
        Self {
            low: std::array::from_fn(|place| table(&|window| window[place].low)),
            high: std::array::from_fn(|place| table(&|window| window[place].high)),
        }
    }
}

/// The halves of 32 bytes.
#[inline(always)]
pub(super) fn halves<S: Simd>(bytes: u8x32<S>) -> (u8x32<S>, u8x32<S>) {
    (bytes & 15, bytes >> 4)
}

/// A bit for each of 32 lanes that is set.
#[inline(always)]
pub(super) fn bits<S: Simd>(mask: fearless_simd::mask8x32<S>) -> u32 {
    u32::try_from(mask.to_bitmask()).expect("there are 32 lanes")
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[test]
    fn every_pattern_is_found_at_every_place_and_whatever_the_machine_can_do() {
        let words = [*b"pass", *b"tokn", *b"keys", *b"\xFFab\0", *b"://x", *b"    "];
        let windows = words.iter().map(|word| word.map(|byte| Halves::of([byte]))).collect();
        let buckets = Buckets::<2>::new(windows);
        for level in [Level::new(), Level::baseline()] {
            for word in words {
                for place in 0..LANES {
                    let mut text = [b'_'; LANES + WINDOW];
                    text[place..place + WINDOW].copy_from_slice(&word);
                    let begins = dispatch!(level, simd => {
                        let view = std::array::from_fn(|at| halves(u8x32::from_slice(simd, &text[at..at + LANES])));
                        buckets.begin(simd, &view)
                    });
                    assert_eq!(begins, 1 << place, "{word:?} at {place}");
                }
            }
        }
    }
}
