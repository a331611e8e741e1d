//! The first pass: learning which secrets this host holds, so that the second finds them everywhere.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zeroize::Zeroizing;

use super::carrier::Carrier;
use super::error::RedactError;
use super::literals::{Literals, Vocabulary, is_distinctive, may_propagate};
use super::mixing::Mixed;
use super::pseudonym::{Class, PseudonymKey, Tag};
use super::scan::{Layers, PACKED, Scanner};
use super::secret::Secret;
use super::settings::{Compiled, Settings, SettingsError};
use super::span::{Form, Rule, Seed, Span};
use super::stream::{self, Fingerprint, Piece, STRUCTURED_BYTES_MAX, Taken, read_whole};
use super::unknown::Unknown;

/// Different secrets that are remembered; those past it are masked only where they are found.
const SECRETS_MAX: usize = 1 << 16;
/// Bytes of a secret that is remembered; a longer one is masked only where it is found.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// Bytes of one artifact that are kept to see which secrets are common words here, and of all.
const SAMPLE_BYTES_MAX: usize = 1 << 20;
const SAMPLES_BYTES_MAX: usize = 16 << 20;
/// Hits outside the places of secrets from which a value counts as a common word.
const HITS_MAX: u64 = 50;
/// One artifact in this many must hold a value for it to count as a common word, when there are enough artifacts: a
/// password in three of ten logs is a password in three logs.
const ARTIFACTS_SHARE_MAX: usize = 5;
const ARTIFACTS_MIN: usize = 40;

/// Where a value stands outside the places of secrets.
#[derive(Default)]
struct Hits {
    count: u64,
    artifacts: usize,
    last: Option<usize>,
}

