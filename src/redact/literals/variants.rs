//! How a secret may be written elsewhere.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::pseudonym::Encoding;

/// Bytes of the shortest variant that is looked for.
const VARIANT_BYTES_MIN: usize = 8;
/// Bytes of a line of a secret of several lines that is looked for by itself.
const LINE_BYTES_MIN: usize = 16;
/// Bytes of a secret of which all variants are made; of a longer one only the plain ones.
const VARIED_BYTES_MAX: usize = 4096;
/// Bytes of all variants together for a byte of their secret: 8 of JSON up to 14, 16 of URLs of 3, 20 of HTML up to 10, and
/// the others.
const GROWTH_MAX: usize = 400;
/// Bytes of the longest single variant that another is made of.
const STEP_GROWTH_MAX: usize = 8;

/// Makes the variants of one secret after another, in a buffer of its own that is wiped when dropped.
#[derive(Default)]
pub(in super::super) struct Variants {
    bytes: Zeroizing<Vec<u8>>,
    /// Where each variant begins and ends in `bytes`.
    made: Vec<(usize, usize, Encoding)>,
    /// What a variant is made of when it is not the secret itself.
    step: Zeroizing<Vec<u8>>,
}

/// Empties a buffer and sees that it need not grow, which would leave a copy of it behind.
fn ready(buffer: &mut Zeroizing<Vec<u8>>, room: usize) {
    buffer.clear();
    if buffer.capacity() < room {
        *buffer = Zeroizing::new(Vec::with_capacity(room));
    }
}

impl Variants {
    /// The secret and its variants, each once; the first encoding that gives it counts.
    pub(in super::super) fn of(&mut self, secret: &[u8]) -> impl Iterator<Item = (&[u8], Encoding)> {
        let varied = if secret.len() <= VARIED_BYTES_MAX { secret.len() } else { 0 };
        let room = secret.len() * 2 + varied * GROWTH_MAX;
        ready(&mut self.bytes, room);
        ready(&mut self.step, (secret.len() + 1) * STEP_GROWTH_MAX);
        self.made.clear();
        self.add(Encoding::Raw, |out| out.extend_from_slice(secret));
        if secret.contains(&b'\n') {
            for line in secret.split(|byte| *byte == b'\n') {
                let line = line.trim_ascii();
                if line.len() >= LINE_BYTES_MIN {
                    self.add(Encoding::Raw, |out| out.extend_from_slice(line));
                }
            }
        }
        if varied > 0 {
            // Nothing escapes letters and digits.
            if !secret.iter().all(u8::is_ascii_alphanumeric) {
                self.json(secret);
                self.percent(secret);
                self.html(secret);
                self.shell(secret);
            }
            self.base64(secret);
            self.hex(secret);
            self.utf16(secret);
        }
        debug_assert!(self.bytes.len() <= room, "the buffer did not grow");
        self.made.iter().map(|(start, end, encoding)| (&self.bytes[*start..*end], *encoding))
    }

    /// Keeps what `write` makes, unless it is too short or known.
    fn add(&mut self, encoding: Encoding, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let (known, made) = self.bytes.split_at(start);
        let is_known = self.made.iter().any(|(start, end, _)| &known[*start..*end] == made);
        if made.len() < VARIANT_BYTES_MIN || is_known {
            self.bytes.truncate(start);
        } else {
            self.made.push((start, self.bytes.len(), encoding));
        }
    }

    fn json(&mut self, secret: &[u8]) {
        if !secret.iter().any(|byte| b"\"\\\n\r\t/<>&'".contains(byte) || !byte.is_ascii() || byte.is_ascii_control()) {
            return;
        }
        for (unicode, slash) in [
            (Unicode::Plain, Slash::Plain),
            (Unicode::Plain, Slash::Escaped),
            (Unicode::Lower, Slash::Plain),
            (Unicode::Upper, Slash::Plain),
        ] {
            let mut once = std::mem::take(&mut self.step);
            once.clear();
            json_escape(secret, unicode, slash, &mut once);
            self.add(Encoding::Json, |out| json_escape(&once, Unicode::Plain, Slash::Plain, out));
            self.add(Encoding::Json, |out| out.extend_from_slice(&once));
            self.step = once;
        }
    }

