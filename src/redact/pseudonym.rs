//! Pseudonyms: what stands where a secret stood.
//!
//! A mask reads `REDACTED-<class>-<tag>`. The tag is a keyed hash of the decoded secret and of nothing else, so one
//! secret has one tag in a snapshot whatever rule, file or encoding it was found in; the key is random, per trigger,
//! and never part of an archive, so that nothing can be told from a tag but equality. The alphabet `[A-Za-z0-9-]`
//! passes unquoted through TOML strings, YAML, JSON, INI, shells, URLs and HTML.

use std::fmt;
use std::hash::{Hash, Hasher};

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Characters of a tag: 50 bits, so that among 10⁵ secrets two share one with a chance of 5·10⁻⁶.
const TAG_CHARS: usize = 10;
/// Characters of a tag whose short form belongs to two secrets.
pub(super) const TAG_CHARS_LONG: usize = 16;
/// RFC 4648 base 32, lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Bytes that are hashed at one go, which costs half as much.
const SHORT_BYTES: usize = 128;
/// What every mask begins with.
pub(super) const MASK_PREFIX: &str = "REDACTED-";
/// Bytes of the shortest mask, that of a password.
const MASK_BYTES_MIN: usize = MASK_PREFIX.len() + "pw-".len() + TAG_CHARS;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system gave no random bytes.
    #[error("no random bytes for the pseudonym key")]
    Random(#[source] getrandom::Error),
    /// What was handed over is not 64 hexadecimal digits.
    #[error("the pseudonym key is not 64 hexadecimal digits")]
    Malformed,
}

/// The key of one trigger's pseudonyms: 32 random bytes, wiped when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PseudonymKey([u8; KEY_BYTES]);

impl PseudonymKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`KeyError::Random`] when the system has no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        Ok(Self(bytes))
    }

    /// The key that [`expose_hex`](Self::expose_hex) gave.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when `hex` is anything but 64 hexadecimal digits (white space around them is ignored).
    pub fn from_hex(hex: &str) -> Result<Self, KeyError> {
        let digits = hex.trim().as_bytes();
        let mut key = Self([0; KEY_BYTES]);
        if digits.len() != KEY_BYTES * 2 {
            return Err(KeyError::Malformed);
        }
        for (byte, pair) in key.0.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else { return Err(KeyError::Malformed) };
            *byte = high << 4 | low;
        }
        Ok(key)
    }

    /// The key as 64 hexadecimal digits, to hand to a child over a pipe or to keep in a 0600 file; never to print.
    #[must_use]
    pub fn expose_hex(&self) -> Zeroizing<String> {
        let mut hex = Zeroizing::new(String::with_capacity(KEY_BYTES * 2));
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a hexadecimal digit"));
            }
        }
        hex
    }

    /// The tag of a decoded secret, in its longest form.
    pub(super) fn tag(&self, secret: &[u8]) -> Tag {
        let mut message = [0; SHORT_BYTES];
        let length = 2 + secret.len();
        let hash = if length <= SHORT_BYTES {
            message[..2].copy_from_slice(b"v1");
            message[2..length].copy_from_slice(secret);
            let hash = blake3::keyed_hash(&self.0, &message[..length]);
            message[..length].zeroize();
            hash
        } else {
            let mut hasher = blake3::Hasher::new_keyed(&self.0);
            hasher.update(b"v1").update(secret);
            hasher.finalize()
        };
        let (one, two) = hash.as_bytes().split_at(5);
        let bits = [one, two].map(|half| half[..5].iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)));
        Tag(std::array::from_fn(|place| ALPHABET[(bits[place / 8] >> (35 - 5 * (place % 8)) & 31) as usize]))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(..)")
    }
}

/// The pseudonym of one secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag([u8; TAG_CHARS_LONG]);

impl Tag {
    /// The characters that are shown unless two secrets share them.
    pub(super) fn short(&self) -> &[u8] {
        &self.0[..TAG_CHARS]
    }

    /// All characters.
    pub(super) fn long(&self) -> &[u8] {
        &self.0
    }
}

/// A tag is random: half of it tells it from the others.
impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_le_bytes(*self.0.first_chunk().expect("a tag has 16 characters")));
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.short()))
    }
}

/// What kind of secret a mask stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A password, or a value under a secret-named key.
    Password,
    /// A token or API key.
    Token,
    /// Key material other than PEM.
    Key,
    /// The body of a PEM private key, or another block of key material.
    Pem,
    /// A JSON web token.
    Jwt,
    /// Salt and hash of a password verifier.
    Hash,
    /// The credential part of a URL or connection string.
    Url,
    /// A cookie's value.
    Cookie,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 8] =
        [Self::Password, Self::Token, Self::Key, Self::Pem, Self::Jwt, Self::Hash, Self::Url, Self::Cookie];

    /// The word inside a mask.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Password => "pw",
            Self::Token => "tok",
            Self::Key => "key",
            Self::Pem => "pem",
            Self::Jwt => "jwt",
            Self::Hash => "hash",
            Self::Url => "url",
            Self::Cookie => "cookie",
        }
    }
}

