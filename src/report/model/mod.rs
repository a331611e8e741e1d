//! The document behind `report.json` and `report.html`, generic in the type of the text that came from a host.
//!
//! Owns the schema [`SCHEMA`] (documented in `docs/report-schema.md`). Refuses to know where its content came from.
//! Invariants: every text of a host is a `T`, every other text is [`Words`] of ours; [`Document::map_text`] and
//! [`Document::for_each_text`] reach every `T`, in the same order, and a field that they forgot would not compile.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::progress::Stage;
use crate::domain::snapshot::Redaction;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Severity, Verdict, VerdictCounts};

mod bundle;
mod check;
mod evidence;
mod identity;
mod log;
mod redaction;
mod summary;

pub use bundle::{Bundle, BundleState, EntryLabel, Label, LeftOut};
pub use check::{Check, CheckWords, Gap, Measured, Remedy, Tier};
pub use evidence::{Bar, Cell, Column, Evidence};
pub use identity::{Ids, Snapshot};
pub use log::{Level, LevelCounts, Log, LogSpan, Template};
pub use redaction::{ArtifactMasks, RedactionSummary, RuleMasks};
pub use summary::{Coverage, CoverageGap, Summary, headline};

/// Name and version of the schema. The number goes up when a field changes its meaning or goes; new fields do not.
pub const SCHEMA: &str = "snapvisor-report/1";

/// Words of ours: titles, remedies, names of rules. They never come from a host and need no redaction.
///
/// Made from `&'static str` alone; reading an old report back is the one other way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Words(Cow<'static, str>);

impl<'de> Deserialize<'de> for Words {
    /// An old report may have been made by anybody: what a terminal would obey or an eye not see becomes an escape.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(Cow::Owned(super::visible::escaped(&text).into_owned())))
    }
}

impl Words {
    /// These words.
    #[must_use]
    pub const fn new(words: &'static str) -> Self {
        Self(Cow::Borrowed(words))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Words {
    fn from(words: &'static str) -> Self {
        Self::new(words)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Turns each `T` into a `U`, in the order of the document.
pub type Map<'a, T, U> = dyn FnMut(T) -> U + 'a;

/// Looks at each `T`, in the order of the document.
pub type Visit<'a, T> = dyn FnMut(&T) + 'a;

/// One node's report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document<T> {
    /// [`SCHEMA`].
    pub schema: Words,
    /// What wrote it.
    pub tool: Tool,
    /// Whose snapshot it is, when it was taken and what was asked for.
    pub snapshot: Snapshot<T>,
    /// Counts and the headline.
    pub summary: Summary<T>,
    /// Why there are no checks, in a report of a node that failed or could not be reached.
    pub failure: Option<Failure<T>>,
    /// What was masked.
    pub redaction: RedactionSummary<T>,
    /// What could not be seen.
    pub coverage: Coverage<T>,
    /// A handful of facts that readers look for first.
    pub facts: Vec<Fact<T>>,
    /// The categories of the checks, in order.
    pub categories: Vec<Category>,
    /// All checks, in the order of the catalogue.
    pub checks: Vec<Check<T>>,
    /// The logs' newest lines.
    pub logs: Vec<Log<T>>,
    /// The ZIP of Iggy's data directory.
    pub bundle: Option<Bundle<T>>,
    /// What the snapshot itself cost the node.
    pub cost: Cost,
    /// When each stage ran.
    pub stages: Vec<StageSpan>,
    /// What a limit cut off.
    pub truncated: Vec<Truncation<T>>,
    /// What changed since an earlier snapshot of the node.
    pub changes: Option<Changes<T>>,
}

/// What wrote a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `snapvisor`.
    pub name: Words,
    /// Its version.
    pub version: Words,
}

impl Tool {
    /// This program.
    #[must_use]
    pub const fn this() -> Self {
        Self { name: Words::new(env!("CARGO_PKG_NAME")), version: Words::new(env!("CARGO_PKG_VERSION")) }
    }
}

/// Why a node has no checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure<T> {
    /// What happened, a sentence.
    pub reason: T,
    /// What to do about it.
    pub remedy: Option<T>,
}

/// One fact of the facts row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// A stable word: `iggy`, `kernel`, `cpu`, `memory`, `volume`, `clock`.
    pub id: Words,
    /// The label, `Data volume`.
    pub label: Words,
    /// The fact, `1.8 TiB`.
    pub value: T,
    /// More of it in lighter ink, `75.6 GiB free`.
    pub detail: Option<T>,
}

/// A category of checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its word, which checks name.
    pub id: Words,
    /// Its heading.
    pub title: Words,
}

/// What the snapshot itself cost the node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// From start to the rendering of this report, milliseconds.
    pub wall_ms: u64,
    /// Processor time, user and system, milliseconds.
    pub cpu_ms: u64,
    /// The largest resident set, bytes.
    pub memory_peak_bytes: u64,
    /// Read from block devices, bytes.
    pub read_bytes: u64,
    /// Written to block devices, bytes.
    pub written_bytes: u64,
}

