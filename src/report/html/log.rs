//! Logs: text in chunks that a browser lays out only when they are seen, so that its own search, printing and a reader
//! without JavaScript work with fifty thousand lines.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use super::chart::coordinate;
use super::evidence::{LINE_BYTES_MAX, short};
use super::number::{as_f64, plural};
use super::shown::Shown as Visible;
use super::{Report, Text, number};
use crate::domain::finding::Unit;
use crate::domain::level::level_of;
use crate::domain::time::Timestamp;
use crate::report::model::{Level, Log, LogSpan, Truncation};

/// Lines in one chunk: enough that few elements are needed, few enough that laying one out takes no time.
const CHUNK_LINES: usize = 200;

/// A histogram of fewer bars says less than the line that it takes.
const SPANS_MIN: usize = 6;

/// Lines of a page that may have an element of their own. Past it warnings stand in plain ink, so that a flood of them
/// does not make the page slow; a filter still finds them.
const MARKS_MAX: u64 = 3000;

/// Which lines are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    ErrorsAndWarnings,
    Errors,
}

impl Marks {
    fn for_logs(logs: &[Shown<'_>]) -> Self {
        let lines = logs.iter().map(|shown| shown.log.levels.error + shown.log.levels.warn).sum::<u64>();
        if lines <= MARKS_MAX { Self::ErrorsAndWarnings } else { Self::Errors }
    }
}

/// A log and the lines of it that the page has room for.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    log: &'a Log<Text>,
    lines: Vec<&'a str>,
    /// Older lines of the report that the page has no room for.
    cut: usize,
}

/// The logs' newest lines that fit into `bytes_max` of page, each log with a share according to its size.
pub(super) fn cut(logs: &[Log<Text>], bytes_max: usize) -> Vec<Shown<'_>> {
    let sizes: Vec<usize> = logs.iter().map(|log| lines_of(log).map(cost).sum()).collect();
    let total: usize = sizes.iter().sum();
    logs.iter()
        .zip(sizes)
        .map(|(log, size)| {
            let mut lines: Vec<&str> = lines_of(log).collect();
            let mut left = size;
            let room = if total <= bytes_max { size } else { share_of(bytes_max, size, total) };
            let cut = lines
                .iter()
                .take_while(|line| {
                    let over = left > room;
                    left -= if over { cost(line) } else { 0 };
                    over
                })
                .count();
            lines.drain(..cut);
            Shown { log, lines, cut }
        })
        .collect()
}

