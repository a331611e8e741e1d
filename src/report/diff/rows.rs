//! The rows of the tables that state settings, by what they are about.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::noise::{MOVING, MOVING_COLUMNS, OF_ITS_OWN};
use super::{Relation, Report};
use crate::redact::Redacted;
use crate::report::model::{Cell, Check, Column, Evidence, Words};

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

/// What stands for a row that has a name and nothing else to compare.
const LISTED: &str = "listed";

/// What stands for a name or an address of the node itself while two nodes are compared.
const OWN: &str = "\u{1}";

/// A table: check and title.
pub(super) type Table<'a> = (&'a str, &'a str);

/// What a table says of one thing.
pub(super) struct Row<'a> {
    /// The title of the check.
    pub(super) check: &'a Words,
    /// What the row is about.
    pub(super) shown: String,
    /// What is compared, by column; of a row that is all name one cell behind the last column.
    pub(super) cells: BTreeMap<usize, Values<'a>>,
}

impl Row<'_> {
    /// The whole row.
    pub(super) fn text(&self) -> String {
        let cells: Vec<String> = self.cells.values().map(Values::shown).filter(|cell| !cell.is_empty()).collect();
        cells.join(", ")
    }
}

/// What a column says of one thing: more than one value where rows have one name, as two routes to one network.
pub(super) struct Values<'a> {
    /// The column's label, where a row has more than name and value.
    pub(super) column: Option<&'a str>,
    values: BTreeSet<&'a str>,
}

impl Values<'_> {
    pub(super) fn shown(&self) -> String {
        self.values.iter().copied().collect::<Vec<_>>().join(", ")
    }

    /// What has to be the same for nothing to have changed.
    pub(super) fn compared(&self, own: &Own) -> BTreeSet<String> {
        self.values.iter().map(|value| own.left_out(&without_pid(value))).collect()
    }
}

/// The settled tables of a report.
pub(super) struct Rows<'a>(pub(super) BTreeMap<Table<'a>, BTreeMap<String, Row<'a>>>);

impl<'a> Rows<'a> {
    pub(super) fn of(report: &'a Report, relation: Relation, naming: &Naming<'_>, own: &Own) -> Self {
        let noise = |name: &str| MOVING.contains(&name) || (relation == Relation::Nodes && OF_ITS_OWN.contains(&name));
        let mut tables: BTreeMap<Table<'_>, BTreeMap<String, Row<'_>>> = BTreeMap::new();
        for (check, title, columns, rows) in settled(report) {
            let table = (check.id.as_str(), title);
            let naming = naming.columns(table, columns);
            let found = tables.entry(table).or_default();
            for row in rows {
                let Some(shown) = name(row, &naming).filter(|name| !noise(name)) else { continue };
                let key = own.left_out(&shown);
                let cells = cells(row, columns, &naming);
                let row = found.entry(key).or_insert(Row { check: &check.title, shown, cells: BTreeMap::new() });
                for (at, column, value) in cells {
                    let values = row.cells.entry(at).or_insert(Values { column, values: BTreeSet::new() });
                    values.values.insert(value);
                }
            }
        }
        Self(tables)
    }
}

/// The tables that state settings: check, title, columns, rows.
fn settled(report: &Report) -> impl Iterator<Item = (&Check<Redacted<String>>, &str, &[Column], &[Cells])> {
    let settled = report.checks.iter().filter(|check| Kind::of(check.id.as_str()) == Kind::Settled);
    let evidence = settled.flat_map(|check| check.evidence.iter().map(move |evidence| (check, evidence)));
    evidence.filter_map(|(check, evidence)| match evidence {
        Evidence::Table { title, columns, rows, .. } => {
            Some((check, title.as_str(), columns.as_slice(), rows.as_slice()))
        }
        Evidence::Text { .. } | Evidence::Chart { .. } => None,
    })
}

type Cells = Vec<Cell<Redacted<String>>>;

