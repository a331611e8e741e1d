//! The plain reading: every position of a text against every known secret, and every place where a token may begin.

use std::io::{ErrorKind, Read};
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use zeroize::Zeroizing;

use super::super::arena::{Arena, Entry, number};
use super::super::engine::Engine;
use super::super::error::RedactError;
use super::super::literals::{HEAD, Index, Variants, head_of};
use super::super::pseudonym::{Encoding, mask_length};
use super::super::scan::formats;

/// Bytes read at a time.
const BLOCK: usize = 256 << 10;
/// Bytes seen before a position, and after it.
const BEHIND: usize = 64;
const AHEAD: usize = 8 << 10;
/// Bytes of a known secret that are compared; a longer one is as good as found when so many agree.
const COMPARED_BYTES_MAX: usize = 4 << 10;
/// Bits of the table that says which heads there are.
const BITS: u32 = 18;
/// Bytes of a known secret from which letters and digits may stand next to it.
const UNBOUNDED_BYTES_MIN: usize = 20;
/// Bytes of base 64 after the first line of a private key that make it one.
const KEY_MATERIAL_MIN: usize = 40;

/// A known secret, in one of its encodings.
struct Known {
    bytes: Entry,
    encoding: Encoding,
    /// Whether it counts only where no letter or digit stands next to it.
    alone: bool,
    /// Whether it stands in words of this program's own.
    ours: bool,
}

/// What is looked for.
pub(super) struct Plain<'a> {
    engine: &'a Engine,
    known: Vec<Known>,
    bytes: Arena,
    index: Index,
    bits: Vec<bool>,
    /// Those that are shorter than a head.
    short: Option<AhoCorasick>,
    /// Words of this program's own.
    ours: Vec<u8>,
}

/// A rule and an encoding: what was found.
type Found<'a> = (&'a str, Encoding);

fn slot(head: u64) -> usize {
    let mixed = head.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    usize::try_from(mixed >> (64 - BITS)).expect("18 bits")
}

