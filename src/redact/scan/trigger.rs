//! Triggers: one table of everything worth a second look, probed at every byte.
//!
//! Each trigger is a short pattern. Its first four bytes, with bit 0x20 set so that case does not matter, are hashed into
//! a bitmap of 32 KiB, which stays in the first-level cache; a hit leads to the few patterns of that hash.

use std::sync::OnceLock;

use super::{command, hashes, tokens};

/// Bits of a hash.
const HASH_BITS: u32 = 18;

/// What a pattern announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// Part of a name that may be that of a secret.
    Stem,
    /// A token of this place in the table.
    Token(usize),
    /// `BEGIN` of a PEM block.
    Pem,
    /// Base 64 of `-----BEGIN `.
    PemBase64,
    /// `://`, and how many bytes that is.
    Url(usize),
    /// `%3A%2F%2F`
    NestedUrl,
    /// A password verifier of this place in the table.
    Crypt(usize),
    /// A password verifier with a named scheme.
    Named(usize),
    /// A program of this place in the table.
    Command(usize),
    /// `Bearer `
    Bearer,
    /// `Basic `
    Basic,
    /// A JSON web token.
    Jwt,
    /// `:AA` of a Telegram bot's token.
    Telegram,
    /// `-us` of a Mailchimp key.
    Mailchimp,
    /// `pat` of an Airtable token.
    Airtable,
    /// `IDENTIFIED BY`
    Identified,
    /// `proctitle=` of the audit log.
    Proctitle,
    /// `argc=` of the audit log.
    Execve,
    /// `data` of a Kubernetes secret.
    Data,
    /// `SetCredential=`
    SetCredential,
}

/// Parts of names, any case. A name without one of these is never looked at.
const STEMS: &[&str] = &[
    "pass",
    "pwd",
    "psk",
    "_pw",
    "-pw",
    ".pw",
    "pw=",
    "pw:",
    "pw\"",
    "ndpw",
    "otpw",
    "erpw",
    "secr",
    "toke",
    "key",
    "cred",
    "auth",
    "cook",
    "sess",
    "sid",
    "sig",
    "encr",
    "seed",
    "otp",
    "community",
    "jwt",
    "bearer",
    "hmac",
    "salt",
    "pepper",
    "_pat",
    "private",
    "_sas",
    "_dek",
    "_kek",
    "assertion",
    "verifier",
    "mnemonic",
    "kennw",
    "contrase",
    "senha",
    "wachtw",
    "motde",
    "mdp",
    "heslo",
    "haslo",
    "has\u{142}o",
    "lozinka",
    "_pin",
    "pincode",
    "codes",
    "phrase",
    "license",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}",
    "\u{41f}\u{430}\u{440}\u{43e}\u{43b}",
    "\u{5bc6}\u{7801}",
    "\u{53e3}\u{4ee4}",
    "\u{30d1}\u{30b9}\u{30ef}",
    "\u{be44}\u{bc00}\u{bc88}",
    "de_passe",
];

/// Patterns that stand for themselves, any case.
const MARKS: &[(&str, Trigger)] = &[
    ("begin", Trigger::Pem),
    ("ls0tls1crudjti", Trigger::PemBase64),
    ("://", Trigger::Url(3)),
    (":\\/\\/", Trigger::Url(5)),
    ("%3a%2f%2f", Trigger::NestedUrl),
    ("bearer ", Trigger::Bearer),
    ("bearer%20", Trigger::Bearer),
    ("basic ", Trigger::Basic),
    ("eyj", Trigger::Jwt),
    (":aa", Trigger::Telegram),
    ("-us", Trigger::Mailchimp),
    ("pat", Trigger::Airtable),
    ("identified", Trigger::Identified),
    ("proctitle=", Trigger::Proctitle),
    ("argc=", Trigger::Execve),
    ("data", Trigger::Data),
    ("stringdata", Trigger::Data),
    ("setcredential", Trigger::SetCredential),
];

/// The table.
pub(super) struct Probe {
    bits: Vec<u64>,
    starts: Vec<u32>,
    entries: Vec<u16>,
    patterns: Vec<(&'static [u8], Trigger)>,
}

/// The four bytes as one word, without case.
fn folded(window: [u8; 4]) -> u32 {
    u32::from_le_bytes(window) | 0x2020_2020
}

fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize
}

