//! What a node remembers of its last snapshot: enough to say what changed since, and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::verdict_changes;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Severity, Verdict};
use crate::redact::Redacted;
use crate::report::model::{Changes, Check, Document, Lasting, Words};

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
    /// When the first snapshot was taken of those that follow each other with this verdict; none in what an earlier
    /// version remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl CheckVerdict {
    pub(super) fn of<T>(check: &Check<T>) -> Self {
        Self {
            id: check.id.clone(),
            title: check.title.clone(),
            severity: check.severity,
            verdict: check.verdict,
            since: None,
        }
    }
}

impl Previous {
    /// What to remember of this report.
    #[must_use]
    pub fn of(report: &Document<Redacted<String>>) -> Self {
        let taken_at = report.snapshot.taken_at;
        let lasting = report.changes.iter().flat_map(|changes| &changes.lasting);
        let lasting: BTreeMap<&str, Timestamp> = lasting.map(|check| (check.id.as_str(), check.since)).collect();
        let remembered = |check: &Check<_>| CheckVerdict {
            since: Some(lasting.get(check.id.as_str()).copied().unwrap_or(taken_at)),
            ..CheckVerdict::of(check)
        };
        Self {
            name: report.snapshot.name.as_str().to_owned(),
            taken_at,
            checks: report.checks.iter().map(remembered).collect(),
        }
    }

    /// What changed since, given the checks of now.
    #[must_use]
    pub fn changes<T>(self, checks: &[Check<T>]) -> Changes<String> {
        let earlier: BTreeMap<&str, &CheckVerdict> =
            self.checks.iter().map(|check| (check.id.as_str(), check)).collect();
        let attention = checks.iter().filter(|check| check.needs_attention());
        let lasting = attention.filter_map(|check| {
            let before = earlier.get(check.id.as_str()).filter(|before| before.verdict == check.verdict)?;
            Some(Lasting { id: check.id.clone(), since: before.since.unwrap_or(self.taken_at) })
        });
        Changes {
            lasting: lasting.collect(),
            checks: verdict_changes(&self.checks, checks),
            since: self.name,
            since_taken_at: self.taken_at,
        }
    }
}
