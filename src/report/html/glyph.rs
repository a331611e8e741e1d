//! The verdicts' shapes: told apart without colour, drawn once and used everywhere.

use maud::{Markup, html};

use crate::domain::verdict::Verdict;

/// The shapes, for `use`.
pub(super) fn definitions() -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" focusable="false" {
            symbol id="g-fail" viewBox="0 0 16 16" {
                path.solid d="M8 .4 15.6 8 8 15.6 .4 8z" {}
                path.cut d="M5.5 5.5 10.5 10.5M10.5 5.5 5.5 10.5" {}
            }
            symbol id="g-warn" viewBox="0 0 16 16" {
                path.solid d="M8 1.2 15.4 14.6H.6z" {}
                path.cut d="M8 5.6V9.8M8 11.7V12.9" {}
            }
            symbol id="g-pass" viewBox="0 0 16 16" { path.line d="M2.8 8.6 6.4 12.2 13.4 4.2" {} }
            symbol id="g-info" viewBox="0 0 16 16" { path.line d="M8 7V13M8 3V4.6" {} }
            symbol id="g-skip" viewBox="0 0 16 16" { path.line d="M2 8H6M10 8H14" {} }
        }
    }
}

/// The shape of a verdict. Its word stands beside it, so it is hidden from screen readers.
pub(super) fn glyph(verdict: Verdict) -> Markup {
    let (class, shape) = (format!("g {}", verdict.word()), format!("#g-{}", verdict.word()));
    html! {
        svg class=(class) aria-hidden="true" focusable="false" { use href=(shape) {} }
    }
}

/// The verdict as a word, first letter large.
pub(super) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Skip => "Skipped",
        Verdict::Pass => "Pass",
        Verdict::Info => "Info",
        Verdict::Warn => "Warn",
        Verdict::Fail => "Fail",
    }
}

/// An anchor made of one of our ids: `disk.space` becomes `f-disk-space`.
pub(super) fn anchor(prefix: &str, id: &str) -> String {
    let id = id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    prefix.chars().chain(id).collect()
}
