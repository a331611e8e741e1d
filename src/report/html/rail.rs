//! The rail at the left: whose report it is, and the way to every part.

use maud::{Markup, html};

use super::glyph::{anchor, glyph};
use super::log::Shown as Log;
use super::shown::Shown;
use super::{Report, account};
use crate::domain::verdict::{Verdict, VerdictCounts};
use crate::report::model::Check;

pub(super) fn rail(document: &Report, logs: &[Log<'_>]) -> Markup {
    let attention = document.checks.iter().filter(|check| check.needs_attention()).count();
    html! {
        header.rail {
            p.whose {
                strong { (Shown(&document.snapshot.node)) }
                @if let Some(deployment) = &document.snapshot.deployment { br; (Shown(deployment)) }
            }
            nav aria-label="Contents" {
                h2 { "Report" }
                ul {
                    (entry("#findings", "Needs attention", attention))
                    @if document.changes.is_some() { li { a href="#changes" { "Changes" } } }
                    @if !document.coverage.gaps.is_empty() {
                        (entry("#coverage", "Not seen", document.coverage.gaps.len()))
                    }
                    @if !document.checks.is_empty() { (entry("#checks", "All checks", document.checks.len())) }
                    @if !logs.is_empty() { (entry("#logs", "Logs", logs.len())) }
                    @if account::has_bundle(document) { li { a href="#data" { "Data directory" } } }
                    li { a href="#redaction" { "Redaction" } }
                    li { a href="#snapshot" { "This snapshot" } }
                }
                @if !document.categories.is_empty() {
                    h2 { "Categories" }
                    ul {
                        @for category in &document.categories {
                            li {
                                a href=(anchor("#cat-", category.id.as_str())) {
                                    (category.title)
                                    (tally(document.checks.iter().filter(|check| check.category == category.id)))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn entry(href: &str, label: &str, count: usize) -> Markup {
    html! { li { a href=(href) { (label) span.n { (count) } } } }
}

/// What needs attention in a category; where nothing does, how many checks it has.
fn tally<'a, T: 'a>(checks: impl Iterator<Item = &'a Check<T>>) -> Markup {
    let counts: VerdictCounts = checks.map(|check| check.verdict).collect();
    let bad = [Verdict::Fail, Verdict::Warn].map(|verdict| (verdict, counts.of(verdict)));
    html! {
        span.n {
            @if counts.fail + counts.warn == 0 { (counts.total()) }
            @for (verdict, count) in bad.into_iter().filter(|(_, count)| *count > 0) {
                " " b class=(verdict.word()) { (glyph(verdict)) (count) span.vh { " " (verdict.word()) } }
            }
        }
    }
}
