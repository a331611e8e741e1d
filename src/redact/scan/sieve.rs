//! The sieve: goes over a block once, 32 bytes at a time, and keeps the positions that are worth a look.
//!
//! Triggers, known secrets, mixed runs and `@` are all asked of the same bytes, with whatever vectors the processor has.
//! Invariant: what is kept depends on the bytes alone, not on where a block or a buffer begins, since every buffer begins
//! at a multiple of [`STRIDE`] bytes of its stream, and not on the processor.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the vectors of the processor")]

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x32};

use super::super::bytes::eight;
use super::super::literals::{AT_HAND, Literals, STEP};
use super::Why;
use super::buckets::{LANES, View, bits, halves};
use super::trigger::Probe;

/// Mixed runs are asked for at every multiple of so many bytes.
pub(in crate::redact) const STRIDE: usize = 8;
/// The lowest and the highest bit of each of four bytes.
const LOWEST: u32 = 0x0101_0101;
const HIGHEST: u32 = 0x80 * LOWEST;

/// What is looked for.
pub(super) struct Sieve<'a> {
    pub(super) probe: &'a Probe,
    pub(super) literals: Option<&'a Literals>,
}

/// What 32 bytes may hold.
struct Hits {
    /// A bit for every byte: a trigger.
    triggers: u32,
    /// A bit for every fourth byte: a known secret.
    literals: u32,
    /// The highest bit of every eight: they belong to a run of letters and digits of several classes.
    mixed: u32,
    /// A bit for every byte: `@`.
    signs: u32,
}

/// The bytes before a step, as far as they tell whether a word begins.
#[derive(Clone, Copy, Default)]
struct Before {
    /// The last one is a letter or a digit.
    in_word: bool,
    /// A bit for each of the last eight that begins an escape; the highest is the last.
    escapes: u8,
}

fn begins_escape(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | 0x1b)
}

impl Before {
    fn of(bytes: &[u8]) -> Self {
        let last = &bytes[bytes.len().saturating_sub(8)..];
        let escapes = last
            .iter()
            .rev()
            .zip((0..8).rev())
            .fold(0, |escapes, (byte, place)| escapes | u8::from(begins_escape(*byte)) << place);
        Self { in_word: last.last().is_some_and(u8::is_ascii_alphanumeric), escapes }
    }
}

/// What the bytes of a step are.
struct Classes {
    digits: u32,
    lower: u32,
    upper: u32,
    escapes: u32,
}

impl Classes {
    #[inline(always)]
    fn of<S: Simd>(simd: S, bytes: u8x32<S>) -> Self {
        let splat = |byte: u8| u8x32::splat(simd, byte);
        let within = |first: u8, last: u8| bits((bytes - splat(first)).simd_le(splat(last - first)));
        let is = |byte: u8| bytes.simd_eq(splat(byte));
        Self {
            digits: within(b'0', b'9'),
            lower: within(b'a', b'z'),
            upper: within(b'A', b'Z'),
            escapes: bits(is(b'\\') | is(b'%') | is(0x1b)),
        }
    }

    #[inline(always)]
    fn alphanumeric(&self) -> u32 {
        self.digits | self.lower | self.upper
    }

    /// Where a word may begin: behind what is neither letter nor digit, and behind an escape of JSON, of a URL or of a
    /// terminal, the longest of which begins seven bytes before its end.
    #[inline(always)]
    fn word_starts(&self, before: Before) -> u32 {
        let outside = !(self.alphanumeric() << 1 | u32::from(before.in_word));
        let escapes = u64::from(self.escapes) << 8 | u64::from(before.escapes);
        if escapes == 0 {
            return outside;
        }
        let near = (2..8).fold(0, |near, distance| near | escapes << distance) >> 8;
        outside | u32::try_from(near & u64::from(u32::MAX)).expect("32 bits")
    }

    /// The highest bit of every eight that are letters and digits, of more than one kind. A run of fifteen such
    /// characters holds eight that begin at a multiple of eight.
    #[inline(always)]
    fn mixed(&self) -> u32 {
        let some = |kind: u32| (((kind & !HIGHEST) + !HIGHEST) | kind) & HIGHEST;
        let (digits, lower, upper) = (some(self.digits), some(self.lower), some(self.upper));
        !some(!self.alphanumeric()) & HIGHEST & (digits & (lower | upper) | lower & upper)
    }

    fn before_next(&self) -> Before {
        let escapes = u8::try_from(self.escapes >> 24).expect("eight bits");
        Before { in_word: self.alphanumeric() >> 31 == 1, escapes }
    }
}

