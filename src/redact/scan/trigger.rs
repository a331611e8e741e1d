//! Triggers: one table of everything worth a second look, probed at every second byte.
//!
//! Each trigger is a short pattern. Four of its bytes, with bit 0x20 set so that case does not matter, are hashed into a
//! bitmap: the first four, and the four after its first byte. So a probe at every second byte meets every pattern, and a
//! hit leads to the few patterns of that hash. Where a pattern has only three such bytes, these go into a second bitmap.
//! Both are 8 KiB, which stay in the first-level cache.

use std::sync::OnceLock;

use super::{command, hashes, tokens};

/// Bits of a hash.
const HASH_BITS: u32 = 16;
const HASHES: usize = 1 << HASH_BITS;

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
    /// By four bytes, and by three.
    fours: Table,
    threes: Table,
    patterns: Vec<(&'static [u8], Trigger)>,
}

/// The patterns of each hash.
struct Table {
    bits: Vec<u64>,
    starts: Vec<u16>,
    entries: Vec<Entry>,
}

impl Table {
    fn new(mut pairs: Vec<(usize, Entry)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut bits = vec![0_u64; HASHES / 64];
        let mut starts = vec![0_u16; HASHES + 1];
        for (slot, _) in &pairs {
            bits[slot >> 6] |= 1 << (slot & 63);
            starts[slot + 1] += 1;
        }
        for slot in 0..HASHES {
            starts[slot + 1] += starts[slot];
        }
        Self { bits, starts, entries: pairs.into_iter().map(|(_, entry)| entry).collect() }
    }

    fn bits(&self) -> &[u64; HASHES / 64] {
        self.bits.as_slice().try_into().expect("the bitmap has this size")
    }

    /// The patterns of a hash.
    fn list(&self, slot: usize) -> &[Entry] {
        &self.entries[usize::from(self.starts[slot])..usize::from(self.starts[slot + 1])]
    }
}

/// Whether a hash has patterns: 1 or 0.
fn has(bits: &[u64; HASHES / 64], slot: usize) -> u64 {
    bits[slot >> 6] >> (slot & 63) & 1
}

/// A pattern of one hash: its first eight bytes without case, so that most chance hits cost one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Bytes of the pattern before the probe: 0 or 1.
    before: u8,
    place: u16,
    word: u64,
    mask: u64,
}

impl Entry {
    fn new(before: u8, place: u16, pattern: &[u8]) -> Self {
        let (mut word, mut mask) = ([0; 8], [0; 8]);
        for (at, byte) in pattern.iter().take(8).enumerate() {
            (word[at], mask[at]) = (byte | 0x20, 0xFF);
        }
        Self { before, place, word: u64::from_le_bytes(word), mask: u64::from_le_bytes(mask) }
    }

    fn fits(self, text: u64) -> bool {
        (text | 0x2020_2020_2020_2020) & self.mask == self.word & self.mask
    }
}

/// The eight bytes at `at`, as far as there are so many.
fn eight(bytes: &[u8], at: usize) -> u64 {
    if let Some(chunk) = bytes[at..].first_chunk::<8>() {
        return u64::from_le_bytes(*chunk);
    }
    let mut chunk = [0; 8];
    chunk[..bytes.len() - at].copy_from_slice(&bytes[at..]);
    u64::from_le_bytes(chunk)
}

/// Four bytes as one word, without case.
fn folded(window: [u8; 4]) -> u32 {
    u32::from_le_bytes(window) | 0x2020_2020
}

