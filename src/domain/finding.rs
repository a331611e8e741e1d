//! What a check found on a host: the verdict, the sentence, the numbers and the tables that prove it.
//!
//! All text in here may come from the host and is **not** redacted yet; only the report's own types, which hold
//! redacted text, may leave the node.

use serde::{Deserialize, Serialize};

use super::gap::Gap;
use super::verdict::Verdict;

/// A unit of a measured number; it decides how the number is shown and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A plain count.
    Count,
    /// Bytes.
    Bytes,
    /// Percent, 0 to 100.
    Percent,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Events a second.
    PerSecond,
}

/// A number with its unit and the text that a page shows for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
    /// The number for a person, unit included.
    pub text: String,
}

/// One cell of an evidence table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A whole number; its column says the unit. Numbers beyond 2^53 must be text.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Text from the host.
    Text(String),
    /// Not known.
    Empty,
}

impl Cell {
    /// A text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number of something; beyond 2^53 it becomes text, so that no reader rounds it.
    #[must_use]
    pub fn count(value: u64) -> Self {
        match i64::try_from(value) {
            Ok(number) if number <= 1 << 53 => Self::Integer(number),
            _ => Self::Text(value.to_string()),
        }
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self::count(value)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What the numbers of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Text.
    Text,
    /// Numbers of this unit.
    Number(Unit),
}

/// A column of an evidence table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Heading; our own words.
    pub label: &'static str,
    /// What its cells hold.
    pub kind: ColumnKind,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(label: &'static str) -> Self {
        Self { label, kind: ColumnKind::Text }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn number(label: &'static str, unit: Unit) -> Self {
        Self { label, kind: ColumnKind::Number(unit) }
    }
}

/// A piece of evidence behind a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// Rows under headings.
    Table {
        /// What it shows; our own words.
        title: &'static str,
        /// The headings.
        columns: Vec<Column>,
        /// The rows, each as long as `columns`.
        rows: Vec<Vec<Cell>>,
        /// Rows left out by a cap.
        rows_dropped: u64,
    },
    /// Lines as they stand on the host.
    Text {
        /// What it shows; our own words.
        title: &'static str,
        /// The lines, joined by newlines.
        text: String,
        /// Lines left out by a cap.
        lines_dropped: u64,
    },
    /// Numbers that a picture shows better than a table.
    Chart {
        /// What it shows; our own words.
        title: &'static str,
        /// How it is drawn.
        kind: ChartKind,
        /// The unit of all values.
        unit: Unit,
        /// The values, named.
        bars: Vec<(String, f64)>,
        /// The full scale, where there is one: a volume's size, 100 %.
        scale: Option<f64>,
    },
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// One horizontal bar a value: cores, volumes, topics, days until a certificate expires.
    Bars,
    /// One bar divided into its parts: memory.
    Parts,
    /// Upright columns in a given order: a histogram.
    Columns,
}

/// The most values that a chart keeps: the first ones, so sort before.
pub const CHART_BARS_MAX: usize = 64;

/// The most rows that an evidence table keeps; the rest is counted in `rows_dropped`.
pub const EVIDENCE_ROWS_MAX: usize = 200;

impl Proof {
    /// A table of at most [`EVIDENCE_ROWS_MAX`] rows: the first ones, so sort before.
    #[must_use]
    pub fn table(title: &'static str, columns: Vec<Column>, mut rows: Vec<Vec<Cell>>) -> Self {
        let dropped = rows.len().saturating_sub(EVIDENCE_ROWS_MAX);
        rows.truncate(EVIDENCE_ROWS_MAX);
        Self::Table { title, columns, rows, rows_dropped: dropped as u64 }
    }

    /// A table of two columns, name and value.
    #[must_use]
    pub fn facts<N: Into<Cell>, V: Into<Cell>>(title: &'static str, facts: impl IntoIterator<Item = (N, V)>) -> Self {
        let rows = facts.into_iter().map(|(name, value)| vec![name.into(), value.into()]).collect();
        Self::table(title, vec![Column::text("What"), Column::text("Value")], rows)
    }

