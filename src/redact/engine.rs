//! The second pass: masking.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use super::carrier::Carrier;
use super::decode;
use super::error::RedactError;
use super::learner::Learner;
use super::literals::Literals;
use super::mixing::Mixed;
use super::pseudonym::{MASK_PREFIX, PseudonymKey, Tag};
use super::scan::{Layers, Scanner};
use super::secret::Secret;
use super::settings::{Compiled, Settings, SettingsError};
use super::shape::{self, HexIs};
use super::span::{Form, Rule, Span};
use super::stream::{self, Fingerprint, Piece, STRUCTURED_BYTES_MAX, read_whole};
use super::summary::{Ledger, Summary, Tally};
use super::unknown::Unknown;

/// What stands in place of a text on which the engine failed.
const FAILED: &str = "[redaction failed]";
/// What overwrites salt and hash where the length has to stay: no character of either alphabet, so that nobody, and no
/// search, takes it for a hash.
const FILLER: &[u8] = b"*";
/// Words of the name of a file that are looked at.
const WORDS_OF_NAME_MAX: usize = 16;
/// Bytes of the shortest secret that the word before it tells in the name of a file.
const OPAQUE_BYTES_MIN: usize = 16;
/// The artifact under which single texts are counted.
const TEXTS: &str = "report";

/// Masks secrets. It may be used from several threads; results do not depend on which.
pub struct Engine {
    rules: Compiled,
    key: PseudonymKey,
    secrets: Vec<Secret>,
    places: HashMap<Tag, usize, Mixed>,
    literals: Literals,
    /// By place: whether a secret is looked for everywhere.
    wanted: Vec<bool>,
    suppressed: BTreeMap<String, u64>,
    /// Short tags that two secrets share.
    shared_tags: HashSet<Vec<u8>>,
    fingerprints: HashMap<String, Fingerprint>,
    ledger: Mutex<Ledger>,
}

/// What became of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSummary {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Masks put in.
    pub masks: u64,
}

/// What a search of unknown data said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// No secret, in no encoding.
    Clean,
    /// A hit of this rule.
    Hit {
        /// The rule's name.
        rule: String,
    },
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl Learner {
    /// The engine that knows all that was learned.
    #[must_use]
    pub fn finish(self) -> Engine {
        let (wanted, suppressed) = self.propagation();
        let Self { rules, key, secrets, places, fingerprints, .. } = self;
        let literals = Literals::new(&secrets, |place| wanted[place]);
        let (mut seen, mut shared_tags) = (HashSet::new(), HashSet::new());
        for tag in places.keys() {
            if !seen.insert(tag.short()) {
                shared_tags.insert(tag.short().to_vec());
            }
        }
        Engine {
            rules,
            key,
            secrets,
            places,
            literals,
            wanted,
            suppressed,
            shared_tags,
            fingerprints,
            ledger: Mutex::default(),
        }
    }
}

impl Engine {
    /// An engine that has learned nothing, for texts outside a snapshot: our own logs and errors.
    ///
    /// # Errors
    /// When the user's rules cannot be used.
    pub fn unlearned(settings: &Settings, key: PseudonymKey) -> Result<Self, SettingsError> {
        Ok(Learner::new(settings, key)?.finish())
    }