/// The first three of four bytes.
fn three(word: u32) -> u32 {
    word & 0x00FF_FFFF
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
        let (mut fours, mut threes) = (Vec::new(), Vec::new());
        for (place, (pattern, trigger)) in patterns.iter().enumerate() {
            let place = u16::try_from(place).expect("there are fewer than 65,536 patterns");
            for before in [0, 1] {
                let entry = Entry::new(before, place, pattern);
                match *pattern.get(usize::from(before)..).unwrap_or_default() {
                    [a, b, c, d, ..] => fours.push((hash(folded([a, b, c, d])), entry)),
                    [a, b, c] => threes.push((hash(three(folded([a, b, c, 0]))), entry)),
                    ref short => {
                        let words = continued(short, *trigger).into_iter();
                        threes.extend(words.map(|word| (hash(three(folded(word))), entry)));
                    }
                }
            }
        }
        Self { fours: Table::new(fours), threes: Table::new(threes), patterns }
    }

    /// Appends the positions from `from` to `to` at which a pattern begins, as far as its first eight bytes tell.
    pub(super) fn positions(&self, bytes: &[u8], from: usize, to: usize, found: &mut Vec<usize>) {
        let end = bytes.len().min(to + 4);
        let Some(text) = bytes.get(from..end) else { return };
        let (fours, threes) = (self.fours.bits(), self.threes.bits());
        for (at, window) in text.array_windows::<4>().enumerate().step_by(2) {
            let word = folded(*window);
            if has(fours, hash(word)) | has(threes, hash(three(word))) != 0 {
                self.push(bytes, (from, from + at, to), word, found);
            }
        }
        // The last few positions of the data have no four bytes.
        let last = text.len().saturating_sub(3).next_multiple_of(2);
        for at in (last..text.len()).step_by(2) {
            let mut window = [0; 4];
            let rest = &text[at..text.len().min(at + 4)];
            window[..rest.len()].copy_from_slice(rest);
            self.push(bytes, (from, from + at, to), folded(window), found);
        }
    }

    /// Appends the positions that a probe at `at` stands for if a pattern begins there like the text.
    fn push(&self, bytes: &[u8], (from, at, to): (usize, usize, usize), word: u32, found: &mut Vec<usize>) {
        let texts = [eight(bytes, at), if at > from { eight(bytes, at - 1) } else { 0 }];
        let mut begins = [false; 2];
        for entry in self.fours.list(hash(word)).iter().chain(self.threes.list(hash(three(word)))) {
            begins[usize::from(entry.before)] |= entry.fits(texts[usize::from(entry.before)]);
        }
        if begins[1] && at > from {
            found.push(at - 1);
        }
        if begins[0] && at < to {
            found.push(at);
        }
    }

    /// The triggers whose patterns stand at `at`.
    pub(super) fn triggers<'a>(&'a self, bytes: &'a [u8], at: usize) -> impl Iterator<Item = (Trigger, usize)> + 'a {
        let begins = eight(bytes, at);
        let word = folded(begins.to_le_bytes()[..4].try_into().expect("four of eight"));
        let entries = self.fours.list(hash(word)).iter().chain(self.threes.list(hash(three(word))));
        entries.filter(move |entry| entry.before == 0 && entry.fits(begins)).filter_map(move |entry| {
            let (pattern, trigger) = self.patterns[usize::from(entry.place)];
            let text = bytes.get(at..at + pattern.len())?;
            let exact = matches!(trigger, Trigger::Token(_) | Trigger::Crypt(_) | Trigger::Command(_));
            (if exact { text == pattern } else { text.eq_ignore_ascii_case(pattern) })
                .then_some((trigger, pattern.len()))
        })
    }
}

/// Three bytes and a zero: the ways in which the end of a pattern, shorter than three bytes, may go on.
fn continued(end: &[u8], trigger: Trigger) -> Vec<[u8; 4]> {
    let follows = |byte: u8| match trigger {
        Trigger::Token(place) => tokens::TOKENS[place].body.has(byte),
        Trigger::Command(_) => matches!(byte, b' ' | b'\t' | b'"' | b'\''),
        Trigger::Mailchimp => byte.is_ascii_digit(),
        Trigger::Jwt | Trigger::Telegram | Trigger::Airtable => tokens::Body::Word.has(byte),
        // What follows the last letter of a short stem: the rest of its name, a separator, white space.
        Trigger::Stem => {
            byte.is_ascii_alphanumeric() || byte >= 0x80 || b"_-.=:\"' \t\n\r>)]\\%&,;\x1b\0{<`|/@~?!#".contains(&byte)
        }
        _ => byte > b' ',
    };
    let next = || (0..=255_u8).filter(|byte| follows(*byte));
    match *end {
        [a, b] => next().map(|c| [a, b, c, 0]).collect(),
        [a] => next().flat_map(|b| (0..=255_u8).map(move |c| [a, b, c, 0])).collect(),
        _ => Vec::new(),
    }
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
            ("a key", 2, Trigger::Stem),
        ] {
            for from in 0..=place {
                let mut found = Vec::new();
                probe.positions(text.as_bytes(), from, text.len(), &mut found);
                assert!(found.contains(&place) && found.is_sorted(), "{text} from {from}: {found:?}");
            }
            assert!(probe.triggers(text.as_bytes(), place).any(|(trigger, _)| trigger == wanted), "{text}");
        }
    }

    #[test]
    fn the_table_is_sparse_enough_to_be_fast() {
        for (table, most) in [(&Probe::get().fours, 1500), (&Probe::get().threes, 6000)] {
            let set: u32 = table.bits.iter().map(|word| word.count_ones()).sum();
            assert!(set < most, "{set} of 65,536 bits are set");
        }
    }
}
