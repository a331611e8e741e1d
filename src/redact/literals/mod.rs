//! Literals: known secrets, looked for everywhere and in the usual encodings.
//!
//! Five bytes of every pattern, at each of its first four positions, are hashed into a bitmap. It is probed at every fourth
//! byte, so that the time does not depend on how many patterns there are; a hit leads to a table and a comparison.

mod bitmap;
mod gate;
mod index;
mod variants;

use std::collections::HashMap;

use aho_corasick::AhoCorasick;

pub(super) use bitmap::{AT_HAND, Bitmap};
pub(super) use gate::{Vocabulary, is_distinctive, may_propagate};
pub(super) use index::{HEAD, Index, head_of};
pub(super) use variants::Variants;

use super::arena::{Arena, Entry, number};
use super::pseudonym::Encoding;
use super::secret::Secret;
use super::shape::bounded;
use super::span::{Form, Rule, Seed, Span};

/// Bytes by which a shorter literal of the user's is looked up; they have no less.
const SHORT_HEAD: usize = 4;
/// Bytes between two probes; a probe looks at five, so that together they are no more than a head.
pub(super) const STEP: usize = 4;
/// Bytes of a secret from which it is found without a boundary around it.
const UNBOUNDED_BYTES_MIN: usize = 20;
/// Bytes of a secret whose beginning alone is looked for as well.
const CUT_BYTES_MIN: usize = 24;
/// Bytes of such a beginning.
const CUT_HEAD_MIN: usize = 14;

/// One pattern.
struct Pattern {
    bytes: Entry,
    secret: u32,
    encoding: Encoding,
    /// Bytes that suffice when the text goes on differently.
    head: u32,
    /// Whether letters or digits may stand next to it.
    bounded: Bounded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bounded {
    Yes,
    No,
}

/// The table of all patterns.
pub(super) struct Literals {
    bitmap: Bitmap,
    index: Index,
    patterns: Vec<Pattern>,
    bytes: Arena,
    /// Literals of the user's that are shorter than [`HEAD`], by their first bytes, and what finds them.
    short: HashMap<[u8; SHORT_HEAD], Vec<u32>>,
    short_starts: Option<AhoCorasick>,
}

impl Literals {
    /// The patterns of those secrets for which `wanted` says so.
    pub(super) fn new(secrets: &[Secret], wanted: impl Fn(usize) -> bool) -> Self {
        let mut literals = Self {
            bitmap: Bitmap::new(0),
            index: Index::default(),
            patterns: Vec::new(),
            bytes: Arena::default(),
            short: HashMap::new(),
            short_starts: None,
        };
        let (mut variants, mut heads) = (Variants::default(), Vec::new());
        for (place, secret) in secrets.iter().enumerate().filter(|(place, _)| wanted(*place)) {
            for (bytes, encoding) in variants.of(&secret.bytes) {
                if let Some(head) = head_of(bytes) {
                    heads.push((head, number(literals.patterns.len())));
                    literals.add(place, bytes, encoding, secret.seed);
                }
            }
            if secret.bytes.len() < HEAD && secret.seed == Seed::Listed {
                literals.add_short(place, &secret.bytes);
            }
        }
        literals.index = Index::new(heads, |pattern| literals.bytes.get(literals.patterns[pattern as usize].bytes));
        literals.mark();
        let starts: Vec<[u8; SHORT_HEAD]> = literals.short.keys().copied().collect();
        literals.short_starts = (!starts.is_empty())
            .then(|| AhoCorasick::new(starts).expect("as many patterns of four bytes as there may be secrets fit"));
        literals
    }

    /// Fills the bitmap, which is as large as there are patterns.
    fn mark(&mut self) {
        self.bitmap = Bitmap::new(self.patterns.len());
        for head in self.index.heads() {
            for skipped in 0..STEP {
                self.bitmap.mark(head >> (skipped * 8));
            }
        }
    }

    fn add_short(&mut self, secret: usize, bytes: &[u8]) {
        let Some(head) = bytes.first_chunk::<SHORT_HEAD>() else { return };
        self.short.entry(*head).or_default().push(number(self.patterns.len()));
        let (head, bounded) = (number(bytes.len()), Bounded::Yes);
        let (bytes, secret) = (self.bytes.add(bytes), number(secret));
        self.patterns.push(Pattern { bytes, secret, encoding: Encoding::Raw, head, bounded });
    }