/// What is compared of a row: column, its label where there is more than one, and value.
fn cells<'a>(row: &'a Cells, columns: &'a [Column], naming: &[usize]) -> Vec<(usize, Option<&'a str>, &'a str)> {
    let labelled = columns.len() > naming.len() + 1;
    let cells = row.iter().zip(columns).enumerate().filter_map(|(at, (cell, column))| {
        let moves = column.unit.is_some() || MOVING_COLUMNS.contains(&column.label.as_str());
        match cell {
            Cell::Text(value) if !moves && !naming.contains(&at) => {
                Some((at, labelled.then(|| column.label.as_str()), value.as_str()))
            }
            Cell::Text(_) | Cell::Integer(_) | Cell::Number(_) | Cell::Empty => None,
        }
    });
    let cells: Vec<_> = cells.collect();
    if cells.is_empty() { vec![(columns.len(), None, LISTED)] } else { cells }
}

/// Which columns name the rows of a table: the same in both reports, or every row of one would be missing in the other.
pub(super) struct Naming<'a>(BTreeMap<Table<'a>, usize>);

impl<'a> Naming<'a> {
    pub(super) fn of(reports: [&'a Report; 2]) -> Self {
        let mut cells = BTreeMap::new();
        for (check, title, _, rows) in reports.into_iter().flat_map(settled) {
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

/// How many cells name a row: the first one, and the next where it stands in several rows, at most [`NAMING_MAX`].
fn named_by(rows: &[Cells]) -> usize {
    let told_apart = |cells: &usize| {
        let columns: Vec<usize> = (0..*cells).collect();
        let names: BTreeSet<Option<String>> = rows.iter().map(|row| name(row, &columns)).collect();
        names.len() == rows.len()
    };
    (1..NAMING_MAX).find(told_apart).unwrap_or(NAMING_MAX)
}

/// What names a row; none if a number does.
fn name(row: &Cells, columns: &[usize]) -> Option<String> {
    let text = |at: &usize| match row.get(*at)? {
        Cell::Text(text) => Some(without_pid(text.as_str()).into_owned()),
        Cell::Empty => Some(String::new()),
        Cell::Integer(_) | Cell::Number(_) => None,
    };
    let parts: Option<Vec<String>> = columns.iter().map(text).collect();
    parts.map(|parts| parts.join(" ").trim_end().to_owned()).filter(|name| !name.is_empty())
}

/// What only one of two nodes can be called: their names, and the addresses of their interfaces. Longest first. Of both in
/// both: a node may be called `vm`, and `vm.swappiness` must stay the same in the other.
pub(super) struct Own(Vec<String>);

impl Own {
    pub(super) fn of(reports: [&Report; 2], relation: Relation) -> Self {
        let reports = reports.into_iter().filter(|_| relation == Relation::Nodes);
        let mut own: Vec<String> = reports.flat_map(Self::names).collect();
        own.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self(own)
    }

    fn names(report: &Report) -> Vec<String> {
        let snapshot = &report.snapshot;
        let mut own: BTreeSet<&str> = snapshot.hostname.iter().map(Redacted::as_str).collect();
        own.insert(snapshot.node.as_str());
        for (_, _, columns, rows) in settled(report).filter(|(check, ..)| check.id.as_str() == "net.links") {
            let at = columns.iter().position(|column| column.label.as_str() == "Addresses");
            let cells = rows.iter().filter_map(|row| row.get(at?));
            own.extend(cells.flat_map(|cell| match cell {
                Cell::Text(text) => text.as_str().split(' ').collect(),
                Cell::Integer(_) | Cell::Number(_) | Cell::Empty => Vec::new(),
            }));
        }
        let shared = |name: &str| name.starts_with("127.") || matches!(name, "" | "::1" | "localhost");
        own.into_iter().filter(|name| !shared(name)).map(str::to_owned).collect()
    }

    /// `text` with one sign for every name of the node that stands in it as a word.
    fn left_out(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, name| {
            let mut rest = text.as_str();
            let mut left = String::with_capacity(rest.len());
            while let Some(at) = rest.find(name.as_str()) {
                let (before, after) = (&rest[..at], &rest[at + name.len()..]);
                let word = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric());
                let whole = word(before.chars().next_back().or(left.chars().next_back())) && word(after.chars().next());
                left.extend([before, if whole { OWN } else { name.as_str() }]);
                rest = after;
            }
            left + rest
        })
    }
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
