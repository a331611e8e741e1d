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
use crate::report::model::{Cell, Check, Column, Evidence, Words};

/// Rows of settled evidence that are measurements all the same.
const MOVING: &[&str] = &[
    "fs.aio-nr",
    "fs.dentry-state",
    "fs.file-nr",
    "fs.inode-nr",
    "fs.inode-state",
    "kernel.hung_task_detect_count",
    "kernel.ns_last_pid",
    "kernel.pty.nr",
    "kernel.random.boot_id",
    "kernel.random.entropy_avail",
    "kernel.random.uuid",
    "net.netfilter.nf_conntrack_count",
    "Memory in use",
    "Of that, inactive file cache",
    "Kills for want of memory",
    "Throttled periods",
    "Periods, in the window and since it exists",
    "Stopped in, likewise",
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

/// The columns that say which thing a row is about, of tables whose first cells do not: by check, the first that a table
/// has all of.
const NAMING: &[(&str, &[&str])] = &[
    ("net.routes", &["To", "Interface"]),
    ("net.routes", &["Node"]),
    ("net.listeners", &["Transport", "Address"]),
    ("net.firewall", &["Listener", "Port"]),
    ("net.qdisc", &["Interface"]),
    ("sec.secrets", &["Where", "What"]),
    ("tls.files", &["Section", "File", "Subject"]),
    ("tls.chain", &["Section", "Certificate"]),
    ("tls.listener", &["Section", "Address"]),
    ("uring.opcodes", &["Operation"]),
];

/// The most cells that name a row of any other table.
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
    /// The value before; none if the row is new. Rows of one name have their values together.
    pub before: Option<String>,
    /// The value after; none if the row is gone.
    pub after: Option<String>,
}

/// A table: check and title.
type Table<'a> = (&'a str, &'a str);

/// A setting's place: table, row, column. A row that is all name has its place, too, behind its last column.
type Place<'a> = (Table<'a>, String, usize);

struct Found<'a> {
    check: &'a Words,
    column: Option<&'a str>,
    /// More than one where rows have one name: two routes to one network.
    values: BTreeSet<&'a str>,
}

impl Found<'_> {
    fn value(&self) -> String {
        self.values.iter().copied().collect::<Vec<_>>().join(", ")
    }

    /// What has to be the same for nothing to have changed.
    fn compared(&self) -> BTreeSet<Cow<'_, str>> {
        self.values.iter().map(|value| without_pid(value)).collect()
    }
}

/// What stands for a row that has a name and nothing else to compare.
const LISTED: &str = "listed";

/// The settings that differ, at most [`SETTINGS_MAX`]. What either report could not judge is left out: nothing is known
/// of it.
pub(super) fn changes<'a>(before: &'a Report, after: &'a Report, relation: Relation) -> Vec<SettingChange<'a>> {
    let naming = Naming::of([before, after]);
    let (old, new) = (settings(before, relation, &naming), settings(after, relation, &naming));
    let judged = |report: &Report, place: &Place<'_>| {
        report.checks.iter().any(|check| check.id.as_str() == place.0.0 && check.verdict != Verdict::Skip)
    };
    let places: BTreeSet<&Place<'_>> = old.keys().chain(new.keys()).collect();
    places
        .into_iter()
        .filter(|place| judged(before, place) && judged(after, place))
        .filter_map(|place| {
            let (was, is) = (old.get(place), new.get(place));
            if was.map(Found::compared) == is.map(Found::compared) {
                return None;
            }
            let found = is.or(was)?;
            Some(SettingChange {
                check: found.check,
                name: place.1.clone(),
                column: found.column,
                before: was.map(Found::value),
                after: is.map(Found::value),
            })
        })
        .take(SETTINGS_MAX)
        .collect()
}

/// The tables that state settings: check, title, labels of the columns, rows.
fn tables(report: &Report) -> impl Iterator<Item = (&Check<Redacted<String>>, &str, &[Column], &[Row])> {
    let settled = report.checks.iter().filter(|check| Kind::of(check.id.as_str()) == Kind::Settled);
    settled.flat_map(|check| check.evidence.iter().map(move |evidence| (check, evidence))).filter_map(
        |(check, evidence)| match evidence {
            Evidence::Table { title, columns, rows, .. } => {
                Some((check, title.as_str(), columns.as_slice(), rows.as_slice()))
            }
            Evidence::Text { .. } | Evidence::Chart { .. } => None,
        },
    )
}

