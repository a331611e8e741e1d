//! The sieve: goes over a block once, eight bytes at a time, and keeps the positions that are worth a look.
//!
//! Triggers, known secrets, mixed runs and `@` are all asked of the same two words, and almost every eight bytes are let go
//! by one branch. Invariant: what is kept depends on the bytes alone, not on where a block or a buffer begins, since
//! every buffer begins at a multiple of eight bytes of its stream.

use super::super::literals::{Bitmap, Literals, STEP};
use super::Why;
use super::trigger::{Probe, eight, packed};
use super::words;

/// Bytes that are looked at together.
pub(in crate::redact) const STRIDE: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7F * ONES;

/// What is looked for.
pub(super) struct Sieve<'a> {
    pub(super) probe: &'a Probe,
    pub(super) literals: Option<&'a Literals>,
}

/// What eight bytes may hold.
struct Hits {
    /// A bit for every second byte: a trigger.
    triggers: u64,
    /// A bit for every fourth byte: a known secret.
    literals: u64,
    /// A run of letters and digits of several kinds.
    mixed: u64,
    /// The high bit of every `@`.
    signs: u64,
}

impl Sieve<'_> {
    /// Appends the positions from `from` to `to` that are worth a look, in order.
    pub(super) fn positions(&self, bytes: &[u8], from: usize, to: usize, found: &mut Vec<(usize, Why)>) {
        let bitmap = self.literals.map_or(Bitmap::EMPTY, Literals::bitmap);
        // A probe at `to` may stand for the bytes before it.
        let end = bytes.len().min(to + 1);
        let mut at = from / STRIDE * STRIDE;
        let mut low = eight(bytes, at);
        let mut low_packed = packed(low);
        while at < end {
            let high = bytes
                .get(at + STRIDE..)
                .and_then(|rest| rest.first_chunk())
                .map_or_else(|| eight(bytes, at + STRIDE), |chunk| u64::from_le_bytes(*chunk));
            let high_packed = packed(high);
            let all = low_packed | high_packed << 48;
            let probe = self.probe;
            let hits = Hits {
                triggers: probe.may_begin(all)
                    | probe.may_begin(all >> 12) << 1
                    | probe.may_begin(all >> 24) << 2
                    | probe.may_begin(all >> 36) << 3,
                literals: bitmap.may_hold(low) | bitmap.may_hold(low >> 32 | high << 32) << 1,
                mixed: words::is_mixed(low),
                signs: holds(low, b'@'),
            };
            if hits.triggers | hits.literals | hits.mixed | hits.signs != 0 {
                self.keep(bytes, at, &hits, from..to, found);
            }
            (low, low_packed) = (high, high_packed);
            at += STRIDE;
        }
    }

    #[inline(never)]
    fn keep(&self, bytes: &[u8], at: usize, hits: &Hits, range: std::ops::Range<usize>, found: &mut Vec<(usize, Why)>) {
        let mut push = |position: usize, why: Why| {
            if range.contains(&position) {
                let place = found.iter().rposition(|known| *known < (position, why)).map_or(0, |last| last + 1);
                found.insert(place, (position, why));
            }
        };
        for place in bits(hits.triggers) {
            let place = at + place * 2;
            let [here, before] = self.probe.begins(bytes, place);
            if before {
                push(place - 1, Why::Trigger);
            }
            if here {
                push(place, Why::Trigger);
            }
        }
        for place in bits(hits.literals) {
            for begin in self.literals.into_iter().flat_map(|literals| literals.around(bytes, at + place * STEP)) {
                push(begin, Why::Literal);
            }
        }
        if hits.mixed != 0 {
            push(at, Why::Run);
        }
        for place in bits(hits.signs) {
            push(at + place / 8, Why::At);
        }
    }
}

/// The places of the bits that are set.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = word.trailing_zeros() as usize;
        word &= word.wrapping_sub(1);
        (place < 64).then_some(place)
    })
}

/// The high bit of every byte that is this one.
fn holds(word: u64, byte: u8) -> u64 {
    let other = word ^ (ONES * u64::from(byte));
    !(((other & LOW) + LOW) | other | LOW)
}

#[cfg(test)]
mod tests {
    use super::super::trigger::Trigger;
    use super::*;

    #[test]
    fn a_pattern_is_found_in_any_case_at_any_place_and_from_anywhere() {
        let sieve = Sieve { probe: Probe::get(), literals: None };
        for (text, wanted) in [
            ("PassWord=1", Trigger::Stem),
            ("KEY: b", Trigger::Stem),
            ("://x", Trigger::Url(3)),
            ("BEGIN RSA", Trigger::Pem),
            ("key", Trigger::Stem),
        ] {
            for place in 0..20 {
                let text = format!("{}{text}", " ".repeat(place));
                for from in 0..=place {
                    let mut found = Vec::new();
                    sieve.positions(text.as_bytes(), from, text.len(), &mut found);
                    assert!(
                        found.contains(&(place, Why::Trigger)) && found.is_sorted(),
                        "{text} from {from}: {found:?}"
                    );
                    found.clear();
                    sieve.positions(text.as_bytes(), from, place, &mut found);
                    assert!(!found.contains(&(place, Why::Trigger)), "{text} up to {place}: {found:?}");
                }
                assert!(sieve.probe.triggers(text.as_bytes(), place).any(|(trigger, _)| trigger == wanted), "{text}");
            }
        }
    }

    #[test]
    fn every_sign_is_seen() {
        for text in ["@@@@@@@@@@", "a@b@@\u{0}@", "?A\u{c0}@", "x"] {
            let mut found = Vec::new();
            Sieve { probe: Probe::get(), literals: None }.positions(text.as_bytes(), 0, text.len(), &mut found);
            let signs: Vec<_> = found.iter().filter(|(_, why)| *why == Why::At).map(|(at, _)| *at).collect();
            assert_eq!(
                signs,
                text.bytes().enumerate().filter(|(_, byte)| *byte == b'@').map(|(at, _)| at).collect::<Vec<_>>()
            );
        }
    }
}
