//! What names say, remembered.

use std::hash::Hasher as _;

use super::super::bytes::eight;
use super::super::mixing::Mixing;
use super::super::settings::Compiled;
use super::name::{Verdict, classify};

/// Words of eight bytes of a name whose verdict is remembered, and how many names are.
const KNOWN_NAME_WORDS: usize = 6;
const KNOWN_NAMES: usize = 512;

/// Verdicts of names that were met: logs repeat a few hundred.
#[derive(Debug, Default)]
pub(super) struct Verdicts(Vec<Known>);

#[derive(Debug, Clone, Copy)]
struct Known {
    name: [u64; KNOWN_NAME_WORDS],
    length: u8,
    verdict: Verdict,
}

impl Verdicts {
    /// [`classify`], from memory if it can be.
    pub(super) fn of(&mut self, name: &[u8], rules: &Compiled) -> Verdict {
        if name.len() > KNOWN_NAME_WORDS * size_of::<u64>() {
            return classify(name, rules);
        }
        if self.0.is_empty() {
            self.0 = vec![Known { name: [0; KNOWN_NAME_WORDS], length: 0, verdict: Verdict::No }; KNOWN_NAMES];
        }
        let length = u8::try_from(name.len()).expect("it is short");
        let (mut words, mut hasher) = ([0; KNOWN_NAME_WORDS], Mixing::default());
        for (word, chunk) in words.iter_mut().zip(name.chunks(size_of::<u64>())) {
            *word = eight(chunk);
            hasher.write_u64(*word);
        }
        let place = usize::try_from(hasher.finish() % KNOWN_NAMES as u64).expect("there are few places");
        // Two names may share a place, the one met last before the other.
        let pair = &mut self.0[place & !1..][..2];
        let is = |known: &Known| known.length == length && known.name == words;
        if !is(&pair[0]) {
            pair.swap(0, 1);
        }
        let known = &mut pair[0];
        if !is(known) {
            *known = Known { name: words, length, verdict: classify(name, rules) };
        }
        known.verdict
    }
}
