//! What was masked, told without values: counts per rule and per artifact, and which tags met where.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::mixing::{Mixed, Mixing};
use super::pseudonym::{Class, Tag};
use super::span::Rule;

/// Artifacts that a summary tells apart; those past it are counted together under [`OTHERS`].
const ARTIFACTS_MAX: usize = 4096;
/// Tags whose artifacts a summary counts.
const TAGS_MAX: usize = 4096;
/// Secrets that are told apart when those of one rule or of one artifact are counted.
const SECRETS_MAX: usize = 4096;
/// The name under which artifacts past the limit are counted.
const OTHERS: &str = "(others)";
/// Masked bytes are told in units of this many, so that the length of one secret does not show.
const BYTES_UNIT: u64 = 64;

/// Masks of one rule or in one artifact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masks {
    /// How many masks.
    pub masks: u64,
    /// How many different secrets; 4,096 means so many or more.
    pub secrets: u64,
    /// How many bytes they replaced, rounded up to 64 so that no length shows.
    pub masked_bytes: u64,
}

/// What the engine did, without any value, length or place inside a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Hash of the rules in force, the user's included.
    pub ruleset: String,
    /// Different secrets known before anything was masked.
    pub secrets_learned: u64,
    /// Of those, how many are looked for everywhere.
    pub secrets_propagated: u64,
    /// Rules whose secrets were common words of this host, and are therefore masked only where they were found.
    pub propagation_suppressed: BTreeMap<String, u64>,
    /// Masks by rule.
    pub rules: BTreeMap<String, Masks>,
    /// Masks by artifact; an artifact without any is listed with zeros.
    pub artifacts: BTreeMap<String, Masks>,
    /// In how many artifacts each secret was met, by its tag.
    pub tags: BTreeMap<String, u64>,
    /// Artifacts that could not be redacted and were left out, with the reason.
    pub failed: BTreeMap<String, String>,
}

#[derive(Default)]
struct Count {
    masks: u64,
    masked_bytes: u64,
    tags: HashSet<Tag, Mixed>,
}

impl Count {
    fn add(&mut self, other: &Count) {
        self.masks += other.masks;
        self.masked_bytes += other.masked_bytes;
        other.tags.iter().for_each(|tag| self.meet(*tag));
    }

    fn meet(&mut self, tag: Tag) {
        if self.tags.len() < SECRETS_MAX {
            self.tags.insert(tag);
        }
    }

    fn told(&self) -> Masks {
        Masks {
            masks: self.masks,
            secrets: self.tags.len() as u64,
            masked_bytes: self.masked_bytes.div_ceil(BYTES_UNIT) * BYTES_UNIT,
        }
    }
}

/// Counts of one piece of work, merged into the engine's at its end.
#[derive(Default)]
pub(super) struct Tally {
    /// Few, and mostly the one before: looked through one by one.
    rules: Vec<(Rule, Count)>,
    pub(super) masks: u64,
    /// The last secrets, each at a place that its bytes give: data repeats them.
    met: Vec<Option<Met>>,
}

/// A secret that was met, its tag, and the class under which it was learned.
type Met = (Zeroizing<Vec<u8>>, Tag, Option<Class>);

/// Secrets that are remembered, and bytes of the longest.
const MET: usize = 256;
const MET_BYTES_MAX: usize = 128;

impl Tally {
    fn place_of(secret: &[u8]) -> usize {
        let mut hasher = Mixing::default();
        hasher.write(secret);
        usize::try_from(hasher.finish() % MET as u64).expect("there are few places")
    }

    /// The tag of a secret that was met lately, and the class under which it was learned.
    pub(super) fn remembered(&self, secret: &[u8]) -> Option<(Tag, Option<Class>)> {
        let (known, tag, class) = self.met.get(Self::place_of(secret))?.as_ref()?;
        (known.as_slice() == secret).then_some((*tag, *class))
    }

    /// Remembers a secret.
    pub(super) fn remember(&mut self, secret: &[u8], tag: Tag, learned: Option<Class>) {
        if secret.len() > MET_BYTES_MAX {
            return;
        }
        if self.met.is_empty() {
            self.met.resize_with(MET, || None);
        }
        let met = &mut self.met[Self::place_of(secret)];
        match met {
            Some((known, known_tag, class)) => {
                known.clear();
                known.extend_from_slice(secret);
                (*known_tag, *class) = (tag, learned);
            }
            None => *met = Some((Zeroizing::new(secret.to_vec()), tag, learned)),
        }
    }

    /// Counts a mask.
    pub(super) fn mask(&mut self, rule: Rule, tag: Tag, masked_bytes: usize) {
        self.masks += 1;
        let place = self.rules.iter().position(|(known, _)| *known == rule).unwrap_or_else(|| {
            self.rules.push((rule, Count::default()));
            self.rules.len() - 1
        });
        let count = &mut self.rules[place].1;
        count.masks += 1;
        count.masked_bytes += masked_bytes as u64;
        count.meet(tag);
    }

    /// Counts bytes swallowed after a mask.
    pub(super) fn rest(&mut self, rule: Rule, masked_bytes: usize) {
        if let Some((_, count)) = self.rules.iter_mut().find(|(known, _)| *known == rule) {
            count.masked_bytes += masked_bytes as u64;
        }
    }
}

/// The counts of an engine.
#[derive(Default)]
pub(super) struct Ledger {
    rules: BTreeMap<String, Count>,
    artifacts: BTreeMap<String, Count>,
    tags: HashMap<Tag, BTreeSet<u32>, Mixed>,
    failed: BTreeMap<String, String>,
    numbers: BTreeMap<String, u32>,
}

impl Ledger {
    /// Adds what was done to an artifact.
    pub(super) fn add<'r>(&mut self, artifact: &str, tally: &Tally, rule_name: impl Fn(Rule) -> &'r str) {
        let known = self.artifacts.contains_key(artifact) || self.artifacts.len() < ARTIFACTS_MAX;
        let name = if known { artifact } else { OTHERS };
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(name.to_owned()).or_insert(next);
        let entry = self.artifacts.entry(name.to_owned()).or_default();
        for (rule, count) in &tally.rules {
            entry.add(count);
            self.rules.entry(rule_name(*rule).to_owned()).or_default().add(count);
            for tag in &count.tags {
                if self.tags.len() < TAGS_MAX || self.tags.contains_key(tag) {
                    self.tags.entry(*tag).or_default().insert(number);
                }
            }
        }
    }

    /// Notes that an artifact could not be redacted.
    pub(super) fn fail(&mut self, artifact: &str, reason: String) {
        if self.failed.len() < ARTIFACTS_MAX {
            self.failed.insert(artifact.to_owned(), reason);
        }
    }

    /// Fills the counts of `summary`; `shown` gives a tag as masks show it, `named` an artifact's name as it may be shown.
    pub(super) fn tell(&self, summary: &mut Summary, shown: impl Fn(&Tag) -> String, named: impl Fn(&str) -> String) {
        summary.rules = self.rules.iter().map(|(rule, count)| (rule.clone(), count.told())).collect();
        summary.artifacts = self.artifacts.iter().map(|(name, count)| (named(name), count.told())).collect();
        summary.tags = self.tags.iter().map(|(tag, numbers)| (shown(tag), numbers.len() as u64)).collect();
        summary.failed = self.failed.iter().map(|(name, reason)| (named(name), reason.clone())).collect();
    }
}