/// Length of the mask of ours that `text` begins with, with its encoding's suffix.
pub(super) fn mask_length(text: &[u8]) -> Option<usize> {
    if text.len() < MASK_BYTES_MIN {
        return None;
    }
    let rest = text.strip_prefix(MASK_PREFIX.as_bytes())?;
    let class = Class::ALL
        .iter()
        .find(|class| rest.strip_prefix(class.word().as_bytes()).is_some_and(|after| after.first() == Some(&b'-')))?;
    let tag_at = class.word().len() + 1;
    let tag = rest[tag_at..].iter().take_while(|byte| ALPHABET.contains(byte)).count();
    if tag != TAG_CHARS && tag != TAG_CHARS_LONG {
        return None;
    }
    let mut end = MASK_PREFIX.len() + tag_at + tag;
    let suffix = Encoding::ALL.iter().find(|encoding| {
        !encoding.suffix().is_empty()
            && text[end..].starts_with(encoding.suffix().as_bytes())
            && !text.get(end + encoding.suffix().len()).is_some_and(u8::is_ascii_alphanumeric)
    });
    end += suffix.map_or(0, |encoding| encoding.suffix().len());
    Some(end)
}

/// Where the first mask of ours in a text stands.
pub(super) fn mask_in(text: &[u8]) -> Option<usize> {
    if text.len() < MASK_BYTES_MIN {
        return None;
    }
    memchr::memchr_iter(MASK_PREFIX.as_bytes()[0], text).find(|at| mask_length(&text[*at..]).is_some())
}

/// Where a run of characters of secrets ends: at the first mask in it, or at what looks like the beginning of one, for the
/// next reading must not see another run than this one.
pub(super) fn unmasked_end(bytes: &[u8], from: usize, end: usize) -> usize {
    let near = bytes.len().min(end + 1);
    memchr::memmem::find(&bytes[from..near.max(from)], MASK_PREFIX.as_bytes()).map_or(end, |at| from + at)
}

/// The form in which a known secret was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// As it is.
    Raw,
    /// With the escapes of JSON, once or twice.
    Json,
    /// Percent-encoded.
    Percent,
    /// With HTML's entities.
    Html,
    /// Base 64, either alphabet, any alignment.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// UTF-16, either byte order.
    Utf16,
    /// With a shell's quoting.
    Shell,
    /// Only its beginning.
    Prefix,
}

impl Encoding {
    /// All encodings.
    pub const ALL: [Self; 9] = [
        Self::Raw,
        Self::Json,
        Self::Percent,
        Self::Html,
        Self::Base64,
        Self::Hex,
        Self::Utf16,
        Self::Shell,
        Self::Prefix,
    ];

    /// What a mask ends with when the secret stood there in this encoding.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Raw => "",
            Self::Json => "-json",
            Self::Percent => "-pct",
            Self::Html => "-html",
            Self::Base64 => "-b64",
            Self::Hex => "-hex",
            Self::Utf16 => "-u16",
            Self::Shell => "-sh",
            Self::Prefix => "-cut",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_journey_through_a_pipe() {
        let key = PseudonymKey::generate().expect("random bytes");
        let again = PseudonymKey::from_hex(&format!("{}\n", key.expose_hex().as_str())).expect("it is hexadecimal");
        assert_eq!(key.0, again.0);
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
            assert!(PseudonymKey::from_hex(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = PseudonymKey::generate().expect("random bytes");
        assert_eq!(format!("{key:?}"), "PseudonymKey(..)");
    }

    #[test]
    fn a_tag_depends_on_the_key_and_the_secret_alone() {
        let (one, two) = (PseudonymKey([1; 32]), PseudonymKey([2; 32]));
        assert_eq!(one.tag(b"hunter2").long(), one.tag(b"hunter2").long());
        assert_ne!(one.tag(b"hunter2").long(), one.tag(b"Hunter2").long());
        assert_ne!(one.tag(b"hunter2").long(), two.tag(b"hunter2").long());
        assert_eq!(one.tag(b"hunter2").short().len(), 10);
    }

    #[test]
    fn masks_are_recognised_and_their_imitations_are_not() {
        for (text, length) in [
            ("REDACTED-pw-abcdefghij", Some(22)),
            ("REDACTED-pw-abcdefghij, more", Some(22)),
            ("REDACTED-cookie-abcdefghij234567 ", Some(32)),
            ("REDACTED-tok-abcdefghij-b64\"", Some(27)),
            ("REDACTED-tok-abcdefghij-b64x", Some(23)),
            ("REDACTED-pw-abcdefghi", None),
            ("REDACTED-pw-abcdefghijk", None),
            ("REDACTED-foo-abcdefghij", None),
            ("REDACTED", None),
        ] {
            assert_eq!(mask_length(text.as_bytes()), length, "{text}");
        }
    }
}
