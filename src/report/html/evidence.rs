//! Evidence: tables, lines and charts.

use maud::{Markup, PreEscaped, html};

use super::number::{as_f64, plural};
use super::shown::{Shown, marked};
use super::{Text, chart, number};
use crate::domain::finding::Unit;
use crate::report::model::{Cell, Column, Evidence, Words};

/// The longest line that a page shows, bytes; the rest is counted.
pub(super) const LINE_BYTES_MAX: usize = 4096;

/// Smaller whole numbers stand without separators: in tables they are often ports and process ids.
const GROUPED_FROM: i64 = 1_000_000;

/// Longer lists of names and values are set in two columns on paper.
const PAIRS_SHORT: usize = 24;

/// Lines of text that paper has room for; more are cut there, and the caption says so.
const PAPER_LINES: usize = 16;

/// Whether shares in a table are drawn, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gauges {
    Drawn,
    /// A chart beside the table shows them already.
    LeftToTheChart,
}

/// The proof of one check.
pub(super) fn evidence(proofs: &[Evidence<Text>]) -> Markup {
    let charted = proofs.iter().any(|proof| matches!(proof, Evidence::Chart { .. }));
    let gauges = if charted { Gauges::LeftToTheChart } else { Gauges::Drawn };
    html! { @for proof in proofs { (one(proof, gauges)) } }
}

fn one(evidence: &Evidence<Text>, gauges: Gauges) -> Markup {
    match evidence {
        Evidence::Table { title, columns, rows, rows_dropped } => table(title, columns, rows, *rows_dropped, gauges),
        Evidence::Text { title, text, lines_dropped } => lines(title, text, *lines_dropped),
        Evidence::Chart { title, chart, unit, bars, scale } => chart::chart(title, *chart, *unit, bars, *scale),
    }
}

fn table(title: &Words, columns: &[Column], rows: &[Vec<Cell<Text>>], dropped: u64, gauges: Gauges) -> Markup {
    if rows.is_empty() {
        return html! { p.from { (title) ": none." } };
    }
    if let [name, _] = columns
        && name.label.as_str() == "What"
    {
        return pairs(title, rows, dropped);
    }
    html! {
        div.scroll {
            table.sorts[rows.len() > 1] {
                caption { (title) (left_out(dropped)) }
                thead { tr { @for column in columns { th scope="col" class=[column.unit.map(|_| "num")] { (column.label) } } } }
                tbody {
                    @for row in rows { tr { @for (at, value) in row.iter().enumerate() { (cell(value, columns.get(at), gauges)) } } }
                }
            }
        }
    }
}

/// Names and values: no headings, the name is its row's.
fn pairs(title: &Words, rows: &[Vec<Cell<Text>>], dropped: u64) -> Markup {
    html! {
        table.pairs.long[rows.len() > PAIRS_SHORT] {
            caption { (title) (left_out(dropped)) }
            tbody {
                @for row in rows {
                    tr {
                        @if let Some(Cell::Text(name)) = row.first() { th scope="row" { (Shown(name)) } } @else { td {} }
                        @for value in row.iter().skip(1) { (cell(value, None, Gauges::LeftToTheChart)) }
                    }
                }
            }
        }
    }
}

fn left_out(rows: u64) -> Markup {
    html! { @if rows > 0 { " (" (plural(rows, "more row", "more rows")) " left out)" } }
}

fn cell(value: &Cell<Text>, column: Option<&Column>, gauges: Gauges) -> Markup {
    let unit = column.and_then(|column| column.unit);
    match value {
        Cell::Integer(value) if unit.unwrap_or(Unit::Count) == Unit::Count && value.abs() < GROUPED_FROM => {
            html! { td.num { (value) } }
        }
        Cell::Integer(value) => figure(as_signed_f64(*value), unit, gauges),
        Cell::Number(value) => figure(*value, unit, gauges),
        Cell::Text(text) => html! { td class=[unit.map(|_| "num")] { (Shown(text)) } },
        Cell::Empty => html! { td class=(if unit.is_some() { "num none" } else { "none" }) { "–" } },
    }
}

/// A number with its raw value for sorting; a share is also drawn.
fn figure(value: f64, unit: Option<Unit>, gauges: Gauges) -> Markup {
    let unit = unit.unwrap_or(Unit::Count);
    html! {
        td.num data-s=(value) {
            @if unit == Unit::Percent && gauges == Gauges::Drawn { (chart::gauge(value)) span.w { (number::text(unit, value)) } }
            @else { (number::text(unit, value)) }
        }
    }
}

fn lines(title: &Words, text: &Text, dropped: u64) -> Markup {
    html! {
        figure.lines.much[text.as_str().matches('\n').count() > PAPER_LINES] {
            figcaption { (title) @if dropped > 0 { " (" (plural(dropped, "more line", "more lines")) " left out)" } }
            pre { code { @for (at, line) in text.as_str().split('\n').enumerate() { @if at > 0 { "\n" } (short(line)) } } }
        }
    }
}

/// A line, cut at [`LINE_BYTES_MAX`].
pub(super) fn short(line: &str) -> Markup {
    if line.len() <= LINE_BYTES_MAX {
        return plain_or_marked(line);
    }
    let (head, rest) = line.split_at(line.floor_char_boundary(LINE_BYTES_MAX));
    html! { (plain_or_marked(head)) " … " (number::text(Unit::Bytes, as_f64(rest.len() as u64))) " more" }
}

/// Most lines of a log need neither marks nor escapes: those are copied as they are.
fn plain_or_marked(line: &str) -> Markup {
    let plain =
        line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t') && !matches!(byte, b'<' | b'>' | b'&' | b'"'));
    if plain && !line.contains("REDACTED-") { PreEscaped(line.to_owned()) } else { marked(line) }
}

#[expect(clippy::cast_precision_loss, reason = "a cell's integer is at most 2^53")]
const fn as_signed_f64(value: i64) -> f64 {
    value as f64
}
