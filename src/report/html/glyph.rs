//! The verdicts' shapes: told apart without colour, drawn once and used everywhere.

use maud::{Markup, html};

use crate::domain::verdict::Verdict;

/// The shape of a verdict; the style cuts it out. Its word stands beside it, so it is nothing to a screen reader.
pub(super) fn glyph(verdict: Verdict) -> Markup {
    html! { i class={ "g " (verdict.word()) } {} }
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
