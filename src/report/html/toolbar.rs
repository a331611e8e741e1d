//! What only works with JavaScript: search, chips, switches, and the help. Hidden until the script shows it.

use maud::{Markup, html};

use super::Report;
use super::glyph::word;
use crate::domain::verdict::Verdict;

/// Keys and what they do; the script knows the same ones.
const KEYS: [(&str, &str); 9] = [
    ("/", "search"),
    ("j k", "next and previous finding"),
    ("f", "show failures alone, and all again"),
    ("e", "expand or collapse everything"),
    ("l", "go to the logs"),
    ("t", "change the theme"),
    ("s", "save report.json"),
    ("?", "this help"),
    ("Esc", "clear the search, close this help"),
];

/// Terms of a search.
const TERMS: [(&str, &str); 5] = [
    ("disk full", "both words"),
    ("\"listening sockets\"", "these words in a row"),
    ("v:fail v:warn", "verdicts; either"),
    ("c:network", "a category"),
    ("-v:pass -swap", "not these"),
];

pub(super) fn toolbar(document: &Report) -> Markup {
    let counts = &document.summary.counts;
    html! {
        search.toolbar.js hidden {
            label.field {
                span.vh { "Search the checks" }
                input #q type="search" placeholder="Search. Try v:fail c:network or -swap" autocomplete="off" spellcheck="false";
            }
            div.chips role="group" aria-label="Show verdicts" {
                @for verdict in Verdict::WORST_FIRST {
                    @if counts.of(verdict) > 0 {
                        button.chip type="button" data-v=(verdict.word()) aria-pressed="false" {
                            (word(verdict)) " " span.n { (counts.of(verdict)) }
                        }
                    }
                }
            }
            div.acts {
                button #expand type="button" { "Expand all" }
                button #save type="button" { "Save JSON" }
                button #print type="button" { "Print" }
                button #theme type="button" { "Theme" }
                button #ask type="button" aria-label="Help" { "?" }
            }
            p #hits.hits role="status" {}
        }
    }
}

pub(super) fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            form method="dialog" {
                h2 #help-title { "Keys and search" }
                dl {
                    @for (key, what) in KEYS {
                        div { dt { kbd { (key) } } dd { (what) } }
                    }
                }
                h3 { "Search" }
                dl {
                    @for (term, what) in TERMS {
                        div { dt { code { (term) } } dd { (what) } }
                    }
                }
                p { label { input #keys type="checkbox" checked; " Single keys act" } }
                button type="submit" { "Close" }
            }
        }
    }
}
