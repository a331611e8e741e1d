//! How a secret may be written elsewhere.

use std::collections::HashSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use super::super::pseudonym::Encoding;

/// Bytes of the shortest variant that is looked for.
const VARIANT_BYTES_MIN: usize = 8;
/// Bytes of a line of a secret of several lines that is looked for by itself.
const LINE_BYTES_MIN: usize = 16;
/// Bytes of a secret of which all variants are made; of a longer one only the plain ones.
const VARIED_BYTES_MAX: usize = 4096;

/// The secret and its variants, each once; the first encoding that gives it counts.
pub(in super::super) fn of(secret: &[u8]) -> Vec<(Zeroizing<Vec<u8>>, Encoding)> {
    let mut variants = Variants { list: Vec::new(), seen: HashSet::new() };
    variants.add(secret.to_vec(), Encoding::Raw);
    if secret.contains(&b'\n') {
        for line in secret.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if line.len() >= LINE_BYTES_MIN {
                variants.add(line.to_vec(), Encoding::Raw);
            }
        }
    }
    if secret.len() <= VARIED_BYTES_MAX {
        // Nothing escapes letters and digits.
        if !secret.iter().all(u8::is_ascii_alphanumeric) {
            variants.json(secret);
            variants.percent(secret);
            variants.html(secret);
            variants.shell(secret);
        }
        variants.base64(secret);
        variants.hex(secret);
        variants.utf16(secret);
    }
    std::mem::take(&mut variants.list)
}

struct Variants {
    list: Vec<(Zeroizing<Vec<u8>>, Encoding)>,
    seen: HashSet<Vec<u8>>,
}

impl Drop for Variants {
    fn drop(&mut self) {
        for mut bytes in self.seen.drain() {
            zeroize::Zeroize::zeroize(&mut bytes);
        }
    }
}

impl Variants {
    fn add(&mut self, bytes: Vec<u8>, encoding: Encoding) {
        if bytes.len() >= VARIANT_BYTES_MIN && self.seen.insert(bytes.clone()) {
            self.list.push((Zeroizing::new(bytes), encoding));
        }
    }

    fn json(&mut self, secret: &[u8]) {
        let plain = json_escaped(secret, Unicode::Plain, Slash::Plain);
        let slashed = json_escaped(secret, Unicode::Plain, Slash::Escaped);
        let lower = json_escaped(secret, Unicode::Lower, Slash::Plain);
        let upper = json_escaped(secret, Unicode::Upper, Slash::Plain);
        for once in [plain, slashed, lower, upper] {
            self.add(json_escaped(&once, Unicode::Plain, Slash::Plain), Encoding::Json);
            self.add(once, Encoding::Json);
        }
    }

