//! What changed between two reports: of one node at two times, or of two nodes at one time.
//!
//! Pure. Verdicts are compared by the checks' ids, settings where a check's evidence states settings. Counters, sizes,
//! process ids, and measurements that were well and still are, are noise and never show.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{Check, CheckChange, Document};
use super::visible;
use crate::domain::verdict::Verdict;
use crate::redact::Redacted;

mod kind;
mod noise;
mod previous;
mod rows;
mod settings;
mod shift;

pub use previous::{CheckVerdict, Previous};
pub use settings::{SETTINGS_MAX, SettingChange};
pub use shift::{Move, counted};

/// A report as a comparison takes it.
pub type Report = Document<Redacted<String>>;

/// What the two reports of a comparison have to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// One node at two times.
    Times,
    /// Two nodes.
    Nodes,
}

/// Two reports, compared.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The first report.
    pub before: &'a Report,
    /// The second report.
    pub after: &'a Report,
    /// What they have to do with each other.
    pub relation: Relation,
    /// Verdicts that differ, worst first.
    pub checks: Vec<CheckChange>,
    /// Checks in which nothing changed that matters.
    pub unchanged: usize,
    /// Settings that differ, at most [`SETTINGS_MAX`].
    pub settings: Vec<SettingChange<'a>>,
}

/// Compares two reports, in this order.
#[must_use]
pub fn compare<'a>(before: &'a Report, after: &'a Report) -> Comparison<'a> {
    let relation = relation(before, after);
    let earlier: Vec<CheckVerdict> = before.checks.iter().map(CheckVerdict::of).collect();
    let checks = verdict_changes(&earlier, &after.checks);
    let unchanged = after.checks.len() - checks.iter().filter(|change| change.after.is_some()).count();
    Comparison { before, after, relation, checks, unchanged, settings: settings::changes(before, after, relation) }
}

/// Ids decide where both have them: a node may be renamed, and a name be given to another.
fn relation(before: &Report, after: &Report) -> Relation {
    let same = match (before.snapshot.ids.node, after.snapshot.ids.node) {
        (Some(one), Some(other)) => one == other,
        _ => before.snapshot.node == after.snapshot.node,
    };
    if same { Relation::Times } else { Relation::Nodes }
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
    let mut changes: Vec<CheckChange> = now.chain(gone).filter(kind::matters).collect();
    changes
        .sort_by_key(|change| (Move::of(change), Reverse(change.after), Reverse(change.severity), change.id.clone()));
    changes
}

impl Comparison<'_> {
    /// One sentence: `2 new, 1 worse; 3 settings differ.`
    #[must_use]
    pub fn headline(&self) -> String {
        let moved = counted(&self.checks, self.relation);
        match (moved.is_empty(), self.settings.is_empty(), self.relation) {
            (true, true, Relation::Times) => "Nothing changed.".to_owned(),
            (true, true, Relation::Nodes) => "Nothing differs.".to_owned(),
            (true, false, Relation::Times) => format!("No verdict changed, {}.", settings_count(self.settings.len())),
            (true, false, Relation::Nodes) => format!("No verdict differs, {}.", settings_count(self.settings.len())),
            (false, true, _) => format!("{moved}."),
            (false, false, _) => format!("{moved}; {}.", settings_count(self.settings.len())),
        }
    }

    /// What the two reports are called.
    #[must_use]
    pub const fn labels(&self) -> [&'static str; 2] {
        match self.relation {
            Relation::Times => ["Before", "After"],
            Relation::Nodes => ["First node", "Second node"],
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
                let _ = writeln!(text, "\n{}", wanted.title(self.relation));
            }
            for change in changes {
                self.change_text(&mut text, change);
            }
        }
        if !self.settings.is_empty() {
            let _ = writeln!(text, "\nSettings");
        }
        for setting in &self.settings {
            let column = setting.column.map(|column| format!(", {}", shown(column))).unwrap_or_default();
            let _ = writeln!(text, "  {}{column} ({})", shown(&setting.name), shown(setting.check.as_str()));
            for (sign, value) in [('-', &setting.before), ('+', &setting.after)] {
                if let Some(value) = value {
                    let _ = writeln!(text, "    {sign} {}", shown(value));
                }
            }
        }
        text
    }

    /// A change: both verdicts, what it is, and what the two reports say of it.
    fn change_text(&self, text: &mut String, change: &CheckChange) {
        let shown = |value: &str| visible::escaped(value).replace(['\n', '\t'], " ");
        let word = |verdict: Option<Verdict>| verdict.map_or("none", Verdict::word);
        let (id, title) = (shown(change.id.as_str()), shown(change.title.as_str()));
        let _ = writeln!(text, "  {:>4} -> {:<4}  {id}  {title}", word(change.before), word(change.after));
        for (sign, report) in [('-', self.before), ('+', self.after)] {
            if let Some(check) = report.checks.iter().find(|check| check.id == change.id) {
                let _ = writeln!(text, "    {sign} {}", shown(check.summary.as_str()));
            }
        }
    }
}

fn settings_count(count: usize) -> String {
    format!("{count} {}", if count == 1 { "setting differs" } else { "settings differ" })
}

#[cfg(test)]
mod tests;
