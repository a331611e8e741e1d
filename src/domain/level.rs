//! The level of a log line, read from the line itself: one rule for checks, reports and pages.
//!
//! A log's lines pass through redaction as one text and may lose lines there, so a level cannot travel beside its line.
//! The script of the report's page has the same rule; a browser test compares the two.

use serde::{Deserialize, Serialize};

/// The level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Errors and worse.
    Error,
    /// Warnings.
    Warn,
    /// Information.
    Info,
    /// Debug and trace.
    Debug,
    /// No level in the line.
    Other,
}

impl Level {
    /// All levels, worst first.
    pub const WORST_FIRST: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Other];

    /// The word in `report.json` and in filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Other => "other",
        }
    }
}

/// A level stands near the beginning of a line or nowhere, bytes.
const SCAN_BYTES: usize = 160;

/// Words and their levels, in lower case.
const WORDS: [(&str, Level); 16] = [
    ("error", Level::Error),
    ("err", Level::Error),
    ("crit", Level::Error),
    ("critical", Level::Error),
    ("fatal", Level::Error),
    ("panic", Level::Error),
    ("emerg", Level::Error),
    ("alert", Level::Error),
    ("warn", Level::Warn),
    ("warning", Level::Warn),
    ("info", Level::Info),
    ("notice", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Debug),
    ("dbg", Level::Debug),
    ("verbose", Level::Debug),
];

/// The level of the first word that names one.
#[must_use]
pub fn level_of(line: &str) -> Level {
    let head = &line.as_bytes()[..line.len().min(SCAN_BYTES)];
    head.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .filter(|word| (3..=8).contains(&word.len()))
        .find_map(|word| {
            WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())).map(|(_, level)| *level)
        })
        .unwrap_or(Level::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_names_a_level_decides() {
        for (line, level) in [
            ("2026-11-24T02:12:40.5Z  INFO shard-1 server: error count is 0", Level::Info),
            ("2026-11-24T02:12:40.5Z ERROR shard-1 server: no", Level::Error),
            ("level=warning msg=\"late\"", Level::Warn),
            ("[86012.4] EXT4-fs warning (device nvme0n1p2): I/O error", Level::Warn),
            ("thread 'main' panicked at src/x.rs", Level::Other),
            ("kern  :err   : [1.0] x", Level::Error),
            ("error_count=3", Level::Other),
            ("", Level::Other),
            (&format!("{} ERROR", "x ".repeat(100)), Level::Other),
        ] {
            assert_eq!(level_of(line), level, "{line}");
        }
    }
}
