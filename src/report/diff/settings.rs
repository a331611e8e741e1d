//! The settings that two reports show, and which of them differ.
//!
//! Compared are the checks whose evidence states how a host is set up, and of that the text: columns with a unit, rows that
//! are [`MOVING`](super::noise::MOVING) and, between two nodes, what every node has of its own (its name and its addresses) are noise. A row that
//! only one report has is one difference, whatever it says; so is a table, and none where the verdicts differ already.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Naming, Own, Row, Rows, Values};
use super::{Relation, Report};
use crate::domain::verdict::Verdict;
use crate::report::model::Words;

/// What the kernel sizes by the memory that it found: between two nodes nearly the same is the same.
const SIZED_BY_MEMORY: &[&str] = &[
    "fs.epoll.max_user_watches",
    "fs.file-max",
    "fs.inotify.max_user_watches",
    "kernel.threads-max",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_max_tw_buckets",
    "vm.min_free_kbytes",
    "vm.user_reserve_kbytes",
];

/// How far apart two values of [`SIZED_BY_MEMORY`] may be, percent of the larger.
const NEARLY_PERCENT: u64 = 5;

/// The rows that are named of a table that only one report has.
const ROWS_NAMED_MAX: usize = 5;

/// The most settings that a comparison lists.
pub const SETTINGS_MAX: usize = 500;

/// What a row says that says nothing is there: it may as well be missing.
const NOTHING: &str = "none";

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange<'a> {
    /// The title of the check that shows it.
    pub check: &'a Words,
    /// Its name: what its row is about.
    pub name: String,
    /// The column, where a row has more than name and value.
    pub column: Option<&'a str>,
    /// The value before; none if the row is new. Rows of one name have their values together.
    pub before: Option<String>,
    /// The value after; none if the row is gone.
    pub after: Option<String>,
}

/// The settings that differ, at most [`SETTINGS_MAX`]. What either report could not judge is left out: nothing is known
/// of it. What two checks show stands with the first of them.
pub(super) fn changes<'a>(before: &'a Report, after: &'a Report, relation: Relation) -> Vec<SettingChange<'a>> {
    let naming = Naming::of([before, after]);
    let own = Own::of([before, after], relation);
    let [Rows(old), Rows(new)] = [before, after].map(|report| Rows::of(report, relation, &naming, &own));
    let verdict = |report: &Report, id: &str| {
        report.checks.iter().find(|check| check.id.as_str() == id).map_or(Verdict::Skip, |check| check.verdict)
    };
    let mut found = Vec::new();
    for table in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let verdicts = [before, after].map(|report| verdict(report, table.0));
        if verdicts.contains(&Verdict::Skip) {
            continue;
        }
        match (old.get(table), new.get(table)) {
            (Some(was), Some(is)) => {
                for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
                    found.extend(row_changes([was.get(name), is.get(name)], relation, &own));
                }
            }
            (was, is) if verdicts[0] == verdicts[1] => found.extend(table_change(table.1, was, is)),
            _ => {}
        }
    }
    let mut told = BTreeSet::new();
    found.retain(|one| told.insert((one.name.clone(), one.column, one.before.clone(), one.after.clone())));
    found.truncate(SETTINGS_MAX);
    found
}

/// What differs in a row that at least one report has.
fn row_changes<'a>(rows: [Option<&Row<'a>>; 2], relation: Relation, own: &Own) -> Vec<SettingChange<'a>> {
    match rows {
        [Some(was), Some(is)] => {
            let columns: BTreeSet<&usize> = was.cells.keys().chain(is.cells.keys()).collect();
            let changed = columns.into_iter().filter_map(|column| {
                let cells = [was.cells.get(column), is.cells.get(column)];
                let [old, new] = cells.map(|cell| cell.map(|cell| cell.compared(own)));
                let near = relation == Relation::Nodes
                    && cells[0].zip(cells[1]).is_some_and(|(old, new)| nearly(&is.shown, old, new));
                let same = old == new || near;
                let column = cells[1].or(cells[0])?.column;
                let [before, after] = cells.map(|cell| cell.map(Values::shown));
                let (check, name) = (is.check, is.shown.clone());
                (!same).then_some(SettingChange { check, name, column, before, after })
            });
            changed.collect()
        }
        [was, is] => {
            let Some(row) = is.or(was) else { return Vec::new() };
            let text = row.text();
            if text == NOTHING {
                return Vec::new();
            }
            let [before, after] = [was, is].map(|side| side.map(|_| text.clone()));
            vec![SettingChange { check: row.check, name: row.shown.clone(), column: None, before, after }]
        }
    }
}

/// A table that only one report has, by the names of its first rows.
fn table_change<'a>(
    title: &str,
    was: Option<&BTreeMap<String, Row<'a>>>,
    is: Option<&BTreeMap<String, Row<'a>>>,
) -> Option<SettingChange<'a>> {
    let rows = is.or(was)?;
    let check = rows.values().next()?.check;
    let mut names: Vec<&str> = rows.values().map(|row| row.shown.as_str()).take(ROWS_NAMED_MAX).collect();
    let more = format!("and {} more", rows.len() - names.len());
    if rows.len() > names.len() {
        names.push(&more);
    }
    let [before, after] = [was, is].map(|side| side.map(|_| names.join(", ")));
    Some(SettingChange { check, name: title.to_owned(), column: None, before, after })
}

/// Whether two numbers that the kernel took from the size of the memory are the same but for what is reserved of it.
fn nearly(name: &str, old: &Values<'_>, new: &Values<'_>) -> bool {
    let number = |values: &Values<'_>| values.shown().parse::<u64>().ok();
    let (Some(old), Some(new)) = (number(old), number(new)) else { return false };
    SIZED_BY_MEMORY.contains(&name)
        && old.abs_diff(new).saturating_mul(100) <= old.max(new).saturating_mul(NEARLY_PERCENT)
}
