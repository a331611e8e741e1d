//! The catalogue: every check as one table row and one pure function.
//!
//! `CATALOGUE` lists the areas; each area's file holds its rows. A row says what the check needs, the rule in words,
//! where its thresholds come from and what to do; the function judges evidence and nothing else. Invariant: the same
//! evidence, settings and time give the same findings.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::domain::finding::{Finding, Judgement};
use crate::domain::gap::Gap;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::{Evidence, Key, Source};

mod cpu;
mod disk;
mod figures;
mod iggy;
mod journal;
mod limits;
mod log_patterns;
mod logs;
mod memory;
mod network;
mod own;
mod processes;
mod remedies;
mod security;
mod settings;
mod system;
mod systemd;
mod time;
mod tls;

pub use settings::{CA_FILES, FileList, Settings, SettingsError, file_lists};

/// The areas of the catalogue, in the order of a report.
const CATALOGUE: &[&[Check]] = &[
    system::CHECKS,
    limits::CHECKS,
    cpu::CHECKS,
    memory::CHECKS,
    disk::CHECKS,
    network::CHECKS,
    processes::CHECKS,
    iggy::PROCESS_CHECKS,
    iggy::CHECKS,
    systemd::CHECKS,
    tls::CHECKS,
    time::CHECKS,
    security::CHECKS,
    logs::CHECKS,
    &[journal::CHECK],
    own::CHECKS,
];

/// The categories of the catalogue, in the order of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Operating system and kernel.
    System,
    /// `io_uring` and process limits: what Iggy cannot start without.
    Limits,
    /// Processors.
    Cpu,
    /// Memory.
    Memory,
    /// Disks and file systems.
    Disk,
    /// Network.
    Network,
    /// Processes.
    Processes,
    /// The Iggy server itself.
    Iggy,
    /// systemd services.
    Systemd,
    /// Certificates and TLS.
    Tls,
    /// Clock.
    Time,
    /// Security.
    Security,
    /// Logs.
    Logs,
    /// The snapshot itself.
    Snapshot,
}

impl Category {
    /// The heading in a report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Limits => "io_uring and limits",
            Self::Cpu => "CPU",
            Self::Memory => "Memory",
            Self::Disk => "Disk and storage",
            Self::Network => "Network",
            Self::Processes => "Processes",
            Self::Iggy => "Iggy",
            Self::Systemd => "systemd services",
            Self::Tls => "Certificates and TLS",
            Self::Time => "Time",
            Self::Security => "Security",
            Self::Logs => "Logs",
            Self::Snapshot => "The snapshot itself",
        }
    }

    /// The word in `report.json` and in links.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Limits => "limits",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Iggy => "iggy",
            Self::Systemd => "systemd",
            Self::Tls => "tls",
            Self::Time => "time",
            Self::Security => "security",
            Self::Logs => "logs",
            Self::Snapshot => "snapshot",
        }
    }
}

/// Core checks decide a snapshot's headline; extended ones add to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Decides the headline.
    Core,
    /// Never enters the headline.
    Extended,
}

/// A number that a configuration may change: `[checks."disk.space"] warn_percent = 10`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Its name, unit last.
    pub name: &'static str,
    /// Its default.
    pub default: f64,
    /// The smallest legal value.
    pub min: f64,
    /// The largest legal value.
    pub max: f64,
    /// What it decides.
    pub help: &'static str,
}

/// One row of the catalogue. Static text only: nothing in here comes from a host.
#[derive(Debug)]
pub struct Check {
    /// Part of the API: never renamed, never reused.
    pub id: &'static str,
    /// What is asked, in a few words.
    pub title: &'static str,
    /// Where it stands in a report.
    pub category: Category,
    /// Core or extended.
    pub tier: Tier,
    /// How much a failure matters.
    pub severity: Severity,
    /// The evidence that the rule reads.
    pub needs: &'static [Source],
    /// The rule in words, thresholds included.
    pub rule: &'static str,
    /// Where the thresholds come from, in words.
    pub threshold_source: &'static str,
    /// Why it matters for Iggy.
    pub why: &'static str,
    /// What to do, with commands that a tired person can paste. Empty only for checks that never warn.
    pub remedy: &'static str,
    /// Names of documents to read; no links that a browser would follow.
    pub references: &'static [&'static str],
    /// What privilege sees everything that the check asks for, in words ("any user", `CAP_SYSLOG`).
    pub privilege: &'static str,
    /// Thresholds that a configuration may change.
    pub settings: &'static [Setting],
    /// The rule.
    pub evaluate: fn(&Case<'_>) -> Result<Judgement, Gap>,
}

/// What a rule may look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// What was observed.
    pub evidence: &'a Evidence,
    /// When.
    pub now: Timestamp,
    /// The findings so far; complete only for the last category.
    pub findings: &'a [Finding],
    check: &'static Check,
    settings: &'a Settings,
}

