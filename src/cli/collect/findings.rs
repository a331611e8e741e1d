//! The findings as a table: the worst first, and what to do about it.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::output::printable;
use crate::domain::size;
use crate::domain::verdict::Verdict;
use crate::examine::Summary;
use crate::report::model::{Check, Document, Remedy};

/// Whether verdicts are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// For a terminal.
    Colours,
    /// For everything else.
    Plain,
}

impl Paint {
    fn verdict(self, verdict: Verdict) -> String {
        let word = format!("{:<4}", verdict.word().to_uppercase());
        let code = match verdict {
            Verdict::Fail => "1;31",
            Verdict::Warn => "1;33",
            Verdict::Info => "36",
            Verdict::Pass => "32",
            Verdict::Skip => "2",
        };
        match self {
            Self::Colours => format!("\x1b[{code}m{word}\x1b[0m"),
            Self::Plain => word,
        }
    }

    fn faint(self, text: &str) -> String {
        match self {
            Self::Colours => format!("\x1b[2m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// The headline, a row for each check from the worst to the skipped, and the counts.
pub(super) fn print(out: &mut dyn Write, document: &Document<String>, paint: Paint) -> io::Result<()> {
    writeln!(out, "{}\n", printable(&document.summary.headline))?;
    if let Some(failure) = &document.failure {
        writeln!(out, "{}", printable(&failure.reason))?;
    }
    let width = document.checks.iter().map(|check| check.id.as_str().chars().count()).max().unwrap_or(0);
    for verdict in Verdict::WORST_FIRST {
        for check in document.checks.iter().filter(|check| check.verdict == verdict) {
            row(out, check, width, paint)?;
        }
    }
    let counts = &document.summary.counts;
    let counted = Verdict::WORST_FIRST.map(|verdict| format!("{} {}", counts.of(verdict), verdict.word()));
    writeln!(out, "\n{} checks: {}", counts.total(), counted.join(", "))
}

fn row(out: &mut dyn Write, check: &Check<String>, width: usize, paint: Paint) -> io::Result<()> {
    let id = check.id.as_str();
    writeln!(out, "{}  {id:<width$}  {}", paint.verdict(check.verdict), printable(&check.summary))?;
    if !matches!(check.verdict, Verdict::Fail | Verdict::Warn) {
        return Ok(());
    }
    let remedy = match &check.remedy {
        Some(Remedy::AnyHost(words)) => words.as_str(),
        Some(Remedy::ThisHost(text)) => text,
        None => return Ok(()),
    };
    for line in remedy.lines().filter(|line| !line.is_empty()) {
        writeln!(out, "      {:<width$}  {}", "", paint.faint(&printable(line)))?;
    }
    Ok(())
}

/// Where the archive is, and what is not in it.
pub(super) fn print_archive(out: &mut dyn Write, archive: &Path, summary: &Summary) -> io::Result<()> {
    for sentence in &summary.left_out {
        writeln!(out, "left out: {}", printable(sentence))?;
    }
    let bytes = std::fs::metadata(archive)?.len();
    let took = summary.duration_ms;
    writeln!(out, "{} ({}, taken in {}.{} s)", archive.display(), size::human(bytes), took / 1000, took % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_worst_comes_first_and_a_terminal_is_told_nothing_by_a_host() {
        let mut out = Vec::new();
        print(&mut out, &fixtures::hostile(), Paint::Plain).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains('\u{1b}'), "{text}");
        let words: Vec<&str> = text.lines().filter_map(|line| line.get(..4)).collect();
        let place = |word| words.iter().position(|other| *other == word);
        let places: Vec<usize> = ["FAIL", "WARN", "INFO", "PASS", "SKIP"].into_iter().filter_map(place).collect();
        assert!(places.len() > 1 && places.is_sorted(), "{text}");
    }
}
