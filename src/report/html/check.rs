//! Findings at length, and every check as a row.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::evidence::evidence;
use super::glyph::{anchor, glyph, word};
use super::remedy::remedy;
use super::shown::{Shown, begun, prose};
use super::{Report, Text, number};
use crate::domain::finding::Unit;
use crate::domain::gap::GapReason;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::report::diff::Move;
use crate::report::model::{Category, Check, Gap, Tier, Words};

type Finding = Check<Text>;

/// The check whose evidence is a part of the page of its own.
const OF_COVERAGE: &str = "self.coverage";

/// Failures, then warnings; within a verdict the more severe first, then by id: the same order in every report.
pub(super) fn attention(document: &Report) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = document.checks.iter().filter(|check| check.needs_attention()).collect();
    findings.sort_by_key(|check| (Reverse(check.verdict), Reverse(check.severity), check.id.clone()));
    findings
}

pub(super) fn needs_attention(document: &Report) -> Markup {
    let findings = attention(document);
    html! {
        section #findings {
            h2 { "Needs attention" }
            @if findings.is_empty() {
                p.lead { (nothing(document)) }
            } @else {
                p.lead {
                    "Failures first, then warnings. Each says what was measured, why it matters and what to do."
                    @if document.changes.is_none() {
                        " No earlier snapshot of this node is known: since when something is so, its evidence alone can tell."
                    }
                }
                @for check in findings { (finding(document, check)) }
            }
        }
    }
}

fn nothing(document: &Report) -> &'static str {
    if document.checks.is_empty() {
        "There are no checks in this report."
    } else if document.coverage.judged == 0 {
        "No check could be judged, so nothing can be said. What stood in the way is listed below."
    } else {
        "Nothing. Every check that could be judged is as it should be."
    }
}

fn finding(document: &Report, check: &Finding) -> Markup {
    let (id, title) = (anchor("f-", check.id.as_str()), anchor("t-", check.id.as_str()));
    html! {
        article id=(id) class={ "finding " (check.verdict.word()) } data-id=(check.id) data-c=(check.category)
            aria-labelledby=(title) tabindex="-1" {
            (glyph(check.verdict))
            header {
                h3 id=(title) { (check.title) }
                p.where {
                    b class=(check.verdict.word()) { (word(check.verdict)) }
                    @if check.tier == Tier::Extended { ", extended," }
                    " in " a href=(anchor("#cat-", check.category.as_str())) { (category_title(document, &check.category)) }
                }
            }
            (numbers(document, check))
            p.summary { (prose(check.summary.as_str())) }
            p.why { (prose(check.why.as_str())) }
            (evidence(&check.evidence))
            (gaps(check))
            @if let Some(text) = &check.remedy { (remedy(text)) }
            (small_print(check))
        }
    }
}

/// Since when a finding is what it is, as far as earlier snapshots tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// The snapshot before had nothing to say here.
    New(Timestamp),
    /// It is worse than in the snapshot before.
    Worse(Timestamp),
    /// It is better than in the snapshot before.
    Better(Timestamp),
    /// The first of the snapshots in a row that say the same; it may be older.
    Lasting(Timestamp),
}

impl Since {
    pub(super) fn of(document: &Report, check: &Finding) -> Option<Self> {
        let changes = document.changes.as_ref()?;
        let before = changes.since_taken_at;
        Some(match changes.checks.iter().find(|change| change.id == check.id).map(Move::of) {
            Some(Move::Better) => Self::Better(before),
            Some(Move::Worse) => Self::Worse(before),
            Some(Move::New | Move::Unseen | Move::Resolved | Move::Other) => Self::New(before),
            None => {
                let lasting = changes.lasting.iter().find(|lasting| lasting.id == check.id);
                Self::Lasting(lasting.map_or(before, |lasting| lasting.since))
            }
        })
    }

    /// In a list: `new`, `worse`, `for 4 d 2 h`.
    pub(super) fn briefly(self, now: Timestamp) -> String {
        match self {
            Self::New(_) => "new".to_owned(),
            Self::Worse(_) => "worse".to_owned(),
            Self::Better(_) => "better".to_owned(),
            Self::Lasting(since) => format!("for {}", age(since, now)),
        }
    }
}

fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(now.since_s(since)).unwrap_or(0);
    number::text(Unit::Seconds, number::as_f64(seconds))
}

fn since(document: &Report, check: &Finding) -> Markup {
    let now = document.snapshot.taken_at;
    html! {
        @match Since::of(document, check) {
            None => {},
            Some(Since::New(before)) => div { dt { "New since" } dd { (number::moment(before)) } },
            Some(Since::Worse(before)) => div { dt { "Worse since" } dd { (number::moment(before)) } },
            Some(Since::Better(before)) => div { dt { "Better since" } dd { (number::moment(before)) } },
            Some(Since::Lasting(since)) => div { dt { "Since" } dd { (number::moment(since)) " or before, " (age(since, now)) } },
        }
    }
}

fn category_title<'a>(document: &'a Report, id: &'a Words) -> &'a str {
    document
        .categories
        .iter()
        .find(|category| category.id == *id)
        .map_or(id.as_str(), |category| category.title.as_str())
}

/// What a finding measured, how bad it is, and since when.
fn numbers(document: &Report, check: &Finding) -> Markup {
    html! {
        dl.numbers {
            (measured(check))
            div { dt { "Severity" } dd { (check.severity.word()) } }
            (since(document, check))
        }
    }
}

