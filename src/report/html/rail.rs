//! The rail at the left: whose report it is, and the way to every part.

use maud::{Markup, html};

use super::glyph::anchor;
use super::log::Shown as Log;
use super::shown::Shown;
use super::{Report, account};
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
                                    span.dots aria-hidden="true" {
                                        @for check in document.checks.iter().filter(|check| check.category == category.id) {
                                            (dot(check))
                                        }
                                    }
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

fn dot<T>(check: &Check<T>) -> Markup {
    html! { i class=(check.verdict.word()) {} }
}