/// Learns secrets, then becomes an [`Engine`](super::Engine).
pub struct Learner {
    pub(super) rules: Compiled,
    pub(super) key: PseudonymKey,
    pub(super) secrets: Vec<Secret>,
    pub(super) places: HashMap<Tag, usize, Mixed>,
    pub(super) fingerprints: HashMap<String, Fingerprint>,
    vocabulary: Vocabulary,
    /// Clear parts of what was read, an artifact each, to see which secrets are common words of this host.
    samples: Vec<Vec<u8>>,
    sample_places: HashMap<String, usize>,
    sampled: usize,
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
        let mut learner = Self {
            rules,
            key,
            secrets: Vec::new(),
            places: HashMap::default(),
            fingerprints: HashMap::new(),
            vocabulary: Vocabulary::default(),
            samples: Vec::new(),
            sample_places: HashMap::new(),
            sampled: 0,
        };
        for literal in literals {
            learner.remember(&literal, Class::Password, Rule::Builtin("literals_file"), Seed::Listed);
        }
        Ok(learner)
    }

    /// Learns the secrets of data that is there as a whole. What is learned under one name counts as one artifact.
    ///
    /// # Errors
    /// [`RedactError::Panicked`]: the artifact must be left out.
    pub fn learn(&mut self, carrier: Carrier, artifact: &str, bytes: &[u8]) -> Result<(), RedactError> {
        let rules = std::mem::take(&mut self.rules);
        let scanner = Scanner { rules: &rules, literals: None, layers: Layers::All };
        let read = catch_unwind(AssertUnwindSafe(|| {
            self.found_in(&scanner, artifact, &scanner.spans(carrier, bytes), bytes);
        }));
        self.rules = rules;
        read.map_err(|_| RedactError::Panicked)
    }

    /// Learns these secrets of an artifact, and samples what stands between them.
    fn found_in(&mut self, scanner: &Scanner<'_>, artifact: &str, spans: &[Span], bytes: &[u8]) {
        let mut clear = 0;
        let place = self.sample_of(artifact);
        for span in spans {
            self.found(scanner, span, &bytes[span.start..span.end]);
            self.sample(place, &bytes[clear..span.start]);
            clear = span.end;
        }
        self.sample(place, &bytes[clear..]);
    }

    /// Learns the secrets of a stream in constant memory, and keeps its fingerprint: when
    /// [`Engine::stream`](super::Engine::stream) reads the artifact of this name again and it is not the same, that fails.
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
        let place = self.sample_of(artifact);
        let read = self.cut(reader, &mut |learner, scanner, piece| match piece {
            Piece::Secret(span, bytes) => learner.found(scanner, span, bytes),
            Piece::Clear(bytes) => learner.sample(place, bytes),
        })?;
        self.fingerprints.insert(artifact.to_owned(), read.fingerprint);
        Ok(read.bytes)
    }

    /// Learns the secrets of data of unknown layout, which [`Engine::scan`](super::Engine::scan) will search.
    ///
    /// # Errors
    /// When it cannot be read, or the engine fails on it.
    pub fn learn_unknown(&mut self, reader: &mut dyn Read) -> Result<u64, RedactError> {
        let mut unknown = Unknown::default();
        let read = self.cut(reader, &mut |learner, scanner, piece| {
            if let Some((span, bytes)) = unknown.secret(&piece) {
                learner.found(scanner, span, bytes);
            }
        })?;
        Ok(read.bytes)
    }

    /// Hands out the pieces of a stream in which no secret is known.
    fn cut(
        &mut self,
        reader: &mut dyn Read,
        each: &mut dyn FnMut(&mut Self, &Scanner<'_>, Piece<'_>),
    ) -> Result<Taken, RedactError> {
        let rules = std::mem::take(&mut self.rules);
        let scanner = Scanner { rules: &rules, literals: None, layers: Layers::All };
        let read = catch_unwind(AssertUnwindSafe(|| {
            stream::cut(&scanner, reader, &mut |piece| {
                each(self, &scanner, piece);
                Ok(())
            })
        }))
        .unwrap_or(Err(RedactError::Panicked));
        self.rules = rules;
        read
    }

    /// Learns a value that is known to be secret: it is masked wherever it stands unless it is shorter than 8 bytes.
    pub fn learn_secret(&mut self, secret: &[u8], class: Class) {
        self.remember(secret, class, Rule::Builtin("typed"), Seed::Told);
    }

    /// Words that no secret may blank wherever they stand: this host's names, users, units, processes, streams, topics.
    pub fn learn_vocabulary<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        for word in words {
            self.vocabulary.add(word);
        }
    }

    /// Which secrets are looked for everywhere, and how many of which rule are not because they are common here.
    pub(super) fn propagation(&self) -> (Vec<bool>, BTreeMap<String, u64>) {
        let mut wanted: Vec<bool> =
            self.secrets.iter().map(|secret| may_propagate(&secret.bytes, secret.seed, &self.vocabulary)).collect();
        let suspect = |place: usize| {
            let secret = &self.secrets[place];
            wanted[place] && secret.seed < Seed::Told && !is_distinctive(&secret.bytes)
        };
        let literals = Literals::new(&self.secrets, suspect);
        let mut suppressed = BTreeMap::new();
        for (place, hits) in self.hits(&literals) {
            let share =
                hits.artifacts * ARTIFACTS_SHARE_MAX > self.samples.len() && self.samples.len() >= ARTIFACTS_MIN;
            if hits.count > HITS_MAX || share {
                wanted[place] = false;
                if let Rule::Builtin(name) = self.secrets[place].rule {
                    *suppressed.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
        (wanted, suppressed)
    }

    fn hits(&self, literals: &Literals) -> HashMap<usize, Hits> {
        let mut hits: HashMap<usize, Hits> = HashMap::new();
        let mut positions = Vec::new();
        for (number, sample) in self.samples.iter().enumerate() {
            positions.clear();
            literals.positions(sample, &mut positions);
            for span in positions.iter().filter_map(|at| literals.at(sample, *at)) {
                let Form::Known { secret, .. } = span.form else { continue };
                let hits = hits.entry(secret).or_default();
                hits.count += 1;
                if hits.last != Some(number) {
                    hits.last = Some(number);
                    hits.artifacts += 1;
                }
            }
        }
        hits
    }

    /// The place of an artifact's sample.
    fn sample_of(&mut self, artifact: &str) -> usize {
        if let Some(place) = self.sample_places.get(artifact) {
            return *place;
        }
        self.samples.push(Vec::new());
        self.sample_places.insert(artifact.to_owned(), self.samples.len() - 1);
        self.samples.len() - 1
    }

    fn sample(&mut self, place: usize, bytes: &[u8]) {
        let sample = &mut self.samples[place];
        let room = SAMPLE_BYTES_MAX.saturating_sub(sample.len()).min(SAMPLES_BYTES_MAX.saturating_sub(self.sampled));
        let taken = &bytes[..bytes.len().min(room)];
        sample.extend_from_slice(taken);
        self.sampled += taken.len();
    }

    fn found(&mut self, scanner: &Scanner<'_>, span: &Span, bytes: &[u8]) {
        if span.rule == PACKED {
            scanner.unpacked(bytes, &mut |span, bytes| self.found(scanner, span, bytes));
        }
        let secret = super::decode::secret(span, bytes);
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