fn measured(check: &Finding) -> Markup {
    html! {
        @if let Some(measured) = &check.measured {
            div { dt { "Measured" } dd.measured[check.needs_attention()] { (Shown(&measured.text)) } }
        }
        @if let Some(expected) = &check.expected { div { dt { "Expected" } dd { (Shown(expected)) } } }
    }
}

fn gaps(check: &Finding) -> Markup {
    html! {
        @if !check.gaps.is_empty() {
            ul.gaps { @for gap in &check.gaps { li { "Not seen. " (gap_text(gap)) } } }
        }
    }
}

/// A gap in words: what, why, and what would unlock it.
fn gap_text(gap: &Gap<Text>) -> Markup {
    html! {
        (prose(&begun(gap.detail.as_str())))
        @if gap.reason != GapReason::NotApplicable { " (" (gap.reason.label()) ")" }
        "."
        @if let Some(unlock) = &gap.unlock { " Unlocked by " code { (Shown(unlock)) } "." }
    }
}

/// What a skipped check's line does not say: why, and what would unlock it.
fn skipped(gap: &Gap<Text>) -> Markup {
    let told = matches!(gap.reason, GapReason::NotApplicable | GapReason::Absent);
    html! {
        @if !told || gap.unlock.is_some() {
            p.summary {
                @if !told { "Not seen: " (gap.reason.label()) ". " }
                @if let Some(unlock) = &gap.unlock { "Unlocked by " code { (Shown(unlock)) } "." }
            }
        }
    }
}

/// The rule, where its threshold comes from, what to read, and what the check is.
fn small_print(check: &Finding) -> Markup {
    html! {
        dl.print {
            @if explained(check) { (explanation(check)) }
            @if !check.settings_changed.is_empty() {
                dt { "Settings" }
                dd { @for setting in &check.settings_changed { code { (Shown(setting)) } " " } }
            }
            dt { "Check" }
            dd {
                code { (check.id) } ", " (tier(check.tier)) ", severity " (check.severity.word())
                @if check.verdict != Verdict::Skip {
                    ", judged in " (number::text(Unit::Milliseconds, super::number::as_f64(check.wall_us) / 1000.0))
                }
            }
        }
    }
}

/// Whether the page itself says why a check matters and by which rule it is judged. Of what is well the data block alone
/// does, and the script puts it in place: it is a quarter of the page, and nobody reads it before something is wrong.
fn explained(check: &Finding) -> bool {
    !matches!(check.verdict, Verdict::Pass | Verdict::Info)
}

fn explanation(check: &Finding) -> Markup {
    html! {
        @if !check.rule.as_str().is_empty() { dt { "Rule" } dd { (prose(check.rule.as_str())) } }
        @if !check.source.as_str().is_empty() { dt { "Threshold" } dd { (prose(check.source.as_str())) } }
        @if !check.references.is_empty() {
            dt { "Read" }
            dd { @for (at, name) in check.references.iter().enumerate() { @if at > 0 { "; " } (name) } }
        }
    }
}

const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Core => "core",
        Tier::Extended => "extended",
    }
}

/// Every check by category, passes and skips included.
pub(super) fn all_checks(document: &Report) -> Markup {
    html! {
        @if !document.checks.is_empty() {
            section #checks {
                h2 { "All checks" }
                noscript {
                    p.lead {
                        "Why a check that is well matters, and by which rule it was judged, says "
                        code { "snapvisor checks explain" } " with the name of the check."
                    }
                }
                @for category in &document.categories { (one_category(document, category)) }
            }
        }
    }
}

fn one_category(document: &Report, category: &Category) -> Markup {
    html! {
        section.cat id=(anchor("cat-", category.id.as_str())) data-c=(category.id) {
            h3 { (category.title) }
            @for check in document.checks.iter().filter(|check| check.category == category.id) {
                @if check.needs_attention() { (pointer(check)) } @else { (row(check)) }
            }
        }
    }
}

/// The row of a check that stands at length under "needs attention".
fn pointer(check: &Finding) -> Markup {
    html! {
        div id=(anchor("c-", check.id.as_str())) class={ "row " (check.verdict.word()) } data-id=(check.id) {
            a.cells href=(anchor("#f-", check.id.as_str())) { (cells(check)) }
        }
    }
}

/// A check that is folded; its line holds the whole sentence, shown at length once it is open.
fn row(check: &Finding) -> Markup {
    html! {
        details id=(anchor("c-", check.id.as_str())) class={ "row " (check.verdict.word()) } data-id=(check.id) {
            summary.cells { (cells(check)) }
            div.more {
                @if check.measured.is_some() || check.expected.is_some() { dl.numbers { (measured(check)) } }
                @if let Some(gap) = &check.skip { (skipped(gap)) }
                @if explained(check) { p.why { (prose(check.why.as_str())) } }
                @if check.id.as_str() == OF_COVERAGE {
                    p.why { a href="#coverage" { "Not seen" } " has the list, by cause." }
                } @else {
                    (evidence(&check.evidence))
                }
                (gaps(check))
                (small_print(check))
            }
        }
    }
}

fn cells(check: &Finding) -> Markup {
    html! {
        (glyph(check.verdict))
        b { (check.title) @if check.tier == Tier::Extended { " " small { "extended" } } }
        span { (prose(&begun(check.summary.as_str()))) }
        small { (word(check.verdict)) }
    }
}
