//! What changed between two reports: of one node at two times, or of two nodes at one time.
//!
//! Pure. Verdicts are compared by the checks' ids. Settings are compared where a check's evidence states settings and not
//! measurements (`SETTLED`), and there only in columns without a unit and rows that are not `MEASURED`: counters,
//! sizes and process ids are noise.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::html::visible;
use super::model::{Cell, Changes, Check, CheckChange, Document, Evidence, Words};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::redact::Redacted;

/// The checks whose evidence states how a host is set up: two reports that differ in it differ in substance.
const SETTLED: &[&str] = &[
    "sys.os",
    "sys.kernel",
    "sys.platform",
    "sys.cgroup",
    "sys.params",
    "sys.lsm",
    "uring.sysctl",
    "limits.memlock",
    "limits.nofile",
    "limits.threads",
    "cpu.topology",
    "cpu.clocksource",
    "cpu.governor",
    "mem.swap",
    "mem.thp",
    "mem.overcommit",
    "disk.fstype",
    "disk.mount-opts",
    "disk.data-dir",
    "net.links",
    "net.routes",
    "net.listeners",
    "iggy.version",
    "iggy.config",
    "tls.files",
    "time.sync",
];

/// Rows of settled evidence that are measurements all the same.
const MEASURED: &[&str] = &[
    "fs.aio-nr",
    "fs.dentry-state",
    "fs.file-nr",
    "fs.inode-nr",
    "fs.inode-state",
    "kernel.ns_last_pid",
    "kernel.pty.nr",
    "kernel.random.boot_id",
    "kernel.random.entropy_avail",
    "kernel.random.uuid",
    "net.netfilter.nf_conntrack_count",
    "Memory in use",
    "Of that, inactive file cache",
    "Kills for want of memory",
    "Offset left to work off",
    "Largest possible error",
    "Estimated error",
    "Correction of speed",
];

/// The most settings that a comparison lists.
pub const SETTINGS_MAX: usize = 500;

/// A report as a comparison takes it.
pub type Report = Document<Redacted<String>>;

/// How a check's verdict moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// It got worse, or was not judged before and now needs attention.
    Worse,
    /// It is new in the later report.
    New,
    /// It can no longer be judged.
    Unseen,
    /// It got better, or can be judged at last.
    Better,
    /// It is not in the later report.
    Gone,
}

impl Move {
    /// All moves, in the order of a report.
    pub const ALL: [Self; 5] = [Self::Worse, Self::New, Self::Unseen, Self::Better, Self::Gone];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Worse => "Worse",
            Self::New => "New",
            Self::Unseen => "No longer seen",
            Self::Better => "Better",
            Self::Gone => "Gone",
        }
    }

    /// The move of this change.
    #[must_use]
    pub fn of(change: &CheckChange) -> Self {
        match (change.before, change.after) {
            (None, _) => Self::New,
            (_, None) => Self::Gone,
            (Some(_), Some(Verdict::Skip)) => Self::Unseen,
            (Some(before), Some(after)) if after > before.max(Verdict::Info) => Self::Worse,
            (Some(before), Some(after)) if before < after && before != Verdict::Skip => Self::Worse,
            (Some(_), Some(_)) => Self::Better,
        }
    }
}

/// A setting that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingChange<'a> {
    /// The title of the check that shows it.
    pub check: &'a Words,
    /// Its name: the first cell of its row, and the column where a row has several.
    pub name: &'a str,
    /// The column, where a row has more than name and value.
    pub column: Option<&'a str>,
    /// The value before; none if the row is new.
    pub before: Option<&'a str>,
    /// The value after; none if the row is gone.
    pub after: Option<&'a str>,
}

/// Two reports, compared.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The earlier report, or the first node's.
    pub before: &'a Report,
    /// The later report, or the second node's.
    pub after: &'a Report,
    /// Verdicts that differ, worst first.
    pub checks: Vec<CheckChange>,
    /// Checks whose verdict is the same.
    pub unchanged: usize,
    /// Settings that differ, at most [`SETTINGS_MAX`].
    pub settings: Vec<SettingChange<'a>>,
}

/// Compares two reports.
#[must_use]
pub fn compare<'a>(before: &'a Report, after: &'a Report) -> Comparison<'a> {
    let earlier: Vec<CheckVerdict> = before.checks.iter().map(CheckVerdict::of).collect();
    let checks = verdict_changes(&earlier, &after.checks);
    let unchanged = after.checks.len() - checks.iter().filter(|change| change.after.is_some()).count();
    Comparison { before, after, checks, unchanged, settings: setting_changes(before, after) }
}

/// What a node remembers of its last snapshot: verdicts and titles, nothing of the host but the snapshot's name.
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
    pub severity: crate::domain::verdict::Severity,
    /// Its verdict.
    pub verdict: Verdict,
}

impl CheckVerdict {
    fn of<T>(check: &Check<T>) -> Self {
        Self { id: check.id.clone(), title: check.title.clone(), severity: check.severity, verdict: check.verdict }
    }
}