    fn add(&mut self, secret: usize, bytes: &[u8], encoding: Encoding, seed: Seed) {
        let cut = encoding == Encoding::Raw
            && bytes.len() >= CUT_BYTES_MIN
            && seed >= Seed::Found
            && gate::is_distinctive(bytes);
        let head = number(if cut { CUT_HEAD_MIN.max(bytes.len() * 3 / 5) } else { bytes.len() });
        let free = bytes.len() >= UNBOUNDED_BYTES_MIN
            || matches!(encoding, Encoding::Base64 | Encoding::Hex | Encoding::Utf16);
        let bounded = if free { Bounded::No } else { Bounded::Yes };
        let (bytes, secret) = (self.bytes.add(bytes), number(secret));
        self.patterns.push(Pattern { bytes, secret, encoding, head, bounded });
    }

    /// The bitmap of all patterns.
    pub(super) fn bitmap(&self) -> &Bitmap {
        &self.bitmap
    }

    /// The positions at which a pattern may begin, when the bitmap says that one may stand around `at`.
    pub(super) fn around<'b>(&'b self, bytes: &'b [u8], at: usize) -> impl Iterator<Item = usize> + 'b {
        let begins = at.saturating_sub(STEP - 1)..=at;
        begins.filter(|begin| bytes.get(*begin..).and_then(head_of).is_some_and(|head| self.index.has(head)))
    }

    /// The positions between two others at which a pattern shorter than its kind begins.
    pub(super) fn short<'b>(&'b self, bytes: &'b [u8], from: usize, to: usize) -> impl Iterator<Item = usize> + 'b {
        let end = bytes.len().min(to + SHORT_HEAD - 1);
        let starts = self.short_starts.iter().flat_map(move |starts| starts.find_overlapping_iter(&bytes[from..end]));
        starts.map(move |start| from + start.start())
    }

    /// Appends the positions of `bytes` at which a pattern may begin.
    pub(super) fn positions(&self, bytes: &[u8], found: &mut Vec<usize>) {
        for (place, window) in bytes.array_windows::<HEAD>().enumerate().step_by(STEP) {
            if self.bitmap.may_hold(u64::from_le_bytes(*window)) {
                found.extend(self.around(bytes, place));
            }
        }
        let last = bytes.len().saturating_sub(HEAD - 1).next_multiple_of(STEP);
        for place in (last..bytes.len()).step_by(STEP) {
            found.extend(self.around(bytes, place));
        }
        found.extend(self.short(bytes, 0, bytes.len()));
    }

    /// The longest pattern that stands at `at`.
    pub(super) fn at(&self, bytes: &[u8], at: usize) -> Option<Span> {
        let text = &bytes[at..];
        let long = self.index.candidates(text, |pattern| self.bytes.get(self.patterns[pattern as usize].bytes));
        let short = text.first_chunk::<SHORT_HEAD>().and_then(|head| self.short.get(head));
        let mut best: Option<(usize, u32)> = None;
        for place in long.chain(short.into_iter().flatten().copied()) {
            let pattern = &self.patterns[place as usize];
            let known = self.bytes.get(pattern.bytes);
            let length = common(known, text);
            if length < pattern.head as usize
                || pattern.bounded == Bounded::Yes && !apart(bytes, at, at + length, known)
            {
                continue;
            }
            // Of several that agree as far, the first one that was learned.
            if best.is_none_or(|(longest, first)| length > longest || length == longest && place < first) {
                best = Some((length, place));
            }
        }
        let (length, pattern) = best.map(|(length, place)| (length, &self.patterns[place as usize]))?;
        let encoding = if length < pattern.bytes.length() { Encoding::Prefix } else { pattern.encoding };
        let form = Form::Known { secret: pattern.secret as usize, encoding };
        let (rule, class) = (Rule::Builtin("known-secret"), super::pseudonym::Class::Password);
        Some(Span { start: at, end: at + length, rule, class, form, seed: Seed::Never })
    }
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Whether no letter or digit goes on where the secret's own edge is one.
fn apart(bytes: &[u8], start: usize, end: usize, secret: &[u8]) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let left = !edge(secret.first()) || start == 0 || bounded(bytes, start) || b"_-".contains(&bytes[start - 1]);
    let right = !edge(secret.last()) || !edge(bytes.get(end));
    left && right
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::pseudonym::Class;
    use super::*;

