//! The entities of HTML and the escapes of JSON, undone while reading.

use std::io::{Cursor, Read};

/// Undoes the escapes of a text: the text without them, and how many bytes of it that took, for one may be cut at its end.
type Undo = fn(&[u8], bool) -> (Vec<u8>, usize);

/// Replaces escapes by what they stand for.
pub(super) struct Unescape<'a> {
    undo: Undo,
    inner: &'a mut dyn Read,
    /// Bytes read that may be the beginning of an escape.
    held: Vec<u8>,
    ready: Cursor<Vec<u8>>,
    ended: bool,
}

impl<'a> Unescape<'a> {
    pub(super) fn new(inner: &'a mut dyn Read, undo: Undo) -> Self {
        Self { undo, inner, held: Vec::new(), ready: Cursor::new(Vec::new()), ended: false }
    }
}

/// Bytes of the longest entity.
const ENTITY_BYTES_MAX: usize = 10;
/// Bytes read at a time.
const PIECE: usize = 64 << 10;

impl Read for Unescape<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || self.ended {
                return Ok(read);
            }
            let held = self.held.len();
            self.held.resize(held + PIECE, 0);
            let taken = self.inner.read(&mut self.held[held..])?;
            self.held.truncate(held + taken);
            self.ended = taken == 0;
            let (text, used) = (self.undo)(&self.held, self.ended);
            self.held.drain(..used);
            self.ready = Cursor::new(text);
        }
    }
}

/// The entities of HTML.
pub(super) fn html(bytes: &[u8], ended: bool) -> (Vec<u8>, usize) {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(found) = memchr::memchr(b'&', &bytes[at..]) {
        out.extend_from_slice(&bytes[at..at + found]);
        at += found;
        let rest = &bytes[at..bytes.len().min(at + ENTITY_BYTES_MAX)];
        let Some(end) = memchr::memchr(b';', rest) else {
            if rest.len() < ENTITY_BYTES_MAX && !ended {
                return (out, at);
            }
            out.push(b'&');
            at += 1;
            continue;
        };
        match character(&rest[1..end]) {
            Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(&rest[..=end]),
        }
        at += end + 1;
    }
    out.extend_from_slice(&bytes[at..]);
    (out, bytes.len())
}

fn character(entity: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(entity).ok()?;
    match text {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = text.strip_prefix('#')?;
            let value = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(value)
        }
    }
}

/// Bytes of the longest escape of JSON: two halves of a character.
const ESCAPE_BYTES_MAX: usize = 12;

/// The escapes of JSON, one level of them.
pub(super) fn json(bytes: &[u8], ended: bool) -> (Vec<u8>, usize) {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        out.extend_from_slice(&bytes[at..at + found]);
        at += found;
        if bytes.len() - at < ESCAPE_BYTES_MAX && !ended {
            return (out, at);
        }
        at += 2;
        match bytes.get(at - 1) {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'u') => at += crate::redact::decode::unicode(&bytes[at..], &mut out),
            Some(byte) => out.push(*byte),
            None => return (out, bytes.len()),
        }
    }
    out.extend_from_slice(&bytes[at..]);
    (out, bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_that_is_cut_by_a_read_is_still_one() {
        for cut in 1..9 {
            let (text, used) = html(&b"a&#x22;b"[..cut.min(8)], false);
            let (rest, _) = html(&[&b"a&#x22;b"[used..cut.min(8)], &b"a&#x22;b"[cut.min(8)..]].concat(), true);
            assert_eq!([text, rest].concat(), b"a\"b", "{cut}");
        }
    }

    #[test]
    fn an_escape_of_json_that_is_cut_by_a_read_is_still_one() {
        let text = br#"a\u0026\\n\n\ud83d\ude00""#;
        for cut in 0..=text.len() {
            let (head, used) = json(&text[..cut], false);
            let (rest, _) = json(&text[used..], true);
            assert_eq!(String::from_utf8([head, rest].concat()).expect("text"), "a&\\n\n\u{1f600}\"", "{cut}");
        }
    }
}
