//! Pictures of numbers: SVG with presentation attributes alone, the numbers beside them as text.

use maud::{Markup, html};

use super::shown::{Shown, text};
use super::{Text, number};
use crate::domain::finding::{ChartKind, Unit};
use crate::report::model::{Bar, Words};

/// The most tints of a divided bar; further parts share the last one.
const TINTS: usize = 6;

pub(super) fn chart(title: &Words, kind: ChartKind, unit: Unit, bars: &[Bar<Text>], scale: Option<f64>) -> Markup {
    let largest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let sum: f64 = bars.iter().map(|bar| bar.value.max(0.0)).sum();
    match kind {
        ChartKind::Bars => rows(title, unit, bars, scale.unwrap_or(largest)),
        ChartKind::Parts => parts(title, unit, bars, scale.unwrap_or(sum).max(sum)),
        ChartKind::Columns => columns(title, unit, bars, scale.unwrap_or(largest)),
    }
}

/// One bar a row, in a table that can be read without looking at the bars.
fn rows(title: &Words, unit: Unit, bars: &[Bar<Text>], scale: f64) -> Markup {
    html! {
        table.bars {
            caption { (title) }
            tbody {
                @for bar in bars {
                    tr {
                        th scope="row" { (Shown(&bar.label)) }
                        td.draw { (horizontal(share(bar.value, scale))) }
                        td.num { (number::text(unit, bar.value)) }
                    }
                }
            }
        }
    }
}

fn parts(title: &Words, unit: Unit, bars: &[Bar<Text>], whole: f64) -> Markup {
    let mut at = 0.0;
    let spans: Vec<(f64, f64)> = bars
        .iter()
        .map(|bar| {
            let (start, width) = (at, share(bar.value, whole));
            at += width;
            (start, width)
        })
        .collect();
    html! {
        figure.parts {
            figcaption { (title) }
            svg.stack viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" {
                @for (index, (start, width)) in spans.iter().enumerate() {
                    rect class=(tint(index)) x=(coordinate(*start * 1000.0)) width=(coordinate((*width * 1000.0 - 2.0).max(0.0))) height="20" {}
                }
            }
            ul {
                @for (index, bar) in bars.iter().enumerate() {
                    li {
                        svg.key viewBox="0 0 10 10" aria-hidden="true" { rect class=(tint(index)) width="10" height="10" {} }
                        " " (Shown(&bar.label)) " " b { (number::text(unit, bar.value)) }
                    }
                }
            }
        }
    }
}

fn columns(title: &Words, unit: Unit, bars: &[Bar<Text>], scale: f64) -> Markup {
    let width = bars.len() * 10;
    let view = format!("0 0 {width} 100");
    html! {
        figure.columns {
            figcaption { (title) ", at most " (number::text(unit, scale)) }
            svg.plot viewBox=(view) preserveAspectRatio="none" aria-hidden="true" {
                @for (index, bar) in bars.iter().enumerate() {
                    @let height = share(bar.value, scale) * 100.0;
                    rect x=(index * 10 + 1) y=(coordinate(100.0 - height)) width="8" height=(coordinate(height)) {
                        title { (text(&bar.label)) ": " (number::text(unit, bar.value)) }
                    }
                }
            }
            p.axis {
                @if let Some(bar) = bars.first() { span { (Shown(&bar.label)) } }
                @if let Some(bar) = bars.last() { span { (Shown(&bar.label)) } }
            }
        }
    }
}

/// A small bar within a cell, for a share of 100.
pub(super) fn gauge(percent: f64) -> Markup {
    html! { (horizontal(share(percent, 100.0))) " " }
}

pub(super) fn horizontal(share: f64) -> Markup {
    html! {
        svg.bar aria-hidden="true" { rect width={ (coordinate(share * 100.0)) "%" } height="100%" {} }
    }
}

fn tint(index: usize) -> String {
    format!("tint{}", index.min(TINTS - 1))
}

/// `value` as a part of `whole`, 0 to 1.
pub(super) fn share(value: f64, whole: f64) -> f64 {
    if whole > 0.0 && value.is_finite() { (value / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// A coordinate with at most two decimals.
pub(super) fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
