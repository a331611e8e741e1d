//! The page of a comparison: two strips, one above the other, then what moved. It needs no script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::account::side;
use super::glyph::{anchor, glyph, word};
use super::shown::{Shown, marked};
use super::{Report, assets, number};
use crate::domain::verdict::Verdict;
use crate::report::diff::{Comparison, Move};

/// The page of a comparison.
#[must_use]
pub fn page(comparison: &Comparison<'_>) -> String {
    let headline = comparison.headline();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(assets::policy_without_script());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (headline) }
                style { (PreEscaped(assets::style())) }
            }
            body {
                main.alone {
                    h1 { (headline) }
                    @let [first, second] = comparison.labels();
                    div.strips { (strip(first, comparison, comparison.before)) (strip(second, comparison, comparison.after)) }
                    @for wanted in Move::ALL { (group(comparison, wanted)) }
                    (settings(comparison))
                    p.lead { "In " (comparison.unchanged) " checks nothing changed that matters." }
                }
            }
        }
    }
    .into_string()
}

fn strip(label: &str, comparison: &Comparison<'_>, report: &Report) -> Markup {
    let moved = |id: &str| comparison.checks.iter().any(|change| change.id.as_str() == id);
    html! {
        section.side-by {
            h2 { (label) }
            p.meta {
                bdi { (Shown(&report.snapshot.node)) } ", " (Shown(&report.snapshot.name)) ", "
                (number::moment(report.snapshot.taken_at))
            }
            div.strip {
                @for category in &report.categories {
                    span.group {
                        @for check in report.checks.iter().filter(|check| check.category == category.id) {
                            @let class = format!("m {}", check.verdict.word());
                            @let tip = format!("{}: {}", word(check.verdict), check.title);
                            @if moved(check.id.as_str()) {
                                a class={ (class) " moved" } href=(anchor("#d-", check.id.as_str())) aria-label=(tip) { (shape(check.verdict)) }
                            } @else {
                                span class=(class) data-tip=(tip) { (shape(check.verdict)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is wrong is told by its shape, too.
fn shape(verdict: Verdict) -> Markup {
    html! { @if matches!(verdict, Verdict::Fail | Verdict::Warn) { (glyph(verdict)) } }
}

fn group(comparison: &Comparison<'_>, wanted: Move) -> Markup {
    let changes: Vec<_> = comparison.checks.iter().filter(|change| Move::of(change) == wanted).collect();
    html! {
        @if !changes.is_empty() {
            section {
                h2 { (wanted.title(comparison.relation)) }
                ul.changes {
                    @for change in changes {
                        li id=(anchor("d-", change.id.as_str())) {
                            (side(change.before)) span.to { "→" } (side(change.after))
                            span.what {
                                (change.title) " " small { code { (change.id) } }
                                @for (label, report) in comparison.labels().into_iter().zip([comparison.before, comparison.after]) {
                                    (sentence(label, report, change.id.as_str()))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sentence(label: &str, report: &Report, id: &str) -> Markup {
    html! {
        @if let Some(check) = report.checks.iter().find(|check| check.id.as_str() == id) {
            span.said-of {
                (label) ": "
                @if check.verdict == Verdict::Skip { "not seen, " }
                (Shown(&check.summary))
            }
        }
    }
}

fn settings(comparison: &Comparison<'_>) -> Markup {
    let settings = &comparison.settings;
    let [first, second] = comparison.labels();
    html! {
        @if !settings.is_empty() {
            section {
                h2 { "Settings" }
                p.lead { "What the reports show of how the hosts are set up. Counters, sizes and process ids are left out." }
                div.scroll {
                    table {
                        caption.vh { "Settings that differ" }
                        thead { tr { th scope="col" { "Shown by" } th scope="col" { "Setting" } th scope="col" { (first) } th scope="col" { (second) } } }
                        tbody {
                            @for setting in settings {
                                tr {
                                    td.words { (setting.check) }
                                    td { (marked(&setting.name)) @if let Some(column) = setting.column { ", " (marked(column)) } }
                                    td { (value(setting.before.as_deref())) }
                                    td { (value(setting.after.as_deref())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn value(value: Option<&str>) -> Markup {
    html! { @match value { Some(value) => (marked(value)), None => span.none { "absent" } } }
}