    /// `text` with its secrets masked. When the engine fails on it, a note stands in its place.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        match self.bytes(Carrier::Text, TEXTS, text.as_bytes()) {
            Ok(masked) => String::from_utf8(masked)
                .unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned()),
            Err(_) => FAILED.to_owned(),
        }
    }

    /// The name of a file, or a path, with its secrets masked: where nothing but signs divides words, a token begins behind
    /// one, and `token-…` says what follows it as an assignment does.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        self.parts_of_name(&self.text(name))
    }

    fn parts_of_name(&self, name: &str) -> String {
        let parts = name.split('/').map(|part| self.part_of_name(part).unwrap_or_else(|| part.to_owned()));
        parts.collect::<Vec<String>>().join("/")
    }

    /// A part of a path in which no secret is found as in text, if one is masked in it.
    fn part_of_name(&self, part: &str) -> Option<String> {
        let behind = part.match_indices(['-', '_', '.']).map(|(at, sign)| at + sign.len()).take(WORDS_OF_NAME_MAX);
        for from in behind.filter(|_| !part.contains(MASK_PREFIX)) {
            let (head, tail) = part.split_at(from);
            let word = tail.split('.').next().unwrap_or(tail);
            if word.len() < OPAQUE_BYTES_MIN {
                continue;
            }
            if let Some(masked) = self.begins_masked("", tail) {
                return Some(head.to_owned() + &masked);
            }
            let opaque = shape::is_random(word.as_bytes(), HexIs::Hash);
            if let Some(masked) = self.begins_masked(&format!("{}=", &head[..from - 1]), word).filter(|_| opaque) {
                return Some(head.to_owned() + &masked + &tail[word.len()..]);
            }
        }
        None
    }

    /// `text` masked as what stands behind `before`, if a mask begins it.
    fn begins_masked(&self, before: &str, text: &str) -> Option<String> {
        let masked = self.masked(Carrier::Text, format!("{before}{text}").as_bytes()).ok()?;
        let masked = String::from_utf8(masked).ok()?;
        let masked = masked.strip_prefix(before)?;
        masked.starts_with(MASK_PREFIX).then(|| masked.to_owned())
    }

    /// `bytes` with their secrets masked; bytes outside the masks are unchanged. `artifact` names them in the summary.
    ///
    /// # Errors
    /// [`RedactError::Panicked`]: the artifact must be left out.
    pub fn bytes(&self, carrier: Carrier, artifact: &str, bytes: &[u8]) -> Result<Vec<u8>, RedactError> {
        let (out, tally) = self.masked_and_counted(carrier, bytes).map_err(|error| self.failed(artifact, error))?;
        self.tell(artifact, &tally);
        Ok(out)
    }

    /// [`bytes`](Self::bytes), counted nowhere.
    pub(super) fn masked(&self, carrier: Carrier, bytes: &[u8]) -> Result<Vec<u8>, RedactError> {
        self.masked_and_counted(carrier, bytes).map(|(out, _)| out)
    }

    fn masked_and_counted(&self, carrier: Carrier, bytes: &[u8]) -> Result<(Vec<u8>, Tally), RedactError> {
        catch_unwind(AssertUnwindSafe(|| {
            let mut tally = Tally::default();
            let mut out = Vec::with_capacity(bytes.len());
            let mut done = 0;
            for span in self.scanner(Layers::All).spans(carrier, bytes) {
                out.extend_from_slice(&bytes[done..span.start]);
                self.mask(&span, &bytes[span.start..span.end], &mut out, &mut tally);
                done = span.end;
            }
            out.extend_from_slice(&bytes[done..]);
            (out, tally)
        }))
        .map_err(|_| RedactError::Panicked)
    }

    /// Masks a stream in constant memory.
    ///
    /// # Errors
    /// When reading or writing fails, when the engine fails, and with [`RedactError::Changed`] when
    /// [`Learner::learn_stream`] saw other data under this name: what was written must then be thrown away.
    pub fn stream(
        &self,
        carrier: Carrier,
        artifact: &str,
        reader: &mut dyn Read,
        writer: &mut dyn Write,
    ) -> Result<StreamSummary, RedactError> {
        let run = AssertUnwindSafe(|| self.stream_inner(carrier, artifact, reader, writer));
        catch_unwind(run).unwrap_or(Err(RedactError::Panicked)).map_err(|error| self.failed(artifact, error))
    }

    fn stream_inner(
        &self,
        carrier: Carrier,
        artifact: &str,
        reader: &mut dyn Read,
        writer: &mut dyn Write,
    ) -> Result<StreamSummary, RedactError> {
        let (read_bytes, written_bytes, masks, fingerprint);
        if carrier == Carrier::Text {
            let (mut tally, mut mask, mut written) = (Tally::default(), Vec::new(), 0_u64);
            let read = stream::cut(&self.scanner(Layers::All), reader, &mut |piece| {
                let out = match piece {
                    Piece::Clear(bytes) => bytes,
                    Piece::Secret(span, bytes) => {
                        mask.clear();
                        self.mask(span, bytes, &mut mask, &mut tally);
                        &mask
                    }
                };
                written += out.len() as u64;
                writer.write_all(out).map_err(RedactError::Write)
            })?;
            self.tell(artifact, &tally);
            (read_bytes, written_bytes, masks, fingerprint) = (read.bytes, written, tally.masks, read.fingerprint);
        } else {
            let (bytes, print) = read_whole(reader, STRUCTURED_BYTES_MAX)?;
            let (masked, tally) = self.masked_and_counted(carrier, &bytes)?;
            writer.write_all(&masked).map_err(RedactError::Write)?;
            self.tell(artifact, &tally);
            (read_bytes, written_bytes) = (bytes.len() as u64, masked.len() as u64);
            (masks, fingerprint) = (tally.masks, print);
        }
        self.unchanged(artifact, fingerprint)?;
        Ok(StreamSummary { read_bytes, written_bytes, masks })
    }

    /// Copies a binary of known layout with the salt and hash of every password verifier in it overwritten by as many
    /// bytes: Iggy's `state/log`.
    ///
    /// # Errors
    /// When reading or writing fails.
    pub fn equal_length_verifiers(
        &self,
        artifact: &str,
        reader: &mut dyn Read,
        writer: &mut dyn Write,
    ) -> Result<StreamSummary, RedactError> {
        let run = AssertUnwindSafe(|| {
            let (mut tally, mut filler, mut written) = (Tally::default(), Vec::new(), 0_u64);
            let read = stream::cut(&self.scanner(Layers::Verifiers), reader, &mut |piece| {
                let out = match piece {
                    Piece::Clear(bytes) => bytes,
                    Piece::Secret(span, bytes) => {
                        tally.mask(span.rule, self.tag(span, bytes).0, bytes.len());
                        filler.clear();
                        filler.extend(bytes.iter().zip(FILLER.iter().cycle()).map(|(byte, filler)| match byte {
                            b'$' => b'$',
                            _ => *filler,
                        }));
                        &filler
                    }
                };
                written += out.len() as u64;
                writer.write_all(out).map_err(RedactError::Write)
            })?;
            self.tell(artifact, &tally);
            self.unchanged(artifact, read.fingerprint)?;
            Ok(StreamSummary { read_bytes: read.bytes, written_bytes: written, masks: tally.masks })
        });
        catch_unwind(run).unwrap_or(Err(RedactError::Panicked)).map_err(|error| self.failed(artifact, error))
    }

    /// Searches data of unknown layout for any known secret, in any encoding, and for all else that text would have masked.
    ///
    /// # Errors
    /// When reading or the engine fails; the artifact is then listed among those left out.
    pub fn scan(&self, artifact: &str, reader: &mut dyn Read) -> Result<Scan, RedactError> {
        let (mut hit, mut unknown) = (None, Unknown::default());
        let run = AssertUnwindSafe(|| {
            stream::cut(&self.scanner(Layers::All), reader, &mut |piece| {
                if let Some((span, _)) = unknown.secret(&piece) {
                    hit.get_or_insert_with(|| self.rule_name(span.rule).to_owned());
                }
                Ok(())
            })
        });
        catch_unwind(run).unwrap_or(Err(RedactError::Panicked)).map_err(|error| self.failed(artifact, error))?;
        Ok(hit.map_or(Scan::Clean, |rule| Scan::Hit { rule }))
    }

    /// What was done so far, without values.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            ruleset: super::scan::ruleset(&self.rules),
            secrets_learned: self.secrets.len() as u64,
            secrets_propagated: self.propagated().count() as u64,
            propagation_suppressed: self.suppressed.clone(),
            ..Summary::default()
        };
        let shown = |tag: &Tag| String::from_utf8_lossy(self.shown(tag)).into_owned();
        let named = |artifact: &str| {
            let masked = self.masked(Carrier::Text, artifact.as_bytes());
            let name = masked.map_or_else(|_| FAILED.to_owned(), |name| String::from_utf8_lossy(&name).into_owned());
            self.parts_of_name(&name)
        };
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).tell(&mut summary, shown, named);
        summary
    }

    /// The secrets that are looked for everywhere.
    pub(super) fn propagated(&self) -> impl Iterator<Item = &[u8]> {
        let wanted = self.secrets.iter().zip(&self.wanted).filter(|(_, wanted)| **wanted);
        wanted.map(|(secret, _)| secret.bytes.as_slice())
    }

    /// Whether the user's rules let this value through.
    pub(super) fn allows(&self, value: &[u8]) -> bool {
        self.rules.allows(value)
    }

    pub(super) fn scanner(&self, layers: Layers) -> Scanner<'_> {
        Scanner { rules: &self.rules, literals: Some(&self.literals), layers }
    }

    fn tell(&self, artifact: &str, tally: &Tally) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).add(artifact, tally, |rule| self.rule_name(rule));
    }

    fn failed(&self, artifact: &str, error: RedactError) -> RedactError {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).fail(artifact, error.to_string());
        error
    }

    /// Whether what was read is what was learned from.
    fn unchanged(&self, artifact: &str, read: Fingerprint) -> Result<(), RedactError> {
        match self.fingerprints.get(artifact) {
            Some(learned) if *learned != read => Err(RedactError::Changed),
            _ => Ok(()),
        }
    }

    /// The tag of a span's secret, and what a mask ends with.
    fn tag(&self, span: &Span, bytes: &[u8]) -> (Tag, &'static str) {
        match span.form {
            Form::Known { secret, encoding } => (self.key.tag(&self.secrets[secret].bytes), encoding.suffix()),
            Form::Raw | Form::Bare { .. } => (self.key.tag(bytes), ""),
            _ => (self.key.tag(&decode::secret(span, bytes)), ""),
        }
    }

    pub(super) fn rule_name(&self, rule: Rule) -> &str {
        match rule {
            Rule::Builtin(name) => name,
            Rule::Custom(place) => &self.rules.patterns[place].name,
        }
    }

    fn shown<'t>(&self, tag: &'t Tag) -> &'t [u8] {
        let shared = !self.shared_tags.is_empty() && self.shared_tags.contains(tag.short());
        if shared { tag.long() } else { tag.short() }
    }

    /// Appends the mask of a span to `out`.
    pub(super) fn mask(&self, span: &Span, bytes: &[u8], out: &mut Vec<u8>, tally: &mut Tally) {
        if span.form == Form::Rest {
            tally.rest(span.rule, bytes.len());
            return;
        }
        let remembered = if span.form == Form::Raw { tally.remembered(bytes) } else { None };
        let (tag, suffix, learned) = remembered.map_or_else(
            || {
                let (tag, suffix) = self.tag(span, bytes);
                let learned = self.places.get(&tag).map(|place| self.secrets[*place].class);
                if span.form == Form::Raw {
                    tally.remember(bytes, tag, learned);
                }
                (tag, suffix, learned)
            },
            |(tag, learned)| (tag, "", learned),
        );
        let class = learned.unwrap_or(span.class);
        tally.mask(span.rule, tag, bytes.len());
        let mask = |out: &mut Vec<u8>| {
            out.extend_from_slice(MASK_PREFIX.as_bytes());
            out.extend_from_slice(class.word().as_bytes());
            out.push(b'-');
            out.extend_from_slice(self.shown(&tag));
            out.extend_from_slice(suffix.as_bytes());
        };
        match span.form {
            Form::Bare { quote, depth } => {
                let mut quotes = vec![b'\\'; usize::from(depth)];
                quotes.push(quote);
                out.extend_from_slice(&quotes);
                mask(out);
                out.extend_from_slice(&quotes);
            }
            _ => mask(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lose_the_tokens_in_them() {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let engine = Engine::unlearned(&Settings::default(), key).expect("no rules of the user's");
        for (name, head, tail) in [
            ("a/bob_ghp_0123456789abcdefghijABCDEFGHIJ012345.log", "a/bob_REDACTED-tok-", ".log"),
            ("token-7f3kQ9zLmX2vB8nR4tYw.txt", "REDACTED-tok-", ".txt"),
            ("secret_9fK2mQ7xZ4vB8nR3.bak", "secret_REDACTED-key-", ".bak"),
        ] {
            let masked = engine.name(name);
            assert!(masked.starts_with(head) && masked.ends_with(tail), "{masked}");
        }
        for name in [
            "libsecret-1.so.0.0.0",
            "token-store/data-v2.db",
            "secret-service-1.2.3.tar.gz",
            "password-6f1ed002ab5595859014ebf0951522d9.rs",
            "key-0123456789abcdef.index",
        ] {
            assert_eq!(engine.name(name), name);
        }
    }
}
