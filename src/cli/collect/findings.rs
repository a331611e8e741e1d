//! The findings as a table: the worst first, and what to do about it; what could not be seen last, and once a reason.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::output::{printable, wrapped};
use crate::domain::size;
use crate::domain::verdict::Verdict;
use crate::examine::Summary;
use crate::report::diff::{Relation, counted};
use crate::report::model::{Check, Document, Remedy};

/// Fewer columns than this for the text, and lines are left to the terminal.
const TEXT_COLUMNS_MIN: usize = 30;
/// Columns of a verdict and the gap behind it.
const VERDICT_COLUMNS: usize = 6;
/// Columns between an id and its text.
const GAP: usize = 2;

/// How the table is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    /// Whether verdicts are coloured.
    pub(super) paint: Paint,
    /// Columns of the terminal; `None`: a line for each sentence, however long.
    pub(super) columns: Option<usize>,
}

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
pub(super) fn print(out: &mut dyn Write, document: &Document<String>, screen: Screen) -> io::Result<()> {
    writeln!(out, "{}", printable(&document.summary.headline))?;
    if let Some(changes) = &document.changes {
        let moved = counted(&changes.checks, Relation::Times);
        let moved = if moved.is_empty() { "no verdict changed" } else { moved.as_str() };
        writeln!(out, "Since {}: {moved}.", printable(&changes.since))?;
    }
    writeln!(out)?;
    if let Some(failure) = &document.failure {
        writeln!(out, "{}", printable(&failure.reason))?;
    }
    let label_columns = document.checks.iter().map(|check| check.id.as_str().chars().count()).max().unwrap_or(0);
    let mut table = Table { out, screen, label_columns };
    for verdict in Verdict::WORST_FIRST {
        let mut checks = document.checks.iter().filter(|check| check.verdict == verdict);
        if verdict == Verdict::Skip {
            for (reason, ids) in by_reason(checks) {
                table.skipped(reason, &ids)?;
            }
        } else {
            checks.try_for_each(|check| table.check(check))?;
        }
    }
    let counts = &document.summary.counts;
    let counted = Verdict::WORST_FIRST.map(|verdict| format!("{} {}", counts.of(verdict), verdict.word()));
    writeln!(out, "\n{} checks: {}", counts.total(), counted.join(", "))
}

/// The reasons in the order of their first check, and the checks of each.
fn by_reason<'a>(checks: impl Iterator<Item = &'a Check<String>>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in checks {
        match reasons.iter_mut().find(|(reason, _)| *reason == check.summary) {
            Some((_, ids)) => ids.push(check.id.as_str()),
            None => reasons.push((&check.summary, vec![check.id.as_str()])),
        }
    }
    reasons
}

struct Table<'a> {
    out: &'a mut dyn Write,
    screen: Screen,
    label_columns: usize,
}

impl Table<'_> {
    fn check(&mut self, check: &Check<String>) -> io::Result<()> {
        self.row(check.verdict, check.id.as_str(), &check.summary)?;
        if !matches!(check.verdict, Verdict::Fail | Verdict::Warn) {
            return Ok(());
        }
        let remedy = match &check.remedy {
            Some(Remedy::AnyHost(words)) => words.as_str(),
            Some(Remedy::ThisHost(text)) => text,
            None => return Ok(()),
        };
        // Never wrapped: a command is to be pasted.
        for line in remedy.lines().filter(|line| !line.is_empty()) {
            self.below(line)?;
        }
        Ok(())
    }

    fn skipped(&mut self, reason: &str, ids: &[&str]) -> io::Result<()> {
        let [id] = ids else {
            self.row(Verdict::Skip, &format!("{} checks", ids.len()), reason)?;
            return self.lines(&ids.join(" ")).iter().try_for_each(|line| self.below(line));
        };
        self.row(Verdict::Skip, id, reason)
    }

    fn row(&mut self, verdict: Verdict, label: &str, text: &str) -> io::Result<()> {
        let (verdict, columns) = (self.screen.paint.verdict(verdict), self.label_columns);
        for (at, line) in self.lines(&printable(text)).iter().enumerate() {
            if at == 0 {
                writeln!(self.out, "{verdict}  {label:<columns$}  {line}")?;
            } else {
                writeln!(self.out, "{:indent$}{line}", "", indent = self.indent())?;
            }
        }
        Ok(())
    }

    fn below(&mut self, line: &str) -> io::Result<()> {
        let line = self.screen.paint.faint(&printable(line));
        writeln!(self.out, "{:indent$}{line}", "", indent = self.indent())
    }

    const fn indent(&self) -> usize {
        VERDICT_COLUMNS + self.label_columns + GAP
    }

    fn lines(&self, text: &str) -> Vec<String> {
        match self.screen.columns.and_then(|columns| columns.checked_sub(self.indent())) {
            Some(columns) if columns >= TEXT_COLUMNS_MIN => wrapped(text, columns),
            _ => vec![text.to_owned()],
        }
    }
}

