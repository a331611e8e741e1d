//! The settings that two reports show, and which of them differ.
//!
//! Compared are the checks whose evidence states how a host is set up ([`Kind::Settled`]), and of that the text: columns
//! with a unit, rows that are [`MOVING`] and, between two nodes, what every node has of its own are noise.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::{Relation, Report};
use crate::domain::verdict::Verdict;
use crate::redact::Redacted;
use crate::report::model::{Cell, Evidence, Words};

/// Rows of settled evidence that are measurements all the same.
const MOVING: &[&str] = &[
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
    "Promised",
    "Open",
    "PID",
    "Process",
    "Main process",
    "Up",
    "Restarts",
    "Tasks",
    "Compared",
];

/// Columns of settled evidence that are measurements all the same.
const MOVING_COLUMNS: &[&str] = &["In use", "Process", "PID"];

/// Rows that differ between any two nodes and mean nothing.
const OF_ITS_OWN: &[&str] = &["kernel.hostname", "Host name", "Own name", "Machine id"];

/// The most cells that name a row.
const NAMING_MAX: usize = 3;

/// The most settings that a comparison lists.
pub const SETTINGS_MAX: usize = 500;

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange<'a> {
    /// The title of the check that shows it.
    pub check: &'a Words,
    /// Its name: what its row begins with.
    pub name: String,
    /// The column, where a row has more than name and value.
    pub column: Option<&'a str>,
    /// The value before; none if the row is new.
    pub before: Option<&'a str>,
    /// The value after; none if the row is gone.
    pub after: Option<&'a str>,
}

/// A setting's place: check, table, row, column.
type Place<'a> = (&'a str, &'a str, String, usize);

struct Found<'a> {
    check: &'a Words,
    column: Option<&'a str>,
    value: &'a str,
}

/// The settings that differ, at most [`SETTINGS_MAX`]. What either report could not judge is left out: nothing is known
/// of it.
pub(super) fn changes<'a>(before: &'a Report, after: &'a Report, relation: Relation) -> Vec<SettingChange<'a>> {
    let (old, new) = (settings(before, relation), settings(after, relation));
    let judged = |report: &Report, place: &Place<'_>| {
        report.checks.iter().any(|check| check.id.as_str() == place.0 && check.verdict != Verdict::Skip)
    };
    let places: BTreeSet<&Place<'_>> = old.keys().chain(new.keys()).collect();
    places
        .into_iter()
        .filter(|place| judged(before, place) && judged(after, place))
        .filter_map(|place| {
            let (was, is) = (old.get(place), new.get(place));
            if was.map(|found| without_pid(found.value)) == is.map(|found| without_pid(found.value)) {
                return None;
            }
            let found = is.or(was)?;
            Some(SettingChange {
                check: found.check,
                name: place.2.clone(),
                column: found.column,
                before: was.map(|found| found.value),
                after: is.map(|found| found.value),
            })
        })
        .take(SETTINGS_MAX)
        .collect()
}

/// Every setting of a report: the text cells of its settled tables, by the name of their row.
fn settings(report: &Report, relation: Relation) -> BTreeMap<Place<'_>, Found<'_>> {
    let noise = |name: &str| MOVING.contains(&name) || (relation == Relation::Nodes && OF_ITS_OWN.contains(&name));
    let mut found = BTreeMap::new();
    for check in report.checks.iter().filter(|check| Kind::of(check.id.as_str()) == Kind::Settled) {
        for evidence in &check.evidence {
            let Evidence::Table { title, columns, rows, .. } = evidence else { continue };
            let named = named_by(rows);
            for row in rows {
                let Some(name) = name(row, named).filter(|name| !noise(name)) else { continue };
                for (at, cell) in row.iter().enumerate().skip(named) {
                    let (Cell::Text(value), Some(column)) = (cell, columns.get(at)) else { continue };
                    if column.unit.is_none() && !MOVING_COLUMNS.contains(&column.label.as_str()) {
                        let column = (columns.len() > named + 1).then(|| column.label.as_str());
                        let place = (check.id.as_str(), title.as_str(), name.clone(), at);
                        found.insert(place, Found { check: &check.title, column, value: value.as_str() });
                    }
                }
            }
        }
    }
    found
}

/// How many cells name a row: the first one, and the next where it stands in several rows (a transport, a section), at most
/// [`NAMING_MAX`] (the certificates of one file).
fn named_by(rows: &[Vec<Cell<Redacted<String>>>]) -> usize {
    let told_apart = |cells: &usize| {
        let names: BTreeSet<Option<String>> = rows.iter().map(|row| name(row, *cells)).collect();
        names.len() == rows.len()
    };
    (1..NAMING_MAX).find(told_apart).unwrap_or(NAMING_MAX)
}

/// The first `cells` of a row; none if one of them is no text.
fn name(row: &[Cell<Redacted<String>>], cells: usize) -> Option<String> {
    let text = |cell: &Cell<Redacted<String>>| match cell {
        Cell::Text(text) => Some(without_pid(text.as_str()).into_owned()),
        Cell::Integer(_) | Cell::Number(_) | Cell::Empty => None,
    };
    let parts: Option<Vec<String>> = row.get(..cells)?.iter().map(text).collect();
    parts.map(|parts| parts.join(" "))
}

/// `iggy-server (4711)` as `iggy-server`, `process 4711` as `process`: a restart is no difference.
fn without_pid(text: &str) -> Cow<'_, str> {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|digit| digit.is_ascii_digit());
    let pid = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    let text = pid.filter(|(_, pid)| is_number(pid)).map_or(text, |(name, _)| name);
    if !text.contains("process ") && !text.contains("pid ") {
        return Cow::Borrowed(text);
    }
    let mut kept: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let digits = word.trim_end_matches([')', ',', '.', ';', ':']);
        if !(is_number(digits) && kept.last().is_some_and(|last| ["process", "(pid", "pid"].contains(last))) {
            kept.push(word);
        }
    }
    Cow::Owned(kept.join(" "))
}