    /// A chart of at most [`CHART_BARS_MAX`] values.
    #[must_use]
    pub fn chart(
        title: &'static str,
        kind: ChartKind,
        unit: Unit,
        bars: impl IntoIterator<Item = (String, f64)>,
        scale: Option<f64>,
    ) -> Self {
        Self::Chart { title, kind, unit, bars: bars.into_iter().take(CHART_BARS_MAX).collect(), scale }
    }
}

/// What a rule says of the evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict; never `Skip` (that is a [`Gap`] in place of a judgement).
    pub verdict: Verdict,
    /// One sentence with the measured value and, where there is one, the threshold.
    pub summary: String,
    /// The number that was judged, if one was.
    pub measured: Option<Measured>,
    /// What was expected, for a person: `≥ 15 %`.
    pub expected: Option<String>,
    /// A remedy made for this host, in place of the check's general one.
    pub remedy: Option<String>,
    /// The proof.
    pub proofs: Vec<Proof>,
    /// Parts of the question that could not be answered.
    pub gaps: Vec<Gap>,
}

impl Judgement {
    #[cfg_attr(test, track_caller)]
    fn new(verdict: Verdict, summary: impl Into<String>) -> Self {
        #[cfg(test)]
        given::note();
        Self {
            verdict,
            summary: summary.into(),
            measured: None,
            expected: None,
            remedy: None,
            proofs: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// As it should be.
    #[must_use]
    #[cfg_attr(test, track_caller)]
    pub fn pass(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, summary)
    }

    /// A fact.
    #[must_use]
    #[cfg_attr(test, track_caller)]
    pub fn info(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Info, summary)
    }

    /// Needs a look.
    #[must_use]
    #[cfg_attr(test, track_caller)]
    pub fn warn(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Warn, summary)
    }

    /// Broken.
    #[must_use]
    #[cfg_attr(test, track_caller)]
    pub fn fail(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, summary)
    }

    /// With the number that was judged.
    #[must_use]
    pub fn measured(mut self, value: f64, unit: Unit, text: impl Into<String>) -> Self {
        self.measured = Some(Measured { value, unit, text: text.into() });
        self
    }

    /// With what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// With a remedy made for this host.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// With one more piece of evidence.
    #[must_use]
    pub fn proof(mut self, proof: Proof) -> Self {
        self.proofs.push(proof);
        self
    }

    /// With a part that could not be seen.
    #[must_use]
    pub fn gap(mut self, gap: Gap) -> Self {
        self.gaps.push(gap);
        self
    }
}

/// The places in the sources at which tests made judgements, for the test that misses none of them.
#[cfg(test)]
pub(crate) mod given {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::panic::Location;

    /// With this variable set, `FILE LINE` of each place is added to the file that it names.
    pub(crate) const TRACE: &str = "SNAPVISOR_TRACE_VERDICTS";

    #[track_caller]
    pub(super) fn note() {
        let Some(path) = std::env::var_os(TRACE) else { return };
        let place = Location::caller();
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        // One write: lines of several threads do not mix.
        file.write_all(format!("{} {}\n", place.file(), place.line()).as_bytes()).unwrap();
    }
}

/// The outcome of one check on one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The check's id.
    pub check: &'static str,
    /// The judgement, or the gap that prevented one (a skip).
    pub outcome: Result<Judgement, Gap>,
    /// Wall time of the rule.
    pub wall_us: u64,
    /// Settings of this check that differ from the defaults, as `name = value (default value)`.
    pub settings_changed: Vec<String>,
}

impl Finding {
    /// The verdict; a gap is a skip.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.outcome.as_ref().map_or(Verdict::Skip, |judgement| judgement.verdict)
    }
}
