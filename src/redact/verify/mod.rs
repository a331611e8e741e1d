//! The third pass: nothing that is known to be secret may be in what was written.
//!
//! It reads a finished artifact as it stands (entries inflated by the caller, HTML unescaped here) and looks for every
//! secret that is propagated, in every encoding, and for everything that is a token, a password verifier or a private key
//! by its own form. It shares with the engine the tables that say what these are, and no line of what searches for them.

mod canaries;
mod plain;
mod unescape;

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use plain::Plain;
use unescape::Unescape;

use super::engine::Engine;
use super::error::RedactError;
use super::pseudonym::Encoding;

/// How an artifact is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// As it is read.
    Plain,
    /// HTML: entities stand for characters.
    Html,
    /// JSON: escapes stand for characters.
    Json,
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
    plain: Plain<'a>,
}

impl std::fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(..)")
    }
}

impl Engine {
    /// Puts three random secrets through the engine; to be called before any result of it is used.
    ///
    /// # Errors
    /// [`RedactError::Canary`] when one comes out: no result may be used.
    pub fn self_test(&self) -> Result<(), RedactError> {
        canaries::canaries(self)
    }

    /// What looks for the secrets of this engine in finished artifacts.
    #[must_use]
    pub fn verifier(&self) -> Verifier<'_> {
        Verifier { plain: Plain::new(self) }
    }
}

impl Verifier<'_> {
    /// The first leak in an artifact, if there is one. An archive with one must not be announced.
    ///
    /// # Errors
    /// When the artifact cannot be read or the search fails on it: it counts as leaking.
    pub fn check(&self, artifact: &str, markup: Markup, reader: &mut dyn Read) -> Result<Option<Leak>, RedactError> {
        let run = AssertUnwindSafe(|| match markup {
            Markup::Plain => self.plain.search(reader),
            Markup::Html => self.plain.search(&mut Unescape::new(reader, unescape::html)),
            Markup::Json => self.plain.search(&mut Unescape::new(reader, unescape::json)),
        });
        let found = catch_unwind(run).unwrap_or(Err(RedactError::Panicked))?;
        Ok(found.map(|(rule, encoding)| Leak { artifact: artifact.to_owned(), rule: rule.to_owned(), encoding }))
    }

    /// The first leak in a short text: an entry's name, a comment.
    ///
    /// # Errors
    /// When the search fails on it.
    pub fn check_text(&self, artifact: &str, text: &str) -> Result<Option<Leak>, RedactError> {
        self.check(artifact, Markup::Plain, &mut text.as_bytes())
    }

    /// From now on nothing counts that stands in `ours`, words and pictures of this program's own: whoever took one of
    /// them for a password cannot have it masked in every report.
    pub fn except(&mut self, ours: &[u8]) {
        self.plain.except(ours);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Carrier, Learner, PseudonymKey, Settings};

    #[test]
    fn a_known_secret_is_found_in_what_was_written_and_its_mask_is_not() {
        let engine = engine("DB_PASSWORD=x8&Kq<2mZw9\"1\0");
        let verifier = engine.verifier();
        let leak = |markup, text: &str| {
            verifier.check("report", markup, &mut text.as_bytes()).expect("it is read").map(|leak| leak.encoding)
        };
        assert_eq!(leak(Markup::Plain, "a x8&Kq<2mZw9\"1 b"), Some(Encoding::Raw));
        assert_eq!(leak(Markup::Html, "<p>a x8&amp;Kq&#60;2mZw9&#x22;1 b"), Some(Encoding::Raw));
        assert_eq!(leak(Markup::Json, r#"{"m":"a x8\u0026Kq<2mZw9\"1 b"}"#), Some(Encoding::Raw));
        assert_eq!(leak(Markup::Plain, "a ghp_0123456789abcdefghijABCDEFGHIJ012345 b"), Some(Encoding::Raw));
        let masked = engine.text("a x8&Kq<2mZw9\"1 b, password=x8, ghp_0123456789abcdefghijABCDEFGHIJ012345");
        assert_eq!(leak(Markup::Plain, &masked), None);
        assert_eq!(leak(Markup::Html, &masked), None);
    }

    fn engine(environ: &str) -> Engine {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let mut learner = Learner::new(&Settings::default(), key).expect("no rules of the user's");
        learner.learn(Carrier::Environ, "environ", environ.as_bytes()).expect("it is learned");
        learner.finish()
    }

    #[test]
    fn a_secret_is_found_wherever_the_reading_is_cut() {
        let engine = engine("DB_PASSWORD=x8Kq2mZw91LpTr5v\0");
        let verifier = engine.verifier();
        for (secret, rule) in [
            ("x8Kq2mZw91LpTr5v", "known-secret"),
            ("eDhLcTJtWnc5MUxwVHI1d", "known-secret"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "token"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7", "pem"),
            ("$6$abcdefgh01234567$q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5v.abc", "password-hash"),
        ] {
            for before in [0, 100, (256 << 10) - 20, (256 << 10) + 8190, 300_000] {
                let text = format!("{} {secret} and more\n{}", ".".repeat(before), ".".repeat(9000));
                let leak = verifier.check("log", Markup::Plain, &mut text.as_bytes()).expect("it is read");
                assert_eq!(leak.map(|leak| leak.rule), Some(rule.to_owned()), "{secret} after {before}");
            }
        }
    }

    #[test]
    fn our_own_words_are_no_leak() {
        let engine = engine("DB_PASSWORD=vm.overcommit-M3mory\0");
        let mut verifier = engine.verifier();
        let text = "vm.overcommit-M3mory";
        assert!(verifier.check("report", Markup::Plain, &mut text.as_bytes()).expect("it is read").is_some());
        verifier.except(b"set vm.overcommit-M3mory to 1");
        assert!(verifier.check("report", Markup::Plain, &mut text.as_bytes()).expect("it is read").is_none());
    }
}