/// When a stage ran, counted from the start of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSpan {
    /// The stage.
    pub stage: Stage,
    /// Its start, milliseconds.
    pub start_ms: u64,
    /// How long it took, milliseconds.
    pub wall_ms: u64,
}

/// Something that a limit cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncation<T> {
    /// What was cut: a source, a log, a table.
    pub what: T,
    /// How much is missing, in `of`.
    pub dropped: u64,
    /// What `dropped` counts: `lines`, `bytes`, `rows`.
    pub of: Words,
}

/// What changed since an earlier snapshot of the same node, or between two nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes<T> {
    /// The name of the earlier snapshot.
    pub since: T,
    /// When it was taken.
    pub since_taken_at: Timestamp,
    /// The checks whose verdict changed, worst first.
    pub checks: Vec<CheckChange>,
    /// The checks that need attention now and did before, with the same verdict.
    #[serde(default)]
    pub lasting: Vec<Lasting>,
}

/// A check that needs attention and did before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasting {
    /// Its id.
    pub id: Words,
    /// When the first snapshot was taken of those that follow each other with this verdict.
    pub since: Timestamp,
}

/// A check whose verdict changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckChange {
    /// Its id.
    pub id: Words,
    /// Its title.
    pub title: Words,
    /// How much it matters.
    pub severity: Severity,
    /// The verdict then; none if the check is new.
    pub before: Option<Verdict>,
    /// The verdict now; none if the check is gone.
    pub after: Option<Verdict>,
}

impl<T> Document<T> {
    /// Whether clear text was asked for and the node did not give it. A node that failed was not asked that far.
    #[must_use]
    pub fn clear_text_refused(&self) -> bool {
        let (asked, given) = (self.snapshot.options.redaction, self.redaction.state);
        self.failure.is_none() && (asked, given) == (Redaction::Unredacted, Redaction::Masked)
    }

    /// The same document with each text of the host turned into a `U`. Words of ours stay as they are.
    pub fn map_text<U>(self, mut f: impl FnMut(T) -> U) -> Document<U> {
        let f: &mut Map<'_, T, U> = &mut f;
        Document {
            schema: self.schema,
            tool: self.tool,
            snapshot: self.snapshot.map_text(f),
            summary: self.summary.map_text(f),
            failure: self
                .failure
                .map(|failure| Failure { reason: f(failure.reason), remedy: failure.remedy.map(&mut *f) }),
            redaction: self.redaction.map_text(f),
            coverage: self.coverage.map_text(f),
            facts: self
                .facts
                .into_iter()
                .map(|fact| Fact {
                    id: fact.id,
                    label: fact.label,
                    value: f(fact.value),
                    detail: fact.detail.map(&mut *f),
                })
                .collect(),
            categories: self.categories,
            checks: self.checks.into_iter().map(|check| check.map_text(f)).collect(),
            logs: self.logs.into_iter().map(|log| log.map_text(f)).collect(),
            bundle: self.bundle.map(|bundle| bundle.map_text(f)),
            cost: self.cost,
            stages: self.stages,
            truncated: self
                .truncated
                .into_iter()
                .map(|cut| Truncation { what: f(cut.what), dropped: cut.dropped, of: cut.of })
                .collect(),
            changes: self.changes.map(|changes| Changes {
                since: f(changes.since),
                since_taken_at: changes.since_taken_at,
                checks: changes.checks,
                lasting: changes.lasting,
            }),
        }
    }

    /// Shows each text of the host to `f`, in the order of [`Document::map_text`].
    pub fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self {
            schema: _,
            tool: _,
            snapshot,
            summary,
            failure,
            redaction,
            coverage,
            facts,
            categories: _,
            checks,
            logs,
            bundle,
            cost: _,
            stages: _,
            truncated,
            changes,
        } = self;
        snapshot.for_each_text(f);
        summary.for_each_text(f);
        if let Some(Failure { reason, remedy }) = failure {
            f(reason);
            remedy.iter().for_each(&mut *f);
        }
        redaction.for_each_text(f);
        coverage.for_each_text(f);
        for Fact { id: _, label: _, value, detail } in facts {
            f(value);
            detail.iter().for_each(&mut *f);
        }
        for check in checks {
            check.for_each_text(f);
        }
        for log in logs {
            log.for_each_text(f);
        }
        if let Some(bundle) = bundle {
            bundle.for_each_text(f);
        }
        for Truncation { what, dropped: _, of: _ } in truncated {
            f(what);
        }
        if let Some(Changes { since, since_taken_at: _, checks: _, lasting: _ }) = changes {
            f(since);
        }
    }

    /// The counts of all checks by verdict.
    #[must_use]
    pub fn counts(&self) -> VerdictCounts {
        self.checks.iter().map(|check| check.verdict).collect()
    }
}

#[cfg(test)]
mod tests;