    fn percent(&mut self, secret: &[u8]) {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let lenient = |byte: u8| unreserved(byte) || b"!*'()".contains(&byte);
        let path = |byte: u8| unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte);
        let plain = |byte: u8| byte.is_ascii_alphanumeric();
        for keeps in [&unreserved as &dyn Fn(u8) -> bool, &lenient, &path, &plain] {
            for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
                let encoded = |space: &[u8]| {
                    let mut out = Vec::with_capacity(secret.len() * 3);
                    for byte in secret {
                        match byte {
                            b' ' => out.extend_from_slice(space),
                            byte if keeps(*byte) => out.push(*byte),
                            byte => out.extend([b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]),
                        }
                    }
                    out
                };
                self.add(encoded(b"%20"), Encoding::Percent);
                self.add(encoded(b"+"), Encoding::Percent);
            }
        }
    }

    fn html(&mut self, secret: &[u8]) {
        let replaced = |quote: &[u8], apostrophe: &[u8], slash: &[u8]| {
            let mut out = Vec::with_capacity(secret.len() * 2);
            for byte in secret {
                match byte {
                    b'&' => out.extend_from_slice(b"&amp;"),
                    b'<' => out.extend_from_slice(b"&lt;"),
                    b'>' => out.extend_from_slice(b"&gt;"),
                    b'"' => out.extend_from_slice(quote),
                    b'\'' => out.extend_from_slice(apostrophe),
                    b'/' => out.extend_from_slice(slash),
                    byte => out.push(*byte),
                }
            }
            out
        };
        for (quote, apostrophe) in [
            ("&quot;", "&#39;"),
            ("&#34;", "&#39;"),
            ("&quot;", "&#x27;"),
            ("&quot;", "&apos;"),
            ("&quot;", "'"),
            ("\"", "'"),
        ] {
            for slash in ["/", "&#x2F;", "&#47;"] {
                self.add(replaced(quote.as_bytes(), apostrophe.as_bytes(), slash.as_bytes()), Encoding::Html);
            }
        }
        if let Ok(text) = std::str::from_utf8(secret) {
            let (mut decimal, mut hexadecimal) = (String::new(), String::new());
            for character in text.chars() {
                if character.is_ascii_alphanumeric() {
                    decimal.push(character);
                    hexadecimal.push(character);
                } else {
                    let _ = write!(decimal, "&#{};", u32::from(character));
                    let _ = write!(hexadecimal, "&#x{:x};", u32::from(character));
                }
            }
            self.add(decimal.into_bytes(), Encoding::Html);
            self.add(hexadecimal.into_bytes(), Encoding::Html);
        }
    }

    /// Base 64 at the three alignments that a secret inside a longer text may have; characters that depend on what stands
    /// around it are cut off.
    fn base64(&mut self, secret: &[u8]) {
        for shift in 0..3 {
            let mut padded = vec![0; shift];
            padded.extend_from_slice(secret);
            let (first, last) = ((shift * 8).div_ceil(6), padded.len() * 8 / 6);
            for engine in [&STANDARD, &URL_SAFE] {
                let encoded = engine.encode(&padded).into_bytes();
                self.add(encoded[first..last].to_vec(), Encoding::Base64);
            }
            zeroize::Zeroize::zeroize(&mut padded);
        }
    }

    fn hex(&mut self, secret: &[u8]) {
        for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
            let encoded = secret
                .iter()
                .flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]])
                .collect();
            self.add(encoded, Encoding::Hex);
        }
    }

    fn utf16(&mut self, secret: &[u8]) {
        let Ok(text) = std::str::from_utf8(secret) else { return };
        self.add(text.encode_utf16().flat_map(u16::to_le_bytes).collect(), Encoding::Utf16);
        self.add(text.encode_utf16().flat_map(u16::to_be_bytes).collect(), Encoding::Utf16);
    }

    fn shell(&mut self, secret: &[u8]) {
        let mut quoted = Vec::with_capacity(secret.len() + 8);
        let mut escaped = Vec::with_capacity(secret.len() * 2);
        for byte in secret {
            match byte {
                b'\'' => quoted.extend_from_slice(b"'\\''"),
                byte => quoted.push(*byte),
            }
            if !byte.is_ascii_alphanumeric() && !b"-_./:=@%+,".contains(byte) && *byte < 0x80 {
                escaped.push(b'\\');
            }
            escaped.push(*byte);
        }
        self.add(quoted, Encoding::Shell);
        self.add(escaped, Encoding::Shell);
    }
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

fn json_escaped(secret: &[u8], unicode: Unicode, slash: Slash) -> Vec<u8> {
    let mut out = Vec::with_capacity(secret.len() * 2);
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
        return out;
    }
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)).filter(|character| character.is_ascii() && !"<>&'".contains(*character)) {
            Some(character @ ('"' | '\\')) => {
                escaped.push('\\');
                escaped.push(character);
            }
            Some('\n') => escaped.push_str("\\n"),
            Some(character) => escaped.push(character),
            None if unicode == Unicode::Upper => {
                let _ = write!(escaped, "\\u{unit:04X}");
            }
            None => {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped.into_bytes()
}