/// What the page has no room for, for its account of itself and its copy of the document; report.json has it all.
pub(super) fn truncations(logs: &[Shown<'_>]) -> Vec<Truncation<Text>> {
    let cut = logs.iter().filter(|shown| shown.cut > 0);
    cut.map(|shown| Truncation {
        what: shown.log.runtime.clone(),
        dropped: shown.cut as u64,
        of: "lines on the page".into(),
    })
    .collect()
}

fn lines_of(log: &Log<Text>) -> impl Iterator<Item = &str> {
    log.text.iter().flat_map(|text| text.as_str().split('\n'))
}

/// Bytes of page that a line may need: escaped text, its number and its mark.
fn cost(line: &str) -> usize {
    const FRAME: usize = 32;
    const MARK: usize = 28;
    let escapes = line.bytes().take(LINE_BYTES_MAX).map(|byte| match byte {
        b'"' => 5,
        b'&' | b'<' | b'>' => 4,
        0..=31 | 127.. => 3,
        _ => 0,
    });
    line.len().min(LINE_BYTES_MAX + 32) + escapes.sum::<usize>() + line.matches("REDACTED-").count() * MARK + FRAME
}

fn share_of(room: usize, size: usize, total: usize) -> usize {
    let share = (room as u128) * (size as u128) / (total as u128).max(1);
    usize::try_from(share).unwrap_or(usize::MAX)
}

pub(super) fn section(document: &Report, logs: &[Shown<'_>]) -> Markup {
    let marks = Marks::for_logs(logs);
    html! {
        @if !logs.is_empty() {
            section #logs {
                h2 { "Logs" }
                p.lead {
                    "The newest lines of each log. Line numbers stay the same under a filter, so a link to a line holds."
                    @if let Some(offset) = document.snapshot.utc_offset() {
                        " Times stand as they were written; the node's own clock is at UTC" (offset) "."
                        span.js hidden { " The other of the two, UTC or the node's, stands beside each line." }
                    }
                }
                @for (index, log) in logs.iter().enumerate() { (one(index, log, marks)) }
            }
        }
    }
}

fn one(index: usize, shown: &Shown<'_>, marks: Marks) -> Markup {
    let id = format!("log-rt{index:02}");
    let title = format!("{id}-t");
    let log = shown.log;
    html! {
        details.log id=(id) {
            summary {
                h3 id=(title) { (Visible(&log.runtime)) }
                span.n { (plural(log.lines, "line", "lines")) }
                @for level in [Level::Error, Level::Warn] {
                    @if log.levels.of(level) > 0 {
                        span class=(level.word()) { (number::text(Unit::Count, as_f64(log.levels.of(level)))) " " (level.word()) }
                    }
                }
            }
            p.from { (Visible(&log.source)) ". " (missing(shown)) }
            (histogram(&log.spans))
            (templates(&id, log))
            (tools(log))
            div.pane role="region" aria-labelledby=(title) tabindex="0" { (chunks(shown, marks)) }
        }
    }
}

fn missing(shown: &Shown<'_>) -> Markup {
    html! {
        @if shown.log.dropped > 0 { (plural(shown.log.dropped, "older line was", "older lines were")) " not collected. " }
        @if shown.cut > 0 {
            b { (plural(shown.cut as u64, "older line", "older lines")) " left out of this page for its size; report.json has them." }
        }
    }
}

/// Lines by level over time, errors at the bottom.
fn histogram(spans: &[LogSpan]) -> Markup {
    let total = |span: &LogSpan| Level::WORST_FIRST.iter().map(|level| span.levels.of(*level)).sum::<u64>();
    let largest = spans.iter().map(total).max().unwrap_or(0);
    let view = format!("0 0 {} 100", spans.len() * 10);
    let time = |span: &LogSpan| number::moment(span.from);
    html! {
        @if let (Some(first), Some(last)) = (spans.first(), spans.last()) && spans.len() >= SPANS_MIN && largest > 0 {
            figure.columns.levels {
                figcaption { "Lines over time, at most " (largest) " in " (number::text(Unit::Seconds, as_f64(first.length_s))) }
                svg.plot viewBox=(view) preserveAspectRatio="none" aria-hidden="true" {
                    @for level in Level::WORST_FIRST {
                        @let bars = bars(spans, level, largest);
                        @if !bars.is_empty() { path class=(level.word()) d=(bars) {} }
                    }
                    // What is pointed at says its numbers: one element a span, whatever stands in it.
                    @for (index, span) in spans.iter().enumerate() {
                        rect x=(index * 10) y="0" width="10" height="100" {
                            title { (time(span)) ": " (span.levels.error) " error, " (span.levels.warn) " warn, " (total(span)) " in all" }
                        }
                    }
                }
                p.axis { span { (time(first)) } span { (time(last)) } }
            }
        }
    }
}

/// The outline of a level's bars, each on top of the worse levels of its span, in a height of 100.
fn bars(spans: &[LogSpan], level: Level, largest: u64) -> String {
    let height = |lines: u64| as_f64(lines) * 100.0 / as_f64(largest);
    let mut outline = String::new();
    for (index, span) in spans.iter().enumerate().filter(|(_, span)| span.levels.of(level) > 0) {
        let worse = Level::WORST_FIRST.iter().take_while(|other| **other != level);
        let below: u64 = worse.map(|worse| span.levels.of(*worse)).sum();
        let (from, to) = (height(below), height(below + span.levels.of(level)));
        let (top, tall) = (coordinate(100.0 - to), coordinate(to - from));
        let _ = write!(outline, "M{} {top}h9v{tall}h-9z", index * 10);
    }
    outline
}

fn templates(id: &str, log: &Log<Text>) -> Markup {
    html! {
        @if !log.templates.is_empty() {
            div.scroll.tall {
                table.templates.sorts {
                    caption { "Repeated messages" }
                    thead { tr { th.num scope="col" { "Count" } th scope="col" { "Level" } th scope="col" { "Message" } th scope="col" { "First" } } }
                    tbody {
                        @for template in &log.templates {
                            tr {
                                td.num data-s=(template.count) { (number::text(Unit::Count, as_f64(template.count))) }
                                td class=(template.level.word()) { (template.level.word()) }
                                td { (Visible(&template.text)) }
                                td { a href={ "#" (id) ":L" (template.first_line) } { "line " (template.first_line) } @if let Some(time) = time_of(log, template.first_line) { " " (time) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// When a line was written, if it begins with a time. Lines count from 1.
fn time_of(log: &Log<Text>, line: u64) -> Option<String> {
    let line = lines_of(log).nth(usize::try_from(line.checked_sub(1)?).ok()?)?;
    let time: Timestamp = line.split_whitespace().next()?.parse().ok()?;
    Some(number::moment(time))
}

/// The controls that only the script can serve.
fn tools(log: &Log<Text>) -> Markup {
    html! {
        div.tools.js hidden {
            label.field { span.vh { "Filter the lines" } input.lq type="search" placeholder="Filter lines, or /regex/" spellcheck="false" autocomplete="off"; }
            div.chips role="group" aria-label="Levels" {
                @for level in Level::WORST_FIRST {
                    @if log.levels.of(level) > 0 {
                        button.chip type="button" data-l=(level.word()) aria-pressed="false" { (level.word()) }
                    }
                }
            }
            div.acts {
                button type="button" data-log="prev" { "Previous" }
                button type="button" data-log="next" { "Next" }
                button type="button" data-log="around" aria-pressed="false" { "Context" }
                button type="button" data-log="copy" { "Copy lines" }
            }
            p.lhits role="status" {}
        }
    }
}

fn chunks(shown: &Shown<'_>, marks: Marks) -> Markup {
    let first = shown.cut + 1;
    html! {
        @for (index, lines) in shown.lines.chunks(CHUNK_LINES).enumerate() {
            (chunk(first + index * CHUNK_LINES, lines, marks))
        }
    }
}

fn chunk(first: usize, lines: &[&str], marks: Marks) -> Markup {
    use std::fmt::Write as _;
    let mut numbers = String::with_capacity(lines.len() * 6);
    for number in first..first + lines.len() {
        let _ = writeln!(numbers, "{number}");
    }
    let class = if lines.len() == CHUNK_LINES { "c full" } else { "c" };
    html! {
        pre class=(class) {
            i aria-hidden="true" { (PreEscaped(numbers)) }
            code { @for line in lines { (one_line(line, marks)) "\n" } }
        }
    }
}

fn one_line(line: &str, marks: Marks) -> Markup {
    match level_of(line) {
        Level::Error => html! { b.error { (short(line)) } },
        Level::Warn if marks == Marks::ErrorsAndWarnings => html! { b.warn { (short(line)) } },
        Level::Warn | Level::Info | Level::Debug | Level::Other => short(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_oldest_lines_of_every_log_give_way_to_the_limit() {
        let document = fixtures::redacted(fixtures::many_lines(100));
        let whole = cut(&document.logs, usize::MAX);
        assert!(whole.iter().all(|log| log.cut == 0 && log.lines.len() == 100));

        let total: usize = document.logs.iter().flat_map(lines_of).map(cost).sum();
        let half = cut(&document.logs, total / 2);
        for (log, all) in half.iter().zip(&whole) {
            assert_eq!(log.lines, all.lines[log.cut..], "the newest lines stay");
            assert!((45..=55).contains(&log.cut), "{} lines were cut", log.cut);
        }
        assert!(half.iter().flat_map(|log| &log.lines).map(|line| cost(line)).sum::<usize>() <= total / 2);
    }

    #[test]
    fn the_cost_of_a_line_is_never_less_than_its_markup() {
        for line in [
            "",
            "plain",
            "<&>\"'",
            "REDACTED-pw-1 REDACTED-pw-2",
            "ERROR \u{1b}[31m\u{202e}",
            "漢字 é",
            &"x".repeat(20_000),
            &"<".repeat(20_000),
        ] {
            let page = format!("{}\n12345\n", one_line(line, Marks::ErrorsAndWarnings).into_string());
            assert!(page.len() <= cost(line) + 24, "{} > {} for {line:.20}", page.len(), cost(line));
        }
    }
}
