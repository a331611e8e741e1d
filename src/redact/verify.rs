//! The third pass: nothing that is known to be secret may be in what was written.
//!
//! It reads a finished artifact as it stands (entries inflated by the caller, HTML unescaped here) and looks for every
//! secret that is propagated, in every encoding, and for everything that is a token or a private key by its own form.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::engine::Engine;
use super::error::RedactError;
use super::literals::Literals;
use super::pseudonym::{Class, Encoding};
use super::scan::{Layers, Scanner};
use super::span::{Form, Rule, Seed};
use super::stream::{self, Piece};

/// How an artifact is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// As it is read.
    Plain,
    /// HTML: entities stand for characters.
    Html,
}

/// Something secret in a finished artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The artifact.
    pub artifact: String,
    /// The rule that found it.
    pub rule: String,
    /// How it is written there.
    pub encoding: Encoding,
}

/// Looks for what an engine knows.
pub struct Verifier<'a> {
    engine: &'a Engine,
}

impl std::fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(..)")
    }
}

impl<'a> Verifier<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine }
    }

    /// The first leak in an artifact, if there is one. An archive with one must not be announced.
    ///
    /// # Errors
    /// When the artifact cannot be read or the engine fails on it: it counts as leaking.
    pub fn check(&self, artifact: &str, markup: Markup, reader: &mut dyn Read) -> Result<Option<Leak>, RedactError> {
        let run = AssertUnwindSafe(|| match markup {
            Markup::Plain => self.search(artifact, reader),
            Markup::Html => {
                let mut unescaped =
                    Unescape { inner: reader, held: Vec::new(), ready: Cursor::new(Vec::new()), ended: false };
                self.search(artifact, &mut unescaped)
            }
        });
        catch_unwind(run).unwrap_or(Err(RedactError::Panicked))
    }

    /// The first leak in a short text: an entry's name, a comment.
    ///
    /// # Errors
    /// When the engine fails on it.
    pub fn check_text(&self, artifact: &str, text: &str) -> Result<Option<Leak>, RedactError> {
        self.check(artifact, Markup::Plain, &mut text.as_bytes())
    }

    fn search(&self, artifact: &str, reader: &mut dyn Read) -> Result<Option<Leak>, RedactError> {
        let mut leak = None;
        stream::cut(&self.engine.scanner(Layers::Verification), reader, &mut |piece| {
            if let Piece::Secret(span, _) = piece {
                leak.get_or_insert_with(|| Leak {
                    artifact: artifact.to_owned(),
                    rule: self.engine.rule_name(span.rule).to_owned(),
                    encoding: if let Form::Known { encoding, .. } = span.form { encoding } else { Encoding::Raw },
                });
            }
            Ok(())
        })?;
        Ok(leak)
    }
}

/// Replaces the entities of HTML by what they stand for.
struct Unescape<'a> {
    inner: &'a mut dyn Read,
    /// Bytes read that may be the beginning of an entity.
    held: Vec<u8>,
    ready: Cursor<Vec<u8>>,
    ended: bool,
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
            let (text, used) = unescaped(&self.held, self.ended);
            self.held.drain(..used);
            self.ready = Cursor::new(text);
        }
    }
}

/// The text without entities, and how many bytes of `bytes` that took: an entity may be cut at the end.
fn unescaped(bytes: &[u8], ended: bool) -> (Vec<u8>, usize) {
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

/// Three random secrets put through an engine as any data would be: in an environment, in JSON inside JSON, and bare.
///
/// # Errors
/// [`RedactError::Canary`] when one of them comes out, or the system has no random bytes: no result may be used.
pub(super) fn canaries(engine: &Engine) -> Result<(), RedactError> {
    let mut random = [0; 48];
    getrandom::fill(&mut random).map_err(|_| RedactError::Canary)?;
    let text = |bytes: &[u8]| {
        bytes.iter().map(|byte| char::from(b"ACEGHKMPRTWY2346"[usize::from(byte & 15)])).collect::<String>()
    };
    let (first, second, third) = (text(&random[..16]), text(&random[16..32]), text(&random[32..]));
    let artifact = format!(
        "PATH=/bin\0CANARY_PASSWORD={first}\0{{\"m\":\"{{\\\"client_secret\\\":\\\"{second}\\\"}}\"}}\0sent ld_api_{third} away\0"
    );
    let out = engine.masked(super::Carrier::Environ, artifact.as_bytes())?;
    let kept = [&first, &second, &third].iter().any(|secret| memchr::memmem::find(&out, secret.as_bytes()).is_some());
    if kept || memchr::memmem::find(&out, b"PATH=/bin").is_none() {
        return Err(RedactError::Canary);
    }
    let known = super::learner::Secret {
        bytes: zeroize::Zeroizing::new(first.clone().into_bytes()),
        class: Class::Password,
        rule: Rule::Builtin("canary"),
        seed: Seed::Told,
    };
    let literals = Literals::new(&[known], |_| true);
    let rules = super::settings::Compiled::default();
    let scanner = Scanner { rules: &rules, literals: Some(&literals), layers: Layers::Verification };
    let found = scanner.spans(super::Carrier::Text, format!("x {first} y").as_bytes());
    if found.is_empty() { Err(RedactError::Canary) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Carrier, Learner, PseudonymKey, Settings};

    #[test]
    fn a_known_secret_is_found_in_what_was_written_and_its_mask_is_not() {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let mut learner = Learner::new(&Settings::default(), key).expect("no rules of the user's");
        learner.learn(Carrier::Environ, "environ", b"DB_PASSWORD=x8&Kq<2mZw9\"1\0").expect("it is learned");
        let engine = learner.finish();
        let verifier = engine.verifier();
        let leak = |markup, text: &str| {
            verifier.check("report", markup, &mut text.as_bytes()).expect("it is read").map(|leak| leak.encoding)
        };
        assert_eq!(leak(Markup::Plain, "a x8&Kq<2mZw9\"1 b"), Some(Encoding::Raw));
        assert_eq!(leak(Markup::Html, "<p>a x8&amp;Kq&#60;2mZw9&#x22;1 b"), Some(Encoding::Raw));
        assert_eq!(leak(Markup::Plain, "a ghp_0123456789abcdefghijABCDEFGHIJ012345 b"), Some(Encoding::Raw));
        let masked = engine.text("a x8&Kq<2mZw9\"1 b, password=x8, ghp_0123456789abcdefghijABCDEFGHIJ012345");
        assert_eq!(leak(Markup::Plain, &masked), None);
        assert_eq!(leak(Markup::Html, &masked), None);
    }

    #[test]
    fn an_entity_that_is_cut_by_a_read_is_still_one() {
        for cut in 1..9 {
            let (text, used) = unescaped(&b"a&#x22;b"[..cut.min(8)], false);
            let (rest, _) = unescaped(&[&b"a&#x22;b"[used..cut.min(8)], &b"a&#x22;b"[cut.min(8)..]].concat(), true);
            assert_eq!([text, rest].concat(), b"a\"b", "{cut}");
        }
    }

    #[test]
    fn canaries_do_not_come_out() {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let engine = Engine::unlearned(&Settings::default(), key).expect("no rules of the user's");
        for _ in 0..200 {
            engine.self_test().expect("all are masked");
        }
        assert_eq!(engine.summary().rules.len(), 0);
    }
}
