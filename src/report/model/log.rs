//! The newest lines of a log, its levels and its repeated messages.

use serde::{Deserialize, Serialize};

use super::{Map, Visit};
pub use crate::domain::level::Level;
use crate::domain::time::Timestamp;

/// Lines by level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelCounts {
    /// Errors and worse.
    pub error: u64,
    /// Warnings.
    pub warn: u64,
    /// Information.
    pub info: u64,
    /// Debug and trace.
    pub debug: u64,
    /// Lines without a level.
    pub other: u64,
}

impl LevelCounts {
    /// One more line of `level`.
    pub fn add(&mut self, level: Level) {
        *match level {
            Level::Error => &mut self.error,
            Level::Warn => &mut self.warn,
            Level::Info => &mut self.info,
            Level::Debug => &mut self.debug,
            Level::Other => &mut self.other,
        } += 1;
    }

    /// How many lines have `level`.
    #[must_use]
    pub const fn of(&self, level: Level) -> u64 {
        match level {
            Level::Error => self.error,
            Level::Warn => self.warn,
            Level::Info => self.info,
            Level::Debug => self.debug,
            Level::Other => self.other,
        }
    }
}

/// The newest lines of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log<T> {
    /// What wrote it: a service, a container, `kernel`.
    pub runtime: T,
    /// Where it was read: a path, the journal.
    pub source: T,
    /// Lines in `text`.
    pub lines: u64,
    /// Older lines that were left out.
    pub dropped: u64,
    /// Lines by level.
    pub levels: LevelCounts,
    /// Lines by level over time, for the histogram; empty when lines carry no time.
    pub spans: Vec<LogSpan>,
    /// The most frequent messages with their numbers taken out, most frequent first.
    pub templates: Vec<Template<T>>,
    /// The lines, oldest first, joined by newlines. Left out (`null`) where a page holds them itself.
    pub text: Option<T>,
}

/// The levels within one span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSpan {
    /// Its start.
    pub from: Timestamp,
    /// How long it is, seconds.
    pub length_s: u64,
    /// Lines by level.
    pub levels: LevelCounts,
}

/// A repeated message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template<T> {
    /// The message; what varies is `…`.
    pub text: T,
    /// Its level.
    pub level: Level,
    /// How often it stands in the lines that were read.
    pub count: u64,
    /// The number of its first line in `text`, from 1.
    pub first_line: u64,
}

impl<T> Log<T> {
    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Log<U> {
        Log {
            runtime: f(self.runtime),
            source: f(self.source),
            lines: self.lines,
            dropped: self.dropped,
            levels: self.levels,
            spans: self.spans,
            templates: self
                .templates
                .into_iter()
                .map(|template| Template {
                    text: f(template.text),
                    level: template.level,
                    count: template.count,
                    first_line: template.first_line,
                })
                .collect(),
            text: self.text.map(&mut *f),
        }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self { runtime, source, lines: _, dropped: _, levels: _, spans: _, templates, text } = self;
        f(runtime);
        f(source);
        for Template { text, level: _, count: _, first_line: _ } in templates {
            f(text);
        }
        text.iter().for_each(&mut *f);
    }
}