impl Case<'_> {
    /// What was observed under this key.
    ///
    /// # Errors
    /// The gap: `?` turns it into a skip with its reason.
    pub fn read<T: 'static>(&self, key: Key<T>) -> Result<&T, Gap> {
        self.evidence.read(key)
    }

    /// The value of one of the check's own settings.
    #[must_use]
    pub fn setting(&self, name: &str) -> f64 {
        let setting = self.check.settings.iter().find(|setting| setting.name == name);
        let setting = setting.expect("a rule asks for the settings of its own row");
        self.settings.value(self.check.id, name).unwrap_or(setting.default)
    }
}

/// All checks, in the order of a report.
pub fn catalogue() -> impl Iterator<Item = &'static Check> {
    CATALOGUE.iter().copied().flatten()
}

/// The check of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Check> {
    catalogue().find(|check| check.id == id)
}

/// What is said of an id that no check has: which check was meant, when one is near.
#[must_use]
pub fn unknown(id: &str) -> String {
    /// Letters that may be wrong, missing, too many or swapped.
    const SLIPS_MAX: usize = 2;
    let distance = |check: &'static Check| {
        let named = check.id.split_once('.').is_some_and(|(_, name)| name == id);
        (if named { 0 } else { strsim::damerau_levenshtein(check.id, id) }, check.id)
    };
    let meant = catalogue().map(distance).min().filter(|(slips, _)| *slips <= SLIPS_MAX);
    let meant = meant.map_or_else(String::new, |(_, id)| format!(": did you mean `{id}`?"));
    let lists = if meant.is_empty() { "; `snapvisor checks` lists them" } else { "" };
    format!("there is no check `{id}`{meant}{lists}")
}

/// The findings of all checks, in the order of the catalogue.
///
/// One that is switched off is a skip that says so: a report that leaves it out reads as if it had passed.
/// A rule that panics costs its own check alone: it becomes a skip that says so.
#[must_use]
pub fn judge(evidence: &Evidence, settings: &Settings, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in catalogue() {
        let case = Case { evidence, now, findings: &findings, check, settings };
        let started = Instant::now();
        let outcome = if settings.enabled(check.id) {
            catch_unwind(AssertUnwindSafe(|| (check.evaluate)(&case)))
                .unwrap_or_else(|_| Err(Gap::broken("the rule itself failed; this is a bug in snapvisor")))
        } else {
            Err(Gap::not_applicable("switched off by the configuration")
                .unlocked_by("enabled = true in the check's table"))
        };
        let outcome = outcome.map(|judged| match remedies::fitted(check, &judged, evidence) {
            Some(remedy) => judged.remedy(remedy),
            None => judged,
        });
        findings.push(Finding {
            check: check.id,
            outcome,
            wall_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            settings_changed: settings.changed(check),
        });
    }
    findings
}

/// What one check, with the settings of the catalogue, says of evidence that a test made.
#[cfg(test)]
fn judge_one(id: &str, evidence: &Evidence) -> Result<Judgement, Gap> {
    let check = find(id).expect("a test names a check that exists");
    let settings = Settings::default();
    (check.evaluate)(&Case { evidence, now: Timestamp::from_unix(0), findings: &[], check, settings: &settings })
}

#[cfg(test)]
mod verdict_tests;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_every_row_is_complete() {
        let mut seen = BTreeSet::new();
        for check in catalogue() {
            assert!(seen.insert(check.id), "{} stands twice", check.id);
            for (what, text) in [
                ("title", check.title),
                ("rule", check.rule),
                ("threshold source", check.threshold_source),
                ("why", check.why),
                ("privilege", check.privilege),
            ] {
                assert!(!text.is_empty(), "{} has no {what}", check.id);
            }
            assert!(!check.needs.is_empty(), "{} needs nothing", check.id);
        }
    }

    #[test]
    fn a_check_that_is_switched_off_says_so() {
        let settings: Settings = toml::from_str("[\"disk.space\"]\nenabled = false").unwrap();
        let findings = judge(&Evidence::default(), &settings, Timestamp::from_unix(0));
        assert_eq!(findings.len(), catalogue().count());
        let space = findings.iter().find(|finding| finding.check == "disk.space").unwrap();
        assert_eq!(space.outcome.as_ref().unwrap_err().detail, "switched off by the configuration");
    }

    #[test]
    fn without_evidence_every_check_is_a_skip() {
        let findings = judge(&Evidence::default(), &Settings::default(), Timestamp::from_unix(0));
        for finding in findings.iter().filter(|finding| !finding.check.starts_with("self.")) {
            assert!(finding.outcome.is_err(), "{} judged without evidence", finding.check);
        }
    }
}
