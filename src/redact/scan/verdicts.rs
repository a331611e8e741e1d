//! What names say, remembered.

use std::hash::Hasher as _;

use super::super::mixing::Mixing;
use super::super::settings::Compiled;
use super::name::{Verdict, classify};

/// Bytes of a name whose verdict is remembered, and how many are.
const KNOWN_NAME_BYTES: usize = 40;
const KNOWN_NAMES: usize = 512;

/// Verdicts of names that were met: logs repeat a few hundred.
#[derive(Debug, Default)]
pub(super) struct Verdicts(Vec<Known>);

#[derive(Debug, Clone, Copy)]
struct Known {
    name: [u8; KNOWN_NAME_BYTES],
    length: u8,
    verdict: Verdict,
}

impl Verdicts {
    /// [`classify`], from memory if it can be.
    pub(super) fn of(&mut self, name: &[u8], rules: &Compiled) -> Verdict {
        if name.len() > KNOWN_NAME_BYTES {
            return classify(name, rules);
        }
        if self.0.is_empty() {
            self.0 = vec![Known { name: [0; KNOWN_NAME_BYTES], length: 0, verdict: Verdict::No }; KNOWN_NAMES];
        }
        let mut hasher = Mixing::default();
        hasher.write(name);
        let place = usize::try_from(hasher.finish() % KNOWN_NAMES as u64).expect("there are few places");
        // Two names may share a place, the one met last before the other.
        let pair = &mut self.0[place & !1..][..2];
        let is = |known: &Known| usize::from(known.length) == name.len() && &known.name[..name.len()] == name;
        if !is(&pair[0]) {
            pair.swap(0, 1);
        }
        let known = &mut pair[0];
        if !is(known) {
            known.verdict = classify(name, rules);
            known.name[..name.len()].copy_from_slice(name);
            known.length = u8::try_from(name.len()).expect("it is short");
        }
        known.verdict
    }
}