/// Every setting of a report: the text cells of its settled tables, by the name of their row.
fn settings<'a>(report: &'a Report, relation: Relation, naming: &Naming<'_>) -> BTreeMap<Place<'a>, Found<'a>> {
    let noise = |name: &str| MOVING.contains(&name) || (relation == Relation::Nodes && OF_ITS_OWN.contains(&name));
    let mut found: BTreeMap<Place<'_>, Found<'_>> = BTreeMap::new();
    for (check, title, columns, rows) in tables(report) {
        let table = (check.id.as_str(), title);
        let naming = naming.columns(table, columns);
        let still = |at: &usize| {
            columns.get(*at).is_some_and(|column| {
                column.unit.is_none() && !MOVING_COLUMNS.contains(&column.label.as_str()) && !naming.contains(at)
            })
        };
        for row in rows {
            let Some(name) = name(row, &naming).filter(|name| !noise(name)) else { continue };
            let mut add = |at: usize, column: Option<&'a str>, value: &'a str| {
                let place = (table, name.clone(), at);
                let entry = found.entry(place);
                entry.or_insert(Found { check: &check.title, column, values: BTreeSet::new() }).values.insert(value);
            };
            let values: Vec<(usize, &str)> =
                row.iter().enumerate().filter(|(at, _)| still(at)).filter_map(text).collect();
            for (at, value) in &values {
                let column = (columns.len() > naming.len() + 1).then(|| columns[*at].label.as_str());
                add(*at, column, value);
            }
            if values.is_empty() {
                add(columns.len(), None, LISTED);
            }
        }
    }
    found
}

fn text((at, cell): (usize, &Cell<Redacted<String>>)) -> Option<(usize, &str)> {
    match cell {
        Cell::Text(value) => Some((at, value.as_str())),
        Cell::Integer(_) | Cell::Number(_) | Cell::Empty => None,
    }
}

type Row = Vec<Cell<Redacted<String>>>;

/// Which columns name the rows of a table: the same in both reports, or every row of one would be missing in the other.
struct Naming<'a>(BTreeMap<Table<'a>, usize>);

impl<'a> Naming<'a> {
    fn of(reports: [&'a Report; 2]) -> Self {
        let mut cells = BTreeMap::new();
        for (check, title, _, rows) in reports.into_iter().flat_map(tables) {
            let most = cells.entry((check.id.as_str(), title)).or_insert(1);
            *most = named_by(rows).max(*most);
        }
        Self(cells)
    }

    fn columns(&self, table: Table<'_>, columns: &[Column]) -> Vec<usize> {
        let place = |label: &&str| columns.iter().position(|column| column.label.as_str() == *label);
        let mut known = NAMING.iter().filter(|(check, _)| *check == table.0);
        let known = known.find_map(|(_, labels)| labels.iter().map(place).collect());
        known.unwrap_or_else(|| (0..self.0.get(&table).copied().unwrap_or(1)).collect())
    }
}

/// How many cells name a row: the first one, and the next where it stands in several rows (a transport, a section), at most
/// [`NAMING_MAX`].
fn named_by(rows: &[Row]) -> usize {
    let told_apart = |cells: &usize| {
        let columns: Vec<usize> = (0..*cells).collect();
        let names: BTreeSet<Option<String>> = rows.iter().map(|row| name(row, &columns)).collect();
        names.len() == rows.len()
    };
    (1..NAMING_MAX).find(told_apart).unwrap_or(NAMING_MAX)
}

/// What names a row; none if a number does.
fn name(row: &Row, columns: &[usize]) -> Option<String> {
    let text = |at: &usize| match row.get(*at)? {
        Cell::Text(text) => Some(without_pid(text.as_str()).into_owned()),
        Cell::Empty => Some(String::new()),
        Cell::Integer(_) | Cell::Number(_) => None,
    };
    let parts: Option<Vec<String>> = columns.iter().map(text).collect();
    parts.map(|parts| parts.join(" ").trim_end().to_owned()).filter(|name| !name.is_empty())
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