impl Previous {
    /// What to remember of this report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
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

/// The checks whose verdict differs, worst first.
fn verdict_changes<T>(before: &[CheckVerdict], after: &[Check<T>]) -> Vec<CheckChange> {
    let earlier: BTreeMap<&str, &CheckVerdict> = before.iter().map(|check| (check.id.as_str(), check)).collect();
    let now = after.iter().map(|check| CheckChange {
        id: check.id.clone(),
        title: check.title.clone(),
        severity: check.severity,
        before: earlier.get(check.id.as_str()).map(|check| check.verdict),
        after: Some(check.verdict),
    });
    let gone = before.iter().filter(|old| !after.iter().any(|check| check.id == old.id)).map(|old| CheckChange {
        id: old.id.clone(),
        title: old.title.clone(),
        severity: old.severity,
        before: Some(old.verdict),
        after: None,
    });
    let mut changes: Vec<CheckChange> = now.chain(gone).filter(|change| change.before != change.after).collect();
    changes
        .sort_by_key(|change| (Move::of(change), Reverse(change.after), Reverse(change.severity), change.id.clone()));
    changes
}

/// A setting's place: check, table, row, column.
type Place<'a> = (&'a str, &'a str, &'a str, usize);

fn setting_changes<'a>(before: &'a Report, after: &'a Report) -> Vec<SettingChange<'a>> {
    let (old, new) = (settings(before), settings(after));
    let checks = |place: &Place<'_>| {
        before.checks.iter().any(|c| c.id.as_str() == place.0 && c.verdict != Verdict::Skip)
            && after.checks.iter().any(|c| c.id.as_str() == place.0 && c.verdict != Verdict::Skip)
    };
    let places: std::collections::BTreeSet<&Place<'_>> = old.keys().chain(new.keys()).collect();
    places
        .into_iter()
        .filter(|place| checks(place))
        .filter_map(|place| {
            let (was, is) = (old.get(place), new.get(place));
            if was.map(|found| found.value) == is.map(|found| found.value) {
                return None;
            }
            let found = is.or(was)?;
            Some(SettingChange {
                check: found.check,
                name: place.2,
                column: found.column,
                before: was.map(|found| found.value),
                after: is.map(|found| found.value),
            })
        })
        .take(SETTINGS_MAX)
        .collect()
}

struct Found<'a> {
    check: &'a Words,
    column: Option<&'a str>,
    value: &'a str,
}

/// Every setting of a report: the text cells of its settled tables, by the first cell of their row.
fn settings(report: &Report) -> BTreeMap<Place<'_>, Found<'_>> {
    let mut found = BTreeMap::new();
    for check in report.checks.iter().filter(|check| SETTLED.contains(&check.id.as_str())) {
        for evidence in &check.evidence {
            let Evidence::Table { title, columns, rows, .. } = evidence else { continue };
            for row in rows {
                let Some(Cell::Text(name)) = row.first() else { continue };
                if MEASURED.contains(&name.as_str()) {
                    continue;
                }
                for (at, cell) in row.iter().enumerate().skip(1) {
                    let (Cell::Text(value), Some(column)) = (cell, columns.get(at)) else { continue };
                    if column.unit.is_none() {
                        let column = (columns.len() > 2).then(|| column.label.as_str());
                        let place = (check.id.as_str(), title.as_str(), name.as_str(), at);
                        found.insert(place, Found { check: &check.title, column, value: value.as_str() });
                    }
                }
            }
        }
    }
    found
}

impl Comparison<'_> {
    /// One sentence: `Two checks are worse and one is better.`
    #[must_use]
    pub fn headline(&self) -> String {
        let count = |wanted: Move| self.checks.iter().filter(|change| Move::of(change) == wanted).count();
        let parts: Vec<String> = Move::ALL
            .into_iter()
            .map(|wanted| (count(wanted), wanted.title().to_lowercase()))
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        match (parts.is_empty(), self.settings.is_empty()) {
            (true, true) => "Nothing changed.".to_owned(),
            (true, false) => format!("No verdict changed, {}.", settings_count(self.settings.len())),
            (false, true) => format!("{}.", parts.join(", ")),
            (false, false) => format!("{}; {}.", parts.join(", "), settings_count(self.settings.len())),
        }
    }

    /// The comparison for a terminal. Characters that a terminal would obey are escapes.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let shown = |value: &str| visible::escaped(value).replace(['\n', '\t'], " ");
        for (sign, report) in [('-', self.before), ('+', self.after)] {
            let snapshot = &report.snapshot;
            let (node, name) = (shown(snapshot.node.as_str()), shown(snapshot.name.as_str()));
            let _ = writeln!(text, "{sign} {node}, {name}, taken {}", snapshot.taken_at);
        }
        let _ = writeln!(text, "\n{}", self.headline());
        for wanted in Move::ALL {
            let mut changes = self.checks.iter().filter(|change| Move::of(change) == wanted).peekable();
            if changes.peek().is_some() {
                let _ = writeln!(text, "\n{}", wanted.title());
            }
            for change in changes {
                let word = |verdict: Option<Verdict>| verdict.map_or("none", Verdict::word);
                let (before, after) = (word(change.before), word(change.after));
                let _ = writeln!(text, "  {before:>4} -> {after:<4}  {}  {}", change.id, change.title);
            }
        }
        if !self.settings.is_empty() {
            let _ = writeln!(text, "\nSettings");
        }
        for setting in &self.settings {
            let column = setting.column.map(|column| format!(", {column}")).unwrap_or_default();
            let _ = writeln!(text, "  {}{column} ({})", shown(setting.name), setting.check);
            for (sign, value) in [('-', setting.before), ('+', setting.after)] {
                if let Some(value) = value {
                    let _ = writeln!(text, "    {sign} {}", shown(value));
                }
            }
        }
        text
    }

    /// The comparison as a page.
    #[must_use]
    pub fn html(&self) -> String {
        super::html::comparison(self)
    }
}

fn settings_count(count: usize) -> String {
    format!("{count} {}", if count == 1 { "setting differs" } else { "settings differ" })
}

#[cfg(test)]
mod tests;
