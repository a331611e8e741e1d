//! The proof behind a verdict.

use serde::{Deserialize, Serialize};

use super::{Map, Visit, Words};
use crate::domain::finding::{self, ChartKind, ColumnKind, Proof, Unit};

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence<T> {
    /// Rows under headings.
    Table {
        /// What it shows.
        title: Words,
        /// The headings.
        columns: Vec<Column>,
        /// The rows, each as long as `columns`.
        rows: Vec<Vec<Cell<T>>>,
        /// Rows left out by a cap.
        rows_dropped: u64,
    },
    /// Lines as they stand on the host.
    Text {
        /// What it shows.
        title: Words,
        /// The lines, joined by newlines.
        text: T,
        /// Lines left out by a cap.
        lines_dropped: u64,
    },
    /// Numbers that a picture shows better than a table.
    Chart {
        /// What it shows.
        title: Words,
        /// How to draw it.
        chart: ChartKind,
        /// The unit of all values.
        unit: Unit,
        /// The values, named.
        bars: Vec<Bar<T>>,
        /// The full scale, where there is one (a volume's size, 100 %).
        scale: Option<f64>,
    },
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The words.
    pub label: Words,
    /// The unit of its numbers; none for text.
    pub unit: Option<Unit>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell<T> {
    /// A whole number, at most 2^53.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Text from the host.
    Text(T),
    /// Not known: `null`.
    Empty,
}

/// One value of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bar<T> {
    /// What it is.
    pub label: T,
    /// How much, in the chart's unit.
    pub value: f64,
}

impl<T> Evidence<T> {
    /// What it shows.
    #[must_use]
    pub const fn title(&self) -> &Words {
        match self {
            Self::Table { title, .. } | Self::Text { title, .. } | Self::Chart { title, .. } => title,
        }
    }

    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Evidence<U> {
        match self {
            Self::Table { title, columns, rows, rows_dropped } => Evidence::Table {
                title,
                columns,
                rows: rows.into_iter().map(|row| row.into_iter().map(|cell| cell.map_text(f)).collect()).collect(),
                rows_dropped,
            },
            Self::Text { title, text, lines_dropped } => Evidence::Text { title, text: f(text), lines_dropped },
            Self::Chart { title, chart, unit, bars, scale } => Evidence::Chart {
                title,
                chart,
                unit,
                bars: bars.into_iter().map(|bar| Bar { label: f(bar.label), value: bar.value }).collect(),
                scale,
            },
        }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        match self {
            Self::Table { title: _, columns: _, rows, rows_dropped: _ } => {
                for cell in rows.iter().flatten() {
                    match cell {
                        Cell::Text(text) => f(text),
                        Cell::Integer(_) | Cell::Number(_) | Cell::Empty => {}
                    }
                }
            }
            Self::Text { title: _, text, lines_dropped: _ } => f(text),
            Self::Chart { title: _, chart: _, unit: _, bars, scale: _ } => {
                for Bar { label, value: _ } in bars {
                    f(label);
                }
            }
        }
    }
}

impl<T> Cell<T> {
    fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Cell<U> {
        match self {
            Self::Integer(number) => Cell::Integer(number),
            Self::Number(number) => Cell::Number(number),
            Self::Text(text) => Cell::Text(f(text)),
            Self::Empty => Cell::Empty,
        }
    }
}

impl From<finding::Cell> for Cell<String> {
    fn from(cell: finding::Cell) -> Self {
        match cell {
            finding::Cell::Integer(number) => Self::Integer(number),
            finding::Cell::Number(number) => Self::Number(number),
            finding::Cell::Text(text) => Self::Text(text),
            finding::Cell::Empty => Self::Empty,
        }
    }
}

impl From<Proof> for Evidence<String> {
    fn from(proof: Proof) -> Self {
        match proof {
            Proof::Table { title, columns, rows, rows_dropped } => Self::Table {
                title: title.into(),
                columns: columns.into_iter().map(Column::from).collect(),
                rows: rows.into_iter().map(|row| row.into_iter().map(Cell::from).collect()).collect(),
                rows_dropped,
            },
            Proof::Text { title, text, lines_dropped } => Self::Text { title: title.into(), text, lines_dropped },
            Proof::Chart { title, kind, unit, bars, scale } => Self::Chart {
                title: title.into(),
                chart: kind,
                unit,
                bars: bars.into_iter().map(|(label, value)| Bar { label, value }).collect(),
                scale,
            },
        }
    }
}

impl From<finding::Column> for Column {
    fn from(column: finding::Column) -> Self {
        let unit = match column.kind {
            ColumnKind::Text => None,
            ColumnKind::Number(unit) => Some(unit),
        };
        Self { label: column.label.into(), unit }
    }
}
