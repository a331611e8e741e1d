//! The logs of the report: the newest lines of each runtime, their levels, their histogram and their templates.

use std::collections::BTreeMap;

use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::evidence::Evidence;
use crate::evidence::logs::{Older, RUNTIME_LOGS, RuntimeLog};
use crate::iggy::log_line::{LogLine, template, without_colours};
use crate::report::model::{LevelCounts, Log, LogSpan, Template};

/// Bars of the histogram.
const SPANS_MAX: i64 = 48;
/// Templates kept of one log.
const TEMPLATES_MAX: usize = 20;

/// The logs of all runtimes that could be read.
pub(super) fn all(evidence: &Evidence) -> Vec<Log<String>> {
    evidence
        .read(RUNTIME_LOGS)
        .map(|logs| logs.iter().filter(|log| log.unread.is_none()).map(log).collect())
        .unwrap_or_default()
}

fn log(log: &RuntimeLog) -> Log<String> {
    let lines: Vec<String> = log.lines.iter().map(|line| without_colours(line)).collect();
    let read: Vec<LogLine<'_>> = lines.iter().map(|line| LogLine::read(line)).collect();
    let mut levels = LevelCounts::default();
    for line in &read {
        levels.add(line.level);
    }
    Log {
        runtime: log.runtime.clone(),
        source: log.sources.join(", "),
        lines: lines.len() as u64,
        dropped: dropped(log),
        levels,
        spans: spans(&read),
        templates: templates(&read),
        text: Some(lines.join("\n")),
    }
}

/// Older lines, estimated from their bytes and the length of the lines that were kept.
fn dropped(log: &RuntimeLog) -> u64 {
    let kept: u64 = log.lines.iter().map(|line| line.len() as u64 + 1).sum();
    match log.older {
        Older::Nothing => 0,
        Older::Some => 1,
        Older::Bytes(bytes) => (bytes * log.lines.len().max(1) as u64 / kept.max(1)).max(1),
    }
}

fn spans(lines: &[LogLine<'_>]) -> Vec<LogSpan> {
    let times = || lines.iter().filter_map(|line| line.time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Vec::new() };
    let length_s = (last.since_s(first) / SPANS_MAX + 1).max(1);
    let mut spans: BTreeMap<i64, LevelCounts> = BTreeMap::new();
    for line in lines {
        if let Some(time) = line.time {
            spans.entry(time.since_s(first) / length_s).or_default().add(line.level);
        }
    }
    let at = |index: i64| Timestamp::from_unix(first.unix() + index * length_s);
    let length = u64::try_from(length_s).unwrap_or(1);
    let last_index = last.since_s(first) / length_s;
    (0..=last_index)
        .map(|index| LogSpan {
            from: at(index),
            length_s: length,
            levels: spans.get(&index).copied().unwrap_or_default(),
        })
        .collect()
}

fn templates(lines: &[LogLine<'_>]) -> Vec<Template<String>> {
    let mut found: BTreeMap<(Level, String), (u64, u64)> = BTreeMap::new();
    for (number, line) in (1..).zip(lines) {
        let entry = found.entry((line.level, template(line.message))).or_insert((0, number));
        entry.0 += 1;
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(_, (count, first_line))| (std::cmp::Reverse(*count), *first_line));
    found.truncate(TEMPLATES_MAX);
    found
        .into_iter()
        .map(|((found_level, text), (count, first_line))| Template { text, level: found_level, count, first_line })
        .collect()
}
