//! The first pass: learning which secrets this host holds, so that the second finds them everywhere.

use std::collections::HashMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zeroize::Zeroizing;

use super::carrier::Carrier;
use super::engine::{Engine, STRUCTURED_BYTES_MAX, read_whole};
use super::error::RedactError;
use super::pseudonym::{Class, PseudonymKey, Tag};
use super::scan::Scanner;
use super::settings::{Compiled, Settings, SettingsError};
use super::span::{Rule, Seed, Span};
use super::stream::{self, Fingerprint, Piece};

/// Different secrets that are remembered; those past it are masked only where they are found.
const SECRETS_MAX: usize = 1 << 16;
/// Bytes of a secret that is remembered; a longer one is masked only where it is found.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// A secret that was learned.
pub(super) struct Secret {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) class: Class,
    pub(super) rule: Rule,
    pub(super) seed: Seed,
}

/// Learns secrets, then becomes an [`Engine`].
pub struct Learner {
    pub(super) rules: Compiled,
    pub(super) key: PseudonymKey,
    pub(super) secrets: Vec<Secret>,
    pub(super) places: HashMap<Tag, usize>,
    pub(super) fingerprints: HashMap<String, Fingerprint>,
}

impl std::fmt::Debug for Learner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Learner").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl Learner {
    /// A learner that knows only the literals of the user's own file.
    ///
    /// # Errors
    /// When the user's rules cannot be used, which [`Settings::validate`] tells at start.
    pub fn new(settings: &Settings, key: PseudonymKey) -> Result<Self, SettingsError> {
        let mut rules = settings.compile()?;
        let literals = std::mem::take(&mut rules.literals);
        let mut learner =
            Self { rules, key, secrets: Vec::new(), places: HashMap::new(), fingerprints: HashMap::new() };
        for literal in literals {
            learner.remember(&literal, Class::Password, Rule::Builtin("literals_file"), Seed::Told);
        }
        Ok(learner)
    }

    /// Learns the secrets of data that is there as a whole. `artifact` names it in the summary.
    ///
    /// # Errors
    /// [`RedactError::Panicked`]: the artifact must be left out.
    pub fn learn(&mut self, carrier: Carrier, artifact: &str, bytes: &[u8]) -> Result<(), RedactError> {
        let _ = artifact;
        let scanner = Scanner { rules: &self.rules };
        let spans =
            catch_unwind(AssertUnwindSafe(|| scanner.spans(carrier, bytes))).map_err(|_| RedactError::Panicked)?;
        for span in &spans {
            self.found(span, &bytes[span.start..span.end]);
        }
        Ok(())
    }

    /// Learns the secrets of a stream in constant memory, and keeps its fingerprint: when [`Engine::stream`] reads the
    /// artifact of this name again and it is not the same, that fails.
    ///
    /// # Errors
    /// When the stream cannot be read, or the engine fails on it: the artifact must be left out.
    pub fn learn_stream(
        &mut self,
        carrier: Carrier,
        artifact: &str,
        reader: &mut dyn Read,
    ) -> Result<u64, RedactError> {
        if carrier != Carrier::Text {
            let (bytes, fingerprint) = read_whole(reader, STRUCTURED_BYTES_MAX)?;
            self.learn(carrier, artifact, &bytes)?;
            self.fingerprints.insert(artifact.to_owned(), fingerprint);
            return Ok(bytes.len() as u64);
        }
        let rules = std::mem::take(&mut self.rules);
        let read = catch_unwind(AssertUnwindSafe(|| {
            stream::cut(&Scanner { rules: &rules }, reader, &mut |piece| {
                if let Piece::Secret(span, bytes) = piece {
                    self.found(span, bytes);
                }
                Ok(())
            })
        }))
        .unwrap_or(Err(RedactError::Panicked));
        self.rules = rules;
        let read = read?;
        self.fingerprints.insert(artifact.to_owned(), read.fingerprint);
        Ok(read.bytes)
    }

    /// Learns a value that is known to be secret: it is masked wherever it stands unless it is shorter than 8 bytes.
    pub fn learn_secret(&mut self, secret: &[u8], class: Class) {
        self.remember(secret, class, Rule::Builtin("typed"), Seed::Told);
    }

    /// The engine that knows all that was learned.
    #[must_use]
    pub fn finish(self) -> Engine {
        Engine::new(self)
    }

    fn found(&mut self, span: &Span, bytes: &[u8]) {
        let secret = super::engine::decoded(span, bytes);
        self.remember(&secret, span.class, span.rule, span.seed);
    }

    fn remember(&mut self, secret: &[u8], class: Class, rule: Rule, seed: Seed) {
        if secret.is_empty() || secret.len() > SECRET_BYTES_MAX || seed == Seed::Never {
            return;
        }
        let tag = self.key.tag(secret);
        if let Some(place) = self.places.get(&tag) {
            let known = &mut self.secrets[*place];
            known.seed = known.seed.max(seed);
        } else if self.secrets.len() < SECRETS_MAX {
            self.places.insert(tag, self.secrets.len());
            self.secrets.push(Secret { bytes: Zeroizing::new(secret.to_vec()), class, rule, seed });
        }
    }
}