impl Sieve<'_> {
    /// Appends the positions from `from` to `to` that are worth a look, in order.
    pub(super) fn positions(&self, bytes: &[u8], from: usize, to: usize, found: &mut Vec<(usize, Why)>) {
        dispatch!(Level::new(), simd => self.go_over(simd, bytes, from..to, found));
    }

    #[inline(always)]
    fn go_over<S: Simd>(&self, simd: S, bytes: &[u8], range: std::ops::Range<usize>, found: &mut Vec<(usize, Why)>) {
        // A known secret is told by a later byte than its first.
        let end = bytes.len().min(range.end + STEP - 1);
        let mut at = range.start / STRIDE * STRIDE;
        let mut before = Before::of(&bytes[..at.min(bytes.len())]);
        let mut last;
        while at < end {
            // The bytes of this step, and those that what begins in them goes on in.
            let hand: &[u8; AT_HAND] = if let Some(hand) = bytes[at..].first_chunk() {
                hand
            } else {
                last = [0; AT_HAND];
                last[..bytes.len() - at].copy_from_slice(&bytes[at..]);
                &last
            };
            let vector = |place: usize| u8x32::from_slice(simd, &hand[place..place + LANES]);
            let view: View<S> = std::array::from_fn(|place| halves(vector(place)));
            let classes = Classes::of(simd, vector(0));
            let words = self.probe.at_words.begin(simd, &view) & classes.word_starts(before);
            let hits = Hits {
                triggers: self.confirmed(hand, self.probe.anywhere.begin(simd, &view) | words),
                literals: self.literals.map_or(0, |literals| literals.bitmap().may_hold_any(simd, hand)),
                mixed: classes.mixed(),
                signs: bits(vector(0).simd_eq(u8x32::splat(simd, b'@'))),
            };
            if hits.triggers | hits.literals | hits.mixed | hits.signs != 0 {
                self.keep(bytes, at, &hits, &range, found);
            }
            before = classes.before_next();
            at += LANES;
        }
    }

    /// Those of the bits at whose places the table knows a pattern.
    #[inline(always)]
    fn confirmed(&self, hand: &[u8; AT_HAND], begins: u32) -> u32 {
        places(begins)
            .fold(0, |confirmed, place| confirmed | u32::from(self.probe.may_begin(eight(&hand[place..]))) << place)
    }

    #[inline(never)]
    fn keep(
        &self,
        bytes: &[u8],
        at: usize,
        hits: &Hits,
        range: &std::ops::Range<usize>,
        found: &mut Vec<(usize, Why)>,
    ) {
        let mut push = |position: usize, why: Why| {
            if range.contains(&position) {
                if found.last().is_none_or(|last| *last < (position, why)) {
                    found.push((position, why));
                    return;
                }
                let place = found.iter().rposition(|known| *known < (position, why)).map_or(0, |last| last + 1);
                found.insert(place, (position, why));
            }
        };
        for place in places(hits.triggers) {
            push(at + place, Why::Trigger);
        }
        for place in places(hits.literals) {
            for begin in self.literals.into_iter().flat_map(|literals| literals.around(bytes, at + place * STEP)) {
                push(begin, Why::Literal);
            }
        }
        for place in places(hits.mixed) {
            push(at + place / STRIDE * STRIDE, Why::Run);
        }
        for place in places(hits.signs) {
            push(at + place, Why::At);
        }
    }
}

/// The places of the bits that are set.
#[inline]
fn places(mut word: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = word.trailing_zeros() as usize;
        word &= word.wrapping_sub(1);
        (place < 32).then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::{Kinds, bounded};
    use super::super::buckets::WINDOW;
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

    /// Pseudorandom bytes of an alphabet that patterns, escapes and runs are made of.
    fn texts() -> impl Iterator<Item = Vec<u8>> {
        const PARTS: &[&str] = &[
            "pass",
            "KEY",
            "ghp_",
            "sk-",
            "\\n",
            "%3D",
            "\\u0026",
            "\u{1b}[31m",
            "iggy ",
            "ab ",
            "$6$",
            "@",
            "://",
            "aB3",
            "x",
            "7",
            " ",
            "_",
            "-",
            "\n",
            "\"",
            "\u{e9}",
            "token",
            "curl -u ",
            "AKIA",
            "9Zz",
            "eyJ",
            "\0",
        ];
        let mut state = 7_u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 40).expect("24 bits") % below
        };
        (0..400).map(move |_| (0..random(60)).map(|_| PARTS[random(PARTS.len())]).collect::<String>().into_bytes())
    }

    #[test]
    fn nothing_is_lost_and_every_machine_keeps_the_same() {
        let sieve = Sieve { probe: Probe::get(), literals: None };
        for text in texts() {
            let mut found = Vec::new();
            sieve.positions(&text, 0, text.len(), &mut found);
            assert!(found.is_sorted(), "{found:?}");
            for at in 0..text.len() {
                let wanted = sieve.probe.triggers(&text, at).any(|(trigger, length)| {
                    let goes_on =
                        length >= WINDOW || trigger.may_go_on(text.get(at + length).copied().unwrap_or_default());
                    goes_on && (!trigger.begins_a_word() || bounded(&text, at))
                });
                assert!(!wanted || found.contains(&(at, Why::Trigger)), "{at} of {:?}", String::from_utf8_lossy(&text));
                assert_eq!(found.contains(&(at, Why::At)), text[at] == b'@');
                let mixed = at % STRIDE == 0 && text.get(at..at + STRIDE).is_some_and(is_mixed);
                assert_eq!(found.contains(&(at, Why::Run)), mixed, "{at} of {:?}", String::from_utf8_lossy(&text));
            }
            let mut plain = Vec::new();
            dispatch!(Level::baseline(), simd => sieve.go_over(simd, &text, 0..text.len(), &mut plain));
            assert_eq!(found, plain);
            for from in (0..text.len()).step_by(STRIDE) {
                let mut later = Vec::new();
                sieve.positions(&text, from, text.len(), &mut later);
                assert!(later.iter().eq(found.iter().filter(|(at, _)| *at >= from)), "from {from}");
            }
        }
    }

    /// Letters and digits, of more than one kind.
    fn is_mixed(chunk: &[u8]) -> bool {
        let kinds = Kinds::of(chunk);
        kinds.other == 0 && (kinds.digit > 0 && kinds.letters() > 0 || kinds.upper > 0 && kinds.lower > 0)
    }
}
