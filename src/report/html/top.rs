//! The head of the page: the headline, when and how, the verdict strip and the facts row.

use maud::{Markup, html};

use super::check::{Since, attention};
use super::glyph::{anchor, glyph, word};
use super::number::{self, as_f64, plural};
use super::shown::{Shown, begun, prose};
use super::{Report, Text};
use crate::domain::finding::Unit;
use crate::domain::snapshot::Redaction;
use crate::domain::verdict::Verdict;
use crate::report::diff::{Relation, counted};
use crate::report::model::{Changes, Check};
use crate::report::visible::escaped;

/// Findings that the top lists; the others follow below.
const BRIEF_MAX: usize = 12;

/// More marks than this are drawn lower, so that the strip does not push what is wrong off the screen.
const MARKS_TALL: usize = 60;

pub(super) fn top(document: &Report) -> Markup {
    html! {
        header.top {
            (unredacted(document))
            (headline(document))
            (meta(document))
            (strip(document))
            (legend(document))
            (brief(document))
            (facts(document))
        }
    }
}

/// A report in clear says so before anything else; so does one that was asked for in clear and is not.
fn unredacted(document: &Report) -> Markup {
    html! {
        @if document.redaction.state == Redaction::Unredacted {
            p.banner {
                strong { "Not redacted." }
                " This report was asked for with its secrets in clear. Treat the file as you would treat a password."
            }
        }
        @if document.clear_text_refused() {
            p.meta {
                strong { "Redacted all the same." }
                " Clear text was asked for, and this node does not give it (" code { "snapshot.allow_unredacted" } " is false)."
            }
        }
    }
}

fn headline(document: &Report) -> Markup {
    let sentence = escaped(document.summary.headline.as_str());
    let (count, rest) = sentence.split_at(count_end(&sentence));
    html! { h1 { strong { (count) } (rest) } }
}

/// Where the part of a headline ends that counts: `Two checks failed` and no further. What follows a semicolon is of the
/// extended checks and never stressed.
fn count_end(sentence: &str) -> usize {
    const FAILED: &str = " failed";
    let sentence = sentence.split("; ").next().unwrap_or(sentence);
    if let Some(at) = sentence.find(FAILED) {
        return at + FAILED.len();
    }
    sentence.find(" on ").unwrap_or(0)
}

fn meta(document: &Report) -> Markup {
    let snapshot = &document.snapshot;
    let taken = number::moment(snapshot.taken_at);
    let coverage = &document.coverage;
    html! {
        p.meta {
            "Snapshot "
            @if let Some(deployment) = &snapshot.deployment { "of " bdi { (Shown(deployment)) } " " }
            "taken " time datetime=(snapshot.taken_at) { (taken) }
            @if let Some(local) = snapshot.local_time() { " (" (local) " on the node)" }
            " in " (number::text(Unit::Milliseconds, as_f64(snapshot.duration_ms)))
            " by snapvisor " (document.tool.version) ". "
            @if document.redaction.state == Redaction::Masked {
                a href="#redaction" { (masked(document)) } " "
            }
            @if coverage.judged < coverage.checks {
                a href="#coverage" { (coverage.checks - coverage.judged) " of " (coverage.checks) " checks could not be judged." }
            }
        }
        @if let Some(changes) = &document.changes {
            p.meta {
                "Since the snapshot before, of " (number::moment(changes.since_taken_at)) ": "
                a href="#changes" { (moved(changes)) }
            }
        }
        @if let Some(failure) = &document.failure {
            div.failure {
                p { (Shown(&failure.reason)) }
                @if let Some(remedy) = &failure.remedy { p { (Shown(remedy)) } }
            }
        }
    }
}

/// How the checks moved since the snapshot before.
fn moved(changes: &Changes<Text>) -> String {
    if changes.checks.is_empty() {
        return "no verdict changed.".to_owned();
    }
    format!("{}.", counted(&changes.checks, Relation::Times))
}

fn masked(document: &Report) -> String {
    let (values, places) = (document.redaction.masks, document.redaction.artifacts.len());
    match values {
        0 => "Nothing had to be masked.".to_owned(),
        _ => format!(
            "{} masked on the node, in {}.",
            plural(values, "value was", "values were"),
            plural(places as u64, "place", "places")
        ),
    }
}

/// The strip: one mark a check, in the order of the catalogue, the same on every report.
fn strip(document: &Report) -> Markup {
    html! {
        @if !document.checks.is_empty() {
            nav.strip.many[document.checks.len() > MARKS_TALL] aria-label="Every check, by category" {
                @for category in &document.categories {
                    span.group {
                        @for check in document.checks.iter().filter(|check| check.category == category.id) {
                            (mark(check))
                        }
                    }
                }
            }
        }
    }
}

fn mark<T>(check: &Check<T>) -> Markup {
    let class = format!("m {}", check.verdict.word());
    let label = format!("{}: {}", word(check.verdict), check.title);
    let prefix = if check.needs_attention() { "#f-" } else { "#c-" };
    html! {
        a class=(class) href=(anchor(prefix, check.id.as_str())) aria-label=(label) {
            @if check.needs_attention() { (glyph(check.verdict)) }
        }
    }
}

fn legend(document: &Report) -> Markup {
    let counts = &document.summary.counts;
    html! {
        @if !document.checks.is_empty() {
            p.legend {
                @for verdict in Verdict::WORST_FIRST {
                    @if counts.of(verdict) > 0 {
                        span class=(verdict.word()) {
                            (glyph(verdict)) " " (counts.of(verdict)) " " (word(verdict).to_lowercase())
                        }
                        " "
                    }
                }
            }
        }
    }
}

/// What is wrong on one screen: a line for each finding, worst first.
fn brief(document: &Report) -> Markup {
    let findings = attention(document);
    let more = findings.len().saturating_sub(BRIEF_MAX);
    html! {
        @if !findings.is_empty() {
            nav.brief aria-label="What needs attention" {
                @for check in findings.into_iter().take(BRIEF_MAX) {
                    a class={ "cells " (check.verdict.word()) } href=(anchor("#f-", check.id.as_str())) {
                        (glyph(check.verdict))
                        b { span.vh { (word(check.verdict)) ": " } (check.title) }
                        span { (prose(&begun(check.summary.as_str()))) }
                        small {
                            (check.severity.word())
                            @if let Some(since) = Since::of(document, check) { ", " (since.briefly(document.snapshot.taken_at)) }
                        }
                    }
                }
                @if more > 0 { p { a href="#findings" { "and " (plural(more as u64, "other", "others")) " below" } } }
            }
        }
    }
}

fn facts(document: &Report) -> Markup {
    html! {
        @if !document.facts.is_empty() {
            dl.facts {
                @for fact in &document.facts {
                    div {
                        dt { (fact.label) }
                        dd {
                            bdi { (Shown(&fact.value)) }
                            @if let Some(detail) = &fact.detail { " " small { (Shown(detail)) } }
                        }
                    }
                }
            }
        }
    }
}