impl Probe {
    /// The table of all triggers.
    pub(super) fn get() -> &'static Self {
        static PROBE: OnceLock<Probe> = OnceLock::new();
        PROBE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut patterns: Vec<(&'static [u8], Trigger)> = Vec::new();
        patterns.extend(STEMS.iter().map(|stem| (stem.as_bytes(), Trigger::Stem)));
        patterns.extend(MARKS.iter().map(|(mark, trigger)| (mark.as_bytes(), *trigger)));
        patterns
            .extend(tokens::TOKENS.iter().enumerate().map(|(at, token)| (token.prefix.as_bytes(), Trigger::Token(at))));
        patterns
            .extend(hashes::CRYPT.iter().enumerate().map(|(at, (prefix, _))| (prefix.as_bytes(), Trigger::Crypt(at))));
        patterns.extend(hashes::NAMED.iter().enumerate().map(|(at, prefix)| (prefix.as_bytes(), Trigger::Named(at))));
        patterns.extend(command::names().map(|(at, name)| (name.as_bytes(), Trigger::Command(at))));
        let mut pairs: Vec<(usize, u16)> = Vec::new();
        for (place, (pattern, trigger)) in patterns.iter().enumerate() {
            let place = u16::try_from(place).expect("there are fewer than 65,536 patterns");
            for word in words(pattern, *trigger) {
                pairs.push((hash(word), place));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut bits = vec![0_u64; 1 << (HASH_BITS - 6)];
        let mut starts = vec![0_u32; (1 << HASH_BITS) + 1];
        for (slot, _) in &pairs {
            bits[slot >> 6] |= 1 << (slot & 63);
            starts[slot + 1] += 1;
        }
        for slot in 0..1 << HASH_BITS {
            starts[slot + 1] += starts[slot];
        }
        Self { bits, starts, entries: pairs.into_iter().map(|(_, place)| place).collect(), patterns }
    }

    /// Appends the positions from `from` to `to` at which a pattern may begin.
    pub(super) fn positions(&self, bytes: &[u8], from: usize, to: usize, found: &mut Vec<usize>) {
        let end = bytes.len().min(to + 3);
        let Some(text) = bytes.get(from..end) else { return };
        let bits: &[u64; 1 << (HASH_BITS - 6)] = self.bits.as_slice().try_into().expect("the bitmap has this size");
        for (at, window) in text.array_windows::<4>().enumerate() {
            let slot = hash(folded(*window));
            if bits[slot >> 6] >> (slot & 63) & 1 != 0 {
                found.push(from + at);
            }
        }
    }

    /// The triggers whose patterns stand at `at`.
    pub(super) fn triggers<'a>(&'a self, bytes: &'a [u8], at: usize) -> impl Iterator<Item = (Trigger, usize)> + 'a {
        let window: [u8; 4] = bytes[at..at + 4].try_into().expect("four bytes");
        let slot = hash(folded(window));
        let range = self.starts[slot] as usize..self.starts[slot + 1] as usize;
        self.entries[range].iter().filter_map(move |place| {
            let (pattern, trigger) = self.patterns[usize::from(*place)];
            let text = bytes.get(at..at + pattern.len())?;
            let exact = matches!(trigger, Trigger::Token(_) | Trigger::Crypt(_) | Trigger::Command(_));
            (if exact { text == pattern } else { text.eq_ignore_ascii_case(pattern) })
                .then_some((trigger, pattern.len()))
        })
    }
}

/// The folded words with which a pattern may begin: all continuations of one that is shorter than four bytes.
fn words(pattern: &[u8], trigger: Trigger) -> Vec<u32> {
    let body = |byte: u8| match trigger {
        Trigger::Token(place) => tokens::TOKENS[place].body.has(byte),
        Trigger::Command(_) => matches!(byte, b' ' | b'\t' | b'"' | b'\'') || pattern.len() == 2,
        _ => true,
    };
    let any: Vec<u8> = (0..=255).filter(|byte| body(*byte)).collect();
    let mut words: Vec<u32> = match *pattern {
        [a, b, c, d, ..] => vec![folded([a, b, c, d])],
        [a, b, c] => any.iter().map(|d| folded([a, b, c, *d])).collect(),
        [a, b] => {
            let third: Vec<u8> = match trigger {
                Trigger::Command(_) => vec![b' ', b'\t', b'"', b'\''],
                _ => any.clone(),
            };
            third.iter().flat_map(|c| any.iter().map(move |d| folded([a, b, *c, *d]))).collect()
        }
        _ => Vec::new(),
    };
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_in_any_case_and_at_any_place() {
        let probe = Probe::get();
        for (text, place, wanted) in [
            ("xx PassWord=1", 3, Trigger::Stem),
            ("a KEY: b", 2, Trigger::Stem),
            ("see http://x", 8, Trigger::Url(3)),
            ("-----BEGIN RSA", 5, Trigger::Pem),
        ] {
            let mut found = Vec::new();
            probe.positions(text.as_bytes(), 0, text.len(), &mut found);
            assert!(found.contains(&place), "{text}: {found:?}");
            assert!(probe.triggers(text.as_bytes(), place).any(|(trigger, _)| trigger == wanted), "{text}");
        }
    }

    #[test]
    fn the_table_is_sparse_enough_to_be_fast() {
        let set: u32 = Probe::get().bits.iter().map(|word| word.count_ones()).sum();
        assert!(set < 10_000, "{set} of 262,144 bits are set");
    }
}