    fn percent(&mut self, secret: &[u8]) {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let lenient = |byte: u8| unreserved(byte) || b"!*'()".contains(&byte);
        let path = |byte: u8| unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte);
        let plain = |byte: u8| byte.is_ascii_alphanumeric();
        let spaces: &[&[u8]] = if secret.contains(&b' ') { &[b"%20", b"+"] } else { &[b""] };
        for keeps in [&unreserved as &dyn Fn(u8) -> bool, &lenient, &path, &plain] {
            for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
                for space in spaces {
                    self.add(Encoding::Percent, |out| {
                        for byte in secret {
                            match byte {
                                b' ' => out.extend_from_slice(space),
                                byte if keeps(*byte) => out.push(*byte),
                                byte => {
                                    let [high, low] = [byte >> 4, byte & 15].map(|nibble| digits[usize::from(nibble)]);
                                    out.extend([b'%', high, low]);
                                }
                            }
                        }
                    });
                }
            }
        }
    }

    fn html(&mut self, secret: &[u8]) {
        const QUOTES: &[(&str, &str)] = &[
            ("&quot;", "&#39;"),
            ("&#34;", "&#39;"),
            ("&quot;", "&#x27;"),
            ("&quot;", "&apos;"),
            ("&quot;", "'"),
            ("\"", "'"),
        ];
        const SLASHES: &[&str] = &["/", "&#x2F;", "&#47;"];
        let quotes = if secret.iter().any(|byte| b"\"'".contains(byte)) { QUOTES } else { &QUOTES[..1] };
        let slashes = if secret.contains(&b'/') { SLASHES } else { &SLASHES[..1] };
        for (quote, apostrophe) in quotes {
            for slash in slashes {
                self.add(Encoding::Html, |out| {
                    for byte in secret {
                        match byte {
                            b'&' => out.extend_from_slice(b"&amp;"),
                            b'<' => out.extend_from_slice(b"&lt;"),
                            b'>' => out.extend_from_slice(b"&gt;"),
                            b'"' => out.extend_from_slice(quote.as_bytes()),
                            b'\'' => out.extend_from_slice(apostrophe.as_bytes()),
                            b'/' => out.extend_from_slice(slash.as_bytes()),
                            byte => out.push(*byte),
                        }
                    }
                });
            }
        }
        let Ok(text) = std::str::from_utf8(secret) else { return };
        for base in [Base::Decimal, Base::Hexadecimal] {
            self.add(Encoding::Html, |out| {
                for character in text.chars() {
                    let code = u32::from(character);
                    let written = match base {
                        _ if character.is_ascii_alphanumeric() => write!(out, "{character}"),
                        Base::Decimal => write!(out, "&#{code};"),
                        Base::Hexadecimal => write!(out, "&#x{code:x};"),
                    };
                    written.expect("a vector takes all that is written");
                }
            });
        }
    }

    /// Base 64 at the three alignments that a secret inside a longer text may have; characters that depend on what stands
    /// around it are cut off.
    fn base64(&mut self, secret: &[u8]) {
        for shift in 0..3 {
            let mut padded = std::mem::take(&mut self.step);
            padded.clear();
            padded.resize(shift, 0);
            padded.extend_from_slice(secret);
            let (first, last) = ((shift * 8).div_ceil(6), padded.len() * 8 / 6);
            let standard = |out: &mut Vec<u8>| {
                let start = out.len();
                out.resize(start + padded.len().div_ceil(3) * 4, 0);
                STANDARD
                    .encode_slice(&*padded, &mut out[start..])
                    .expect("there is room for four bytes of every three");
                out.truncate(start + last);
                out.drain(start..start + first);
                start
            };
            self.add(Encoding::Base64, |out| {
                standard(out);
            });
            self.add(Encoding::Base64, |out| {
                let start = standard(out);
                for byte in &mut out[start..] {
                    match byte {
                        b'+' => *byte = b'-',
                        b'/' => *byte = b'_',
                        _ => {}
                    }
                }
            });
            self.step = padded;
        }
    }

    fn hex(&mut self, secret: &[u8]) {
        for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
            self.add(Encoding::Hex, |out| {
                out.extend(
                    secret.iter().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]),
                );
            });
        }
    }

    fn utf16(&mut self, secret: &[u8]) {
        let Ok(text) = std::str::from_utf8(secret) else { return };
        self.add(Encoding::Utf16, |out| out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)));
        self.add(Encoding::Utf16, |out| out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)));
    }

    fn shell(&mut self, secret: &[u8]) {
        self.add(Encoding::Shell, |out| {
            for byte in secret {
                match byte {
                    b'\'' => out.extend_from_slice(b"'\\''"),
                    byte => out.push(*byte),
                }
            }
        });
        self.add(Encoding::Shell, |out| {
            for byte in secret {
                if !byte.is_ascii_alphanumeric() && !b"-_./:=@%+,".contains(byte) && byte.is_ascii() {
                    out.push(b'\\');
                }
                out.push(*byte);
            }
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Decimal,
    Hexadecimal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unicode {
    Plain,
    Lower,
    Upper,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slash {
    Plain,
    Escaped,
}

fn json_escape(secret: &[u8], unicode: Unicode, slash: Slash, out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(secret);
    if unicode == Unicode::Plain || text.is_ascii() && !text.bytes().any(|byte| b"<>&'".contains(&byte)) {
        for byte in secret {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', *byte]),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                b'/' if slash == Slash::Escaped => out.extend_from_slice(b"\\/"),
                byte => out.push(*byte),
            }
        }
        return;
    }
    for unit in text.encode_utf16() {
        let plain = u8::try_from(unit).ok().filter(|byte| byte.is_ascii() && !b"<>&'".contains(byte));
        let written = match plain {
            Some(byte @ (b'"' | b'\\')) => out.write_all(&[b'\\', byte]),
            Some(b'\n') => out.write_all(b"\\n"),
            Some(byte) => out.write_all(&[byte]),
            None if unicode == Unicode::Upper => write!(out, "\\u{unit:04X}"),
            None => write!(out, "\\u{unit:04x}"),
        };
        written.expect("a vector takes all that is written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_is_made_once_and_the_buffer_never_grows() {
        let mut variants = Variants::default();
        for unit in ["\"", "'", "&", "/", "\u{1}", " ", "é", "\u{1f600}", "<\n", "a1", "\\\"/' &<é"] {
            for times in [4, 9, 40] {
                let secret = unit.repeat(times);
                // It does not grow: a debug build says so.
                let mut made: Vec<Vec<u8>> = variants.of(secret.as_bytes()).map(|(bytes, _)| bytes.to_vec()).collect();
                let count = made.len();
                made.sort();
                made.dedup();
                assert_eq!(made.len(), count, "{secret:?}");
                assert!(count >= 3, "{secret:?}");
            }
        }
    }
}
