//! A check with its verdict and all that a reader needs to act on it.

use serde::{Deserialize, Serialize};

use super::{Evidence, Map, Visit, Words};
use crate::domain::finding::{Finding, Unit};
use crate::domain::gap::{self, GapReason};
use crate::domain::verdict::{Severity, Verdict};

/// Whether a check decides the headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Decides the headline.
    Core,
    /// Never enters the headline.
    Extended,
}

/// One check on one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check<T> {
    /// Its id, part of the API.
    pub id: Words,
    /// The id of its category.
    pub category: Words,
    /// What is asked.
    pub title: Words,
    /// Core or extended.
    pub tier: Tier,
    /// How much a failure matters.
    pub severity: Severity,
    /// How it ended.
    pub verdict: Verdict,
    /// One sentence with the measured value and the threshold; of a skip, what was not seen.
    pub summary: T,
    /// The number that was judged.
    pub measured: Option<Measured<T>>,
    /// What was expected, for a person.
    pub expected: Option<T>,
    /// The rule in words.
    pub rule: Words,
    /// Where the threshold comes from, in words.
    pub source: Words,
    /// Why it matters for Iggy.
    pub why: Words,
    /// What to do, of what needs attention; a rule may say it of other verdicts, too.
    pub remedy: Option<Remedy<T>>,
    /// Names of documents to read; not links.
    pub references: Vec<Words>,
    /// The proof.
    pub evidence: Vec<Evidence<T>>,
    /// Parts of the question that could not be answered.
    pub gaps: Vec<Gap<T>>,
    /// Why there is no verdict, of a skip.
    pub skip: Option<Gap<T>>,
    /// Settings that differ from their defaults, as `name = value (default value)`.
    pub settings_changed: Vec<T>,
    /// Wall time of the rule, microseconds.
    pub wall_us: u64,
}

/// A number with its unit and the text that a page shows for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured<T> {
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
    /// The number for a person, unit included.
    pub text: T,
}

/// What to do, line by line. A line that reads like prose (a capital, no `=` in its first word) is prose; the others are
/// commands or settings to paste.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", content = "text", rename_all = "snake_case")]
pub enum Remedy<T> {
    /// The catalogue's, for any host.
    AnyHost(Words),
    /// Made for this host.
    ThisHost(T),
}

/// Something that was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap<T> {
    /// The class of the reason.
    pub reason: GapReason,
    /// What was not seen and why.
    pub detail: T,
    /// What would unlock it.
    pub unlock: Option<T>,
}

/// What the catalogue says of a check: static text alone.
#[derive(Debug, Clone, Copy)]
pub struct CheckWords {
    /// Its id.
    pub id: &'static str,
    /// The id of its category.
    pub category: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// Core or extended.
    pub tier: Tier,
    /// How much a failure matters.
    pub severity: Severity,
    /// The rule in words.
    pub rule: &'static str,
    /// Where the threshold comes from.
    pub source: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do; empty for checks that never warn.
    pub remedy: &'static str,
    /// Names of documents.
    pub references: &'static [&'static str],
}

impl Check<String> {
    /// The catalogue's words about a check, and what was found.
    #[must_use]
    pub fn new(words: &CheckWords, finding: Finding) -> Self {
        let verdict = finding.verdict();
        // Where all is well there is nothing to do.
        let general = matches!(verdict, Verdict::Fail | Verdict::Warn) && !words.remedy.is_empty();
        let general = || general.then(|| Remedy::AnyHost(words.remedy.into()));
        let mut check = Self {
            id: words.id.into(),
            category: words.category.into(),
            title: words.title.into(),
            tier: words.tier,
            severity: words.severity,
            verdict,
            summary: String::new(),
            measured: None,
            expected: None,
            rule: words.rule.into(),
            source: words.source.into(),
            why: words.why.into(),
            remedy: None,
            references: words.references.iter().map(|&name| name.into()).collect(),
            evidence: Vec::new(),
            gaps: Vec::new(),
            skip: None,
            settings_changed: finding.settings_changed,
            wall_us: finding.wall_us,
        };
        match finding.outcome {
            Err(gap) => {
                check.summary.clone_from(&gap.detail);
                check.skip = Some(gap.into());
            }
            Ok(judgement) => {
                check.summary = judgement.summary;
                check.measured = judgement.measured.map(|measured| Measured {
                    value: measured.value,
                    unit: measured.unit,
                    text: measured.text,
                });
                check.expected = judgement.expected;
                check.remedy = judgement.remedy.map(Remedy::ThisHost).or_else(general);
                check.evidence = judgement.proofs.into_iter().map(Evidence::from).collect();
                check.gaps = judgement.gaps.into_iter().map(Gap::from).collect();
            }
        }
        check
    }
}

impl<T> Check<T> {
    /// Whether it stands under "needs attention".
    #[must_use]
    pub const fn needs_attention(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warn)
    }

    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Check<U> {
        Check {
            id: self.id,
            category: self.category,
            title: self.title,
            tier: self.tier,
            severity: self.severity,
            verdict: self.verdict,
            summary: f(self.summary),
            measured: self.measured.map(|measured| Measured {
                value: measured.value,
                unit: measured.unit,
                text: f(measured.text),
            }),
            expected: self.expected.map(&mut *f),
            rule: self.rule,
            source: self.source,
            why: self.why,
            remedy: self.remedy.map(|remedy| match remedy {
                Remedy::AnyHost(words) => Remedy::AnyHost(words),
                Remedy::ThisHost(text) => Remedy::ThisHost(f(text)),
            }),
            references: self.references,
            evidence: self.evidence.into_iter().map(|evidence| evidence.map_text(f)).collect(),
            gaps: self.gaps.into_iter().map(|gap| gap.map_text(f)).collect(),
            skip: self.skip.map(|gap| gap.map_text(f)),
            settings_changed: self.settings_changed.into_iter().map(&mut *f).collect(),
            wall_us: self.wall_us,
        }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self {
            id: _,
            category: _,
            title: _,
            tier: _,
            severity: _,
            verdict: _,
            summary,
            measured,
            expected,
            rule: _,
            source: _,
            why: _,
            remedy,
            references: _,
            evidence,
            gaps,
            skip,
            settings_changed,
            wall_us: _,
        } = self;
        f(summary);
        if let Some(Measured { value: _, unit: _, text }) = measured {
            f(text);
        }
        expected.iter().for_each(&mut *f);
        match remedy {
            Some(Remedy::ThisHost(text)) => f(text),
            Some(Remedy::AnyHost(_)) | None => {}
        }
        for evidence in evidence {
            evidence.for_each_text(f);
        }
        for gap in gaps {
            gap.for_each_text(f);
        }
        if let Some(gap) = skip {
            gap.for_each_text(f);
        }
        settings_changed.iter().for_each(&mut *f);
    }
}

impl From<gap::Gap> for Gap<String> {
    fn from(gap: gap::Gap) -> Self {
        Self { reason: gap.reason, detail: gap.detail, unlock: gap.unlock }
    }
}

impl<T> Gap<T> {
    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Gap<U> {
        Gap { reason: self.reason, detail: f(self.detail), unlock: self.unlock.map(&mut *f) }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self { reason: _, detail, unlock } = self;
        f(detail);
        unlock.iter().for_each(&mut *f);
    }
}