    fn literals(secret: &str) -> Literals {
        literals_of(secret, Seed::Typed)
    }

    fn literals_of(secret: &str, seed: Seed) -> Literals {
        let bytes = Zeroizing::new(secret.as_bytes().to_vec());
        let secret = Secret { bytes, class: Class::Password, rule: Rule::Builtin("test"), seed };
        Literals::new(&[secret], |_| true)
    }

    fn hit(literals: &Literals, text: &str) -> Option<(String, Encoding)> {
        let mut found = Vec::new();
        literals.positions(text.as_bytes(), &mut found);
        found.into_iter().find_map(|at| literals.at(text.as_bytes(), at)).map(|span| {
            let Form::Known { encoding, .. } = span.form else { unreachable!("a literal is known") };
            (text[span.start..span.end].to_owned(), encoding)
        })
    }

    #[test]
    fn a_secret_is_found_in_its_encodings() {
        let secret = r#"p4"s/\w0rd&<1"#;
        let literals = literals(secret);
        for (text, encoding) in [
            (r#"p4"s/\w0rd&<1"#, Encoding::Raw),
            (r#"p4\"s/\\w0rd&<1"#, Encoding::Json),
            (r#"p4\"s\/\\w0rd&<1"#, Encoding::Json),
            (r#"p4\\\"s/\\\\w0rd&<1"#, Encoding::Json),
            ("p4%22s%2F%5Cw0rd%26%3C1", Encoding::Percent),
            ("p4%22s%2f%5cw0rd%26%3c1", Encoding::Percent),
            ("p4&quot;s/\\w0rd&amp;&lt;1", Encoding::Html),
            ("7034 7034", Encoding::Raw),
            ("7034227332f", Encoding::Raw),
            ("703422732f5c77307264263c31", Encoding::Hex),
            ("703422732F5C77307264263C31", Encoding::Hex),
        ] {
            let wanted =
                (!text.starts_with("7034 ") && !text.starts_with("7034227332f")).then(|| (text.to_owned(), encoding));
            assert_eq!(hit(&literals, &format!("a {text} b")), wanted, "{text}");
        }
    }

    #[test]
    fn base_64_is_found_at_every_alignment() {
        use base64::Engine as _;
        let literals = literals("s3cr3t-Passw0rd");
        for before in ["", "u:", "us:", "user:"] {
            let text = base64::engine::general_purpose::STANDARD.encode(format!("{before}s3cr3t-Passw0rd!!"));
            let (found, encoding) = hit(&literals, &text).expect("it is in there");
            assert_eq!(encoding, Encoding::Base64);
            assert!(found.len() >= 18, "{before}: {found}");
        }
    }

    #[test]
    fn a_short_secret_needs_boundaries_and_a_long_one_may_be_cut() {
        let short = literals("s3cr3t-Pw1");
        assert!(hit(&short, "x s3cr3t-Pw1.").is_some());
        assert!(hit(&short, "\\ns3cr3t-Pw1\\n").is_some());
        assert!(hit(&short, "xs3cr3t-Pw1").is_none());
        assert!(hit(&short, "s3cr3t-Pw12").is_none());
        let long = literals("aB3dE5gH7jK9mN1pQ3sT5vW7xY9");
        assert_eq!(hit(&long, "cut: aB3dE5gH7jK9mN1pQ3s"), Some(("aB3dE5gH7jK9mN1pQ3s".to_owned(), Encoding::Prefix)));
        assert!(hit(&long, "aB3dE5gH7jK9").is_none());
    }

    #[test]
    fn a_short_line_of_the_users_own_file_is_found_between_boundaries() {
        for secret in ["Zeus", "Zeus1", "Zeus!77"] {
            let literals = literals_of(secret, Seed::Listed);
            assert_eq!(hit(&literals, &format!("x={secret}")), Some((secret.to_owned(), Encoding::Raw)));
            assert_eq!(hit(&literals, &format!("x{secret}")), None);
            assert_eq!(hit(&literals, "Zeu"), None);
        }
        assert_eq!(hit(&literals_of("Zeus", Seed::Told), "Zeus"), None);
    }
}
