//! Verdicts and severities: the only words by which a check judges.

use serde::{Deserialize, Serialize};

/// How a check ended. Ordered from best to worst for sorting; `Skip` stands below all, since it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing could be said; the finding carries the gap.
    Skip,
    /// As it should be.
    Pass,
    /// A fact worth knowing, judged neither good nor bad.
    Info,
    /// Needs a look.
    Warn,
    /// Broken, or about to be.
    Fail,
}

impl Verdict {
    /// All verdicts, worst first: the order of reports.
    pub const WORST_FIRST: [Self; 5] = [Self::Fail, Self::Warn, Self::Info, Self::Pass, Self::Skip];

    /// The word as the API and `report.json` write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// How much a failing check matters; declared by the check, not by the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Context only.
    Info,
    /// Housekeeping.
    Low,
    /// Costs performance or safety margin.
    Medium,
    /// Threatens availability or data.
    High,
    /// Iggy cannot run, or data is being lost.
    Critical,
}

impl Severity {
    /// The word as the API and `report.json` write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Counts of each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Failed checks.
    pub fail: u32,
    /// Checks that need a look.
    pub warn: u32,
    /// Passed checks.
    pub pass: u32,
    /// Informational checks.
    pub info: u32,
    /// Skipped checks.
    pub skip: u32,
}

impl VerdictCounts {
    /// One more of `verdict`.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Pass => &mut self.pass,
            Verdict::Info => &mut self.info,
            Verdict::Skip => &mut self.skip,
        } += 1;
    }

    /// How many ended with `verdict`.
    #[must_use]
    pub const fn of(&self, verdict: Verdict) -> u32 {
        match verdict {
            Verdict::Fail => self.fail,
            Verdict::Warn => self.warn,
            Verdict::Pass => self.pass,
            Verdict::Info => self.info,
            Verdict::Skip => self.skip,
        }
    }

    /// All checks together.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.fail + self.warn + self.pass + self.info + self.skip
    }
}

impl FromIterator<Verdict> for VerdictCounts {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            counts.add(verdict);
        }
        counts
    }
}
