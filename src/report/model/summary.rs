//! The headline, the counts, and what could not be seen.

use serde::{Deserialize, Serialize};

use super::{Check, Gap, Map, Tier, Visit, Words};
use crate::domain::verdict::{Verdict, VerdictCounts};

/// Counts and the headline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary<T> {
    /// One sentence: how the core checks ended, and which extended ones need attention. Never a score.
    pub headline: T,
    /// The worst verdict of a core check; `skip` when none could be judged.
    pub worst: Verdict,
    /// All checks by verdict.
    pub counts: VerdictCounts,
    /// The core checks by verdict.
    pub core: VerdictCounts,
}

impl Summary<String> {
    /// The summary of these checks of the node of this name.
    #[must_use]
    pub fn of<T>(checks: &[Check<T>], node: &str) -> Self {
        let of = |tier: Tier| checks.iter().filter(move |check| check.tier == tier).map(|check| check.verdict);
        let counts: VerdictCounts = of(Tier::Core).collect();
        Self {
            headline: headline(&counts, &of(Tier::Extended).collect(), node),
            worst: of(Tier::Core).max().unwrap_or(Verdict::Skip),
            counts: checks.iter().map(|check| check.verdict).collect(),
            core: counts,
        }
    }
}

/// The sentence for these counts: `Two checks failed and five need a look on iggy-03.`
///
/// It counts what the page lists. Where extended checks are among that, it says of which kind it counts how many: `Two core
/// checks failed on iggy-03; one extended check needs a look.`
#[must_use]
pub fn headline(core: &VerdictCounts, extended: &VerdictCounts, node: &str) -> String {
    let kind = if extended.fail + extended.warn > 0 { "core check" } else { "check" };
    let judged = core.total() - core.skip;
    let sentence = match (core.fail, core.warn) {
        (0, 0) if core.total() == 0 => format!("no {kind} ran on {node}"),
        (0, 0) if judged == 0 => format!("no {kind} could be judged on {node}"),
        (0, 0) if core.skip == 0 => format!("all {} are fine on {node}", counted(judged, kind)),
        (0, 0) => {
            let kind = if kind == "check" { "" } else { "core " };
            let skipped = counted(core.skip, "check");
            format!("nothing {kind}needs attention on {node}, but {skipped} could not be judged")
        }
        (fail, warn) => format!("{} on {node}", attention(fail, warn, kind)),
    };
    let more = match (extended.fail, extended.warn) {
        (0, 0) => String::new(),
        (fail, warn) => format!("; {}", attention(fail, warn, "extended check")),
    };
    let mut letters = sentence.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(more.chars()).chain(['.']).collect()
}

/// `two checks failed and one needs a look`; one of the counts is not nought.
fn attention(fail: u32, warn: u32, kind: &str) -> String {
    let need = if warn == 1 { "needs" } else { "need" };
    match (fail, warn) {
        (0, warn) => format!("{} {need} a look", counted(warn, kind)),
        (fail, 0) => format!("{} failed", counted(fail, kind)),
        (fail, warn) => format!("{} failed and {} {need} a look", counted(fail, kind), in_words(warn)),
    }
}

fn counted(count: u32, kind: &str) -> String {
    format!("{} {kind}{}", in_words(count), if count == 1 { "" } else { "s" })
}

/// Numbers up to twelve as words, as prose has them.
fn in_words(count: u32) -> String {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    usize::try_from(count)
        .ok()
        .and_then(|index| WORDS.get(index))
        .map_or_else(|| count.to_string(), ToString::to_string)
}

impl<T> Summary<T> {
    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Summary<U> {
        Summary { headline: f(self.headline), worst: self.worst, counts: self.counts, core: self.core }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self { headline, worst: _, counts: _, core: _ } = self;
        f(headline);
    }
}

/// What could not be seen: every skip, and every gap within a check that has a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage<T> {
    /// Checks with a verdict.
    pub judged: u32,
    /// Checks in all.
    pub checks: u32,
    /// What was not seen.
    pub gaps: Vec<CoverageGap<T>>,
}

/// Something that a check could not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageGap<T> {
    /// The check.
    pub check: Words,
    /// Its title.
    pub title: Words,
    /// Whether the check has a verdict all the same.
    pub partial: bool,
    /// What, why, and what would unlock it.
    #[serde(flatten)]
    pub gap: Gap<T>,
}

impl<T: Clone> Coverage<T> {
    /// The coverage of these checks.
    #[must_use]
    pub fn of(checks: &[Check<T>]) -> Self {
        let counts: VerdictCounts = checks.iter().map(|check| check.verdict).collect();
        let gaps = checks.iter().flat_map(|check| {
            check.skip.iter().chain(&check.gaps).map(|gap| CoverageGap {
                check: check.id.clone(),
                title: check.title.clone(),
                partial: check.skip.is_none(),
                gap: gap.clone(),
            })
        });
        Self { judged: counts.total() - counts.skip, checks: counts.total(), gaps: gaps.collect() }
    }
}

impl<T> Coverage<T> {
    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Coverage<U> {
        Coverage {
            judged: self.judged,
            checks: self.checks,
            gaps: self
                .gaps
                .into_iter()
                .map(|gap| CoverageGap {
                    check: gap.check,
                    title: gap.title,
                    partial: gap.partial,
                    gap: gap.gap.map_text(f),
                })
                .collect(),
        }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self { judged: _, checks: _, gaps } = self;
        for CoverageGap { check: _, title: _, partial: _, gap } in gaps {
            gap.for_each_text(f);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_counts_in_words_and_names_the_node() {
        let counts = |fail, warn, pass, skip| VerdictCounts { fail, warn, pass, info: 0, skip };
        let fine = counts(0, 0, 30, 4);
        for (core, extended, sentence) in [
            (counts(2, 5, 24, 2), fine, "Two checks failed and five need a look on n1."),
            (counts(1, 1, 24, 0), fine, "One check failed and one needs a look on n1."),
            (counts(13, 0, 0, 0), fine, "13 checks failed on n1."),
            (counts(0, 1, 3, 1), fine, "One check needs a look on n1."),
            (counts(0, 5, 3, 0), fine, "Five checks need a look on n1."),
            (counts(0, 0, 36, 0), fine, "All 36 checks are fine on n1."),
            (counts(0, 0, 36, 3), fine, "Nothing needs attention on n1, but three checks could not be judged."),
            (counts(0, 0, 0, 3), fine, "No check could be judged on n1."),
            (counts(0, 0, 0, 0), fine, "No check ran on n1."),
            (
                counts(0, 4, 9, 9),
                counts(0, 1, 0, 0),
                "Four core checks need a look on n1; one extended check needs a look.",
            ),
            (
                counts(2, 5, 9, 9),
                counts(1, 2, 0, 0),
                "Two core checks failed and five need a look on n1; one extended check failed and two need a look.",
            ),
            (counts(0, 0, 61, 0), counts(1, 0, 0, 0), "All 61 core checks are fine on n1; one extended check failed."),
            (
                counts(0, 0, 60, 1),
                counts(0, 2, 0, 0),
                "Nothing core needs attention on n1, but one check could not be judged; two extended checks need a look.",
            ),
            (counts(0, 0, 0, 0), counts(0, 2, 0, 0), "No core check ran on n1; two extended checks need a look."),
        ] {
            assert_eq!(headline(&core, &extended, "n1"), sentence);
        }
    }
}
