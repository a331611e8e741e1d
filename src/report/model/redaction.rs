//! What was masked: counts alone, never a value.

use serde::{Deserialize, Serialize};

use super::{Map, Visit};
use crate::domain::snapshot::Redaction;

/// What was masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionSummary<T> {
    /// Masked, or in clear because it was asked for.
    pub state: Redaction,
    /// Values masked in all.
    pub masks: u64,
    /// Masks by rule, most first.
    pub rules: Vec<RuleMasks<T>>,
    /// Masks by artifact, most first.
    pub artifacts: Vec<ArtifactMasks<T>>,
    /// Rules whose secrets were too common to be searched for elsewhere.
    pub suppressed: Vec<T>,
    /// What could not be redacted and was left out for that.
    pub withheld: Vec<T>,
}

/// Masks by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleMasks<T> {
    /// The rule; one of the operator's own may have any name.
    pub rule: T,
    /// Its masks.
    pub masks: u64,
}

/// Masks in one artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactMasks<T> {
    /// A path, a log, a part of the report.
    pub artifact: T,
    /// Its masks.
    pub masks: u64,
}

impl<T> RedactionSummary<T> {
    /// A summary without counts, to be filled in once the engine has run.
    #[must_use]
    pub const fn empty(state: Redaction) -> Self {
        Self { state, masks: 0, rules: Vec::new(), artifacts: Vec::new(), suppressed: Vec::new(), withheld: Vec::new() }
    }

    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> RedactionSummary<U> {
        RedactionSummary {
            state: self.state,
            masks: self.masks,
            rules: self.rules.into_iter().map(|rule| RuleMasks { rule: f(rule.rule), masks: rule.masks }).collect(),
            artifacts: self
                .artifacts
                .into_iter()
                .map(|artifact| ArtifactMasks { artifact: f(artifact.artifact), masks: artifact.masks })
                .collect(),
            suppressed: self.suppressed.into_iter().map(&mut *f).collect(),
            withheld: self.withheld.into_iter().map(&mut *f).collect(),
        }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self { state: _, masks: _, rules, artifacts, suppressed, withheld } = self;
        for RuleMasks { rule, masks: _ } in rules {
            f(rule);
        }
        for ArtifactMasks { artifact, masks: _ } in artifacts {
            f(artifact);
        }
        suppressed.iter().for_each(&mut *f);
        withheld.iter().for_each(&mut *f);
    }
}