/// Where the archive is, and what is not in it besides the checks that the table has as skipped.
pub(super) fn print_archive(
    out: &mut dyn Write,
    archive: &Path,
    document: &Document<String>,
    summary: &Summary,
) -> io::Result<()> {
    let is_check = |sentence: &&String| {
        let id = sentence.split(": ").next().unwrap_or_default();
        document.checks.iter().any(|check| check.id.as_str() == id)
    };
    for sentence in summary.left_out.iter().filter(|sentence| !is_check(sentence)) {
        writeln!(out, "left out: {}", printable(sentence))?;
    }
    let bytes = std::fs::metadata(archive)?.len();
    let took = summary.duration_ms;
    writeln!(out, "{} ({}, taken in {}.{} s)", archive.display(), size::human(bytes), took / 1000, took % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::Redaction;
    use crate::domain::verdict::VerdictCounts;
    use crate::report::fixtures;

    const PLAIN: Screen = Screen { paint: Paint::Plain, columns: None };

    fn printed(document: &Document<String>, screen: Screen) -> String {
        let mut out = Vec::new();
        print(&mut out, document, screen).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_worst_comes_first_and_a_terminal_is_told_nothing_by_a_host() {
        let text = printed(&fixtures::hostile(), PLAIN);
        assert!(!text.contains('\u{1b}'), "{text}");
        let words: Vec<&str> = text.lines().filter_map(|line| line.get(..4)).collect();
        let place = |word| words.iter().position(|other| *other == word);
        let places: Vec<usize> = ["FAIL", "WARN", "INFO", "PASS", "SKIP"].into_iter().filter_map(place).collect();
        assert!(places.len() > 1 && places.is_sorted(), "{text}");
    }

    #[test]
    fn checks_that_were_skipped_for_one_reason_share_a_row() {
        let mut document = fixtures::mixed();
        for check in &mut document.checks {
            check.verdict = Verdict::Skip;
            check.summary = "no trace of Iggy".to_owned();
        }
        let text = printed(&document, PLAIN);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("SKIP")).collect();
        assert_eq!(rows.len(), 1, "{text}");
        assert!(rows[0].contains(&format!("{} checks", document.checks.len())), "{text}");
        for check in &document.checks {
            assert_eq!(text.matches(check.id.as_str()).count(), 1, "{}", check.id.as_str());
        }
    }

    #[test]
    fn on_a_narrow_terminal_sentences_are_wrapped_and_commands_are_not() {
        let document = fixtures::mixed();
        let columns = 70;
        let text = printed(&document, Screen { columns: Some(columns), ..PLAIN });
        let remedies: Vec<&str> = document
            .checks
            .iter()
            .filter_map(|check| match &check.remedy {
                Some(Remedy::AnyHost(words)) => Some(words.as_str()),
                Some(Remedy::ThisHost(text)) => Some(text),
                None => None,
            })
            .flat_map(str::lines)
            .collect();
        let table = text.lines().skip(2);
        for line in table.take_while(|line| !line.is_empty()) {
            let is_command = remedies.iter().any(|remedy| line.trim_start() == *remedy);
            let is_one_word = !line.trim_start().contains(' ');
            assert!(line.chars().count() <= columns || is_command || is_one_word, "{line}");
        }
    }

    #[test]
    fn what_the_table_says_is_not_said_again_below_it() {
        let document = fixtures::mixed();
        let archive = tempfile::NamedTempFile::new().unwrap();
        let summary = Summary {
            headline: String::new(),
            counts: VerdictCounts::default(),
            left_out: vec![format!("{}: denied", document.checks[0].id.as_str()), "iggy-data.zip: none".to_owned()],
            redaction: Redaction::Masked,
            duration_ms: 1234,
        };
        let mut out = Vec::new();
        print_archive(&mut out, archive.path(), &document, &summary).unwrap();
        let expected = format!("left out: iggy-data.zip: none\n{} (0 B, taken in 1.2 s)\n", archive.path().display());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
