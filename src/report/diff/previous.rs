//! What a node remembers of its last snapshot: enough to say what changed since, and nothing else.

use serde::{Deserialize, Serialize};

use super::verdict_changes;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Severity, Verdict};
use crate::redact::Redacted;
use crate::report::model::{Changes, Check, Document, Words};

/// Verdicts and titles; of the host nothing but the snapshot's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The snapshot's name.
    pub name: String,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// How each check ended.
    pub checks: Vec<CheckVerdict>,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckVerdict {
    /// Its id.
    pub id: Words,
    /// Its title.
    pub title: Words,
    /// How much it matters.
    pub severity: Severity,
    /// Its verdict.
    pub verdict: Verdict,
}

impl CheckVerdict {
    pub(super) fn of<T>(check: &Check<T>) -> Self {
        Self { id: check.id.clone(), title: check.title.clone(), severity: check.severity, verdict: check.verdict }
    }
}

impl Previous {
    /// What to remember of this report.
    #[must_use]
    pub fn of(report: &Document<Redacted<String>>) -> Self {
        Self {
            name: report.snapshot.name.as_str().to_owned(),
            taken_at: report.snapshot.taken_at,
            checks: report.checks.iter().map(CheckVerdict::of).collect(),
        }
    }

    /// What changed since, given the checks of now.
    #[must_use]
    pub fn changes<T>(self, checks: &[Check<T>]) -> Changes<String> {
        Changes { checks: verdict_changes(&self.checks, checks), since: self.name, since_taken_at: self.taken_at }
    }
}
