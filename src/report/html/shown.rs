//! Text of a host in markup: hidden characters as escapes, masks marked, words between backticks as code.
//!
//! Escaping for HTML is maud's and comes after. Nothing here goes into an attribute.

use std::borrow::Cow;

use maud::{Markup, Render, html};

use crate::redact::Redacted;
use crate::report::visible::escaped;

/// What every mask begins with.
const MASK: &str = "REDACTED-";

/// The text for a place that takes no elements: a title.
pub(super) fn text(text: &Redacted<String>) -> Cow<'_, str> {
    escaped(text.as_str())
}

/// The text with its masks marked.
pub(super) fn marked(text: &str) -> Markup {
    let shown = escaped(text);
    html! {
        @for (part, kind) in masks(&shown) {
            @match kind {
                Part::Plain => (part),
                Part::Mask => mark.mask { (part) },
            }
        }
    }
}

/// A sentence in which `` `words` `` between backticks are code. An odd backtick stays one.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return marked(text);
    }
    html! {
        @for (index, part) in parts.iter().enumerate() {
            @if index.is_multiple_of(2) { (marked(part)) } @else { code { (marked(part)) } }
        }
    }
}

/// A fragment as the beginning of a sentence: a first word that is plain English gets its capital, a name stays as it is.
pub(super) fn begun(text: &str) -> Cow<'_, str> {
    const WORDS: [&str; 16] = [
        "a", "all", "an", "another", "it", "its", "no", "none", "not", "nothing", "only", "some", "that", "the",
        "there", "this",
    ];
    match text.split_once(' ') {
        Some((first, _)) if WORDS.contains(&first) => Cow::Owned(text[..1].to_uppercase() + &text[1..]),
        _ => Cow::Borrowed(text),
    }
}

/// A redacted text in markup.
pub(super) struct Shown<'a>(pub(super) &'a Redacted<String>);

impl Render for Shown<'_> {
    fn render(&self) -> Markup {
        marked(self.0.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Plain,
    Mask,
}

/// `text` in pieces, masks apart.
fn masks(text: &str) -> Vec<(&str, Part)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(MASK) {
        let (before, mask) = rest.split_at(at);
        let end = mask.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(mask.len());
        let (mask, after) = mask.split_at(end);
        parts.push((before, Part::Plain));
        parts.push((mask, Part::Mask));
        rest = after;
    }
    parts.push((rest, Part::Plain));
    parts.retain(|(part, _)| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_begins_with_a_capital_unless_it_begins_with_a_name() {
        for (text, shown) in [
            ("no process of iggy-server runs", "No process of iggy-server runs"),
            ("the mount /x does not answer", "The mount /x does not answer"),
            ("vm.swappiness is not shown", "vm.swappiness is not shown"),
            ("/proc/x was refused", "/proc/x was refused"),
            ("no", "no"),
            ("", ""),
        ] {
            assert_eq!(begun(text), shown);
        }
    }

    #[test]
    fn words_between_backticks_are_code() {
        assert_eq!(prose("set `a` and `b<`.").into_string(), "set <code>a</code> and <code>b&lt;</code>.");
        assert_eq!(prose("an odd ` stays").into_string(), "an odd ` stays");
    }

    #[test]
    fn masks_are_marked_and_everything_is_escaped() {
        let html = marked("password=REDACTED-pw-7f3k, <b>REDACTED-tok-1\u{7}").into_string();
        assert_eq!(
            html,
            "password=<mark class=\"mask\">REDACTED-pw-7f3k</mark>, &lt;b&gt;<mark class=\"mask\">REDACTED-tok-1</mark>\\x07"
        );
    }
}