impl<'a> Plain<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        let mut plain = Self {
            engine,
            known: Vec::new(),
            bytes: Arena::default(),
            index: Index::default(),
            bits: vec![false; 1 << BITS],
            short: None,
            ours: Vec::new(),
        };
        let (mut variants, mut heads) = (Variants::default(), Vec::new());
        for secret in engine.propagated() {
            for (bytes, encoding) in variants.of(secret) {
                let place = number(plain.known.len());
                heads.extend(plain.add(bytes, encoding).map(|head| (head, place)));
            }
        }
        plain.index = Index::new(heads, |known| plain.bytes.get(plain.known[known as usize].bytes));
        let short: Vec<&[u8]> = engine.propagated().filter(|secret| secret.len() < HEAD).collect();
        plain.short = (!short.is_empty())
            .then(|| AhoCorasick::new(short).expect("as many patterns of eight bytes as there may be secrets fit"));
        plain
    }

    /// Keeps what is looked for; its head.
    fn add(&mut self, bytes: &[u8], encoding: Encoding) -> Option<u64> {
        let free = matches!(encoding, Encoding::Base64 | Encoding::Hex | Encoding::Utf16);
        let alone = bytes.len() < UNBOUNDED_BYTES_MIN && !free;
        let head = head_of(bytes)?;
        self.bits[slot(head)] = true;
        let bytes = self.bytes.add(&bytes[..bytes.len().min(COMPARED_BYTES_MAX)]);
        self.known.push(Known { bytes, encoding, alone, ours: false });
        Some(head)
    }

    pub(super) fn except(&mut self, ours: &[u8]) {
        for known in &mut self.known {
            known.ours |= memchr::memmem::find(ours, self.bytes.get(known.bytes)).is_some();
        }
        self.ours.extend_from_slice(ours);
    }

    /// Whether a token is none to worry about: the user lets it through, or it is ours.
    fn excepted(&self, token: &[u8]) -> bool {
        self.engine.allows(token) || memchr::memmem::find(&self.ours, token).is_some()
    }

    /// The first thing found in what `reader` gives.
    pub(super) fn search(&self, reader: &mut dyn Read) -> Result<Option<Found<'_>>, RedactError> {
        let mut buffer = Zeroizing::new(Vec::with_capacity(BEHIND + BLOCK + AHEAD));
        let mut from = 0;
        loop {
            let ended = fill(reader, &mut buffer, from + BLOCK + AHEAD)?;
            let to = if ended { buffer.len() } else { buffer.len() - AHEAD };
            let known = || self.known_between(&buffer, from, to).or_else(|| self.short_between(&buffer, from, to));
            if let Some(found) = known().or_else(|| self.format_between(&buffer, from, to)) {
                return Ok(Some(found));
            }
            if ended {
                return Ok(None);
            }
            let kept = to.saturating_sub(BEHIND);
            buffer.drain(..kept);
            from = to - kept;
        }
    }

    fn short_between(&self, bytes: &[u8], from: usize, to: usize) -> Option<Found<'_>> {
        let end = bytes.len().min(to + HEAD);
        let mut found = self.short.as_ref()?.find_overlapping_iter(&bytes[from..end]);
        let alone =
            |start, end| !touches(bytes, from + start, from + end) && !self.excepted(&bytes[from + start..from + end]);
        found
            .any(|found| from + found.start() < to && alone(found.start(), found.end()))
            .then_some(("known-secret", Encoding::Raw))
    }

    fn known_between(&self, bytes: &[u8], from: usize, to: usize) -> Option<Found<'_>> {
        if self.known.is_empty() {
            return None;
        }
        let end = bytes.len().min(to + HEAD - 1);
        let windows = bytes.get(from..end)?.array_windows::<HEAD>().enumerate();
        for (at, _) in windows.filter(|(_, head)| self.bits[slot(u64::from_le_bytes(**head))]) {
            let text = &bytes[from + at..];
            let candidates = self.index.candidates(text, |known| self.bytes.get(self.known[known as usize].bytes));
            let found = candidates.map(|known| &self.known[known as usize]).find(|known| {
                let (at, secret) = (from + at, self.bytes.get(known.bytes));
                !known.ours && text.starts_with(secret) && !(known.alone && touches(bytes, at, at + secret.len()))
            });
            if let Some(known) = found {
                return Some(("known-secret", known.encoding));
            }
        }
        None
    }

    fn format_between(&self, bytes: &[u8], from: usize, to: usize) -> Option<Found<'_>> {
        let end = bytes.len().min(to + formats::LONGEST_START);
        let starts = beginnings().find_overlapping_iter(&bytes[from..end]);
        for start in starts.filter(|start| from + start.start() < to) {
            let at = from + start.start();
            let found = if start.pattern().as_usize() == 0 {
                key_material(bytes, at).map(|(start, end)| ("pem", start, end))
            } else {
                formats::at(bytes, at, start.pattern().as_usize() - 1)
            };
            if let Some((rule, start, end)) = found
                && !self.excepted(&bytes[start..end])
            {
                return Some((rule, Encoding::Raw));
            }
        }
        None
    }
}

/// The beginning of a block of key material, then those of all formats.
fn beginnings() -> &'static AhoCorasick {
    static BEGINNINGS: OnceLock<AhoCorasick> = OnceLock::new();
    BEGINNINGS.get_or_init(|| {
        let starts = std::iter::once("-----BEGIN ").chain(formats::starts());
        AhoCorasick::new(starts).expect("a few hundred short patterns")
    })
}

/// The first line of the private key whose block begins at `at`.
fn key_material(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let ahead = &bytes[at..bytes.len().min(at + 400)];
    let label = ahead.get(11..)?.split(|byte| *byte == b'-').next()?;
    memchr::memmem::find(label, b"PRIVATE KEY")?;
    let mut start = 11 + label.len() + 5;
    while start < ahead.len() {
        let run =
            ahead[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)).count();
        if run >= KEY_MATERIAL_MIN {
            return Some((at + start, at + start + run));
        }
        let ended = ahead[start + run..].starts_with(b"-----END");
        if ended || mask_length(&ahead[start..]).is_some() {
            return None;
        }
        start += run + 1;
    }
    None
}

/// Whether a letter or digit, or a byte of a longer character, stands next to what lies between two positions.
fn touches(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
        || bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)
}

/// Reads until the buffer holds `wanted` bytes; whether that was all.
fn fill(reader: &mut dyn Read, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool, RedactError> {
    while buffer.len() < wanted {
        let room = (wanted - buffer.len()) as u64;
        match reader.take(room).read_to_end(buffer) {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(RedactError::Read(error)),
        }
    }
    Ok(false)
}
