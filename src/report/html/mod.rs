//! `report.html`: one file that opens from disk, without a network, with or without JavaScript.
//!
//! One function per visible block. Refuses text that was not redacted, by its type, and inline styles, by its policy.
//! Invariants: the page holds exactly one script and one style, whose SHA-256 stand in its Content-Security-Policy; no
//! text of a host stands in an attribute; a control or direction character of a host is shown as an escape.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::terse::terse;
use super::model::{Document, Truncation};
use crate::redact::Redacted;

mod account;
mod assets;
mod chart;
mod check;
mod data;
mod diff;
mod evidence;
mod glyph;
mod log;
mod number;
mod rail;
mod remedy;
mod shown;
mod terse;
mod toolbar;
mod top;

/// The largest page, bytes; past it the oldest lines of each log are left out, and the page says so.
pub const PAGE_BYTES_MAX: usize = 24 * 1024 * 1024;

/// Room within [`PAGE_BYTES_MAX`] for what is not a log.
const REST_BYTES: usize = 2 * 1024 * 1024;

pub use diff::page as comparison;

type Text = Redacted<String>;
type Report = Document<Text>;

/// The page of this document.
#[must_use]
pub fn render(document: &Report) -> String {
    render_with(document, PAGE_BYTES_MAX - REST_BYTES)
}

/// The page of this document, with `log_bytes_max` of it for logs.
fn render_with(document: &Report, log_bytes_max: usize) -> String {
    let logs = log::cut(&document.logs, log_bytes_max);
    page(document, &logs, &log::truncations(&logs)).into_string()
}

fn page(document: &Report, logs: &[log::Shown<'_>], cuts: &[Truncation<Text>]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(assets::policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (shown::text(&document.summary.headline)) }
                style { (PreEscaped(assets::style())) }
            }
            body {
                a.jump href="#findings" { "Skip to the findings" }
                div.page {
                    (terse(&rail::rail(document, logs)))
                    main {
                        (terse(&top::top(document)))
                        (toolbar::toolbar(document))
                        (terse(&check::needs_attention(document)))
                        (terse(&account::changes(document)))
                        (terse(&account::coverage(document)))
                        (terse(&check::all_checks(document)))
                        (log::section(document, logs))
                        (terse(&account::bundle(document)))
                        (terse(&account::redaction(document)))
                        (terse(&account::snapshot(document, cuts)))
                    }
                }
                (toolbar::help())
                (data::block(document, cuts))
                script { (PreEscaped(assets::script())) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
