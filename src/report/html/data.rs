//! The document as a data block, for the script and for "Save JSON". Logs' lines are not repeated in it.

use maud::{Markup, PreEscaped, html};

use super::{Report, Text};
use crate::report::model::{Document, Log, Truncation};
use crate::report::visible::is_hidden;

pub(super) fn block(document: &Report, cuts: &[Truncation<Text>]) -> Markup {
    html! { script #report type="application/json" { (PreEscaped(json(document, cuts))) } }
}

/// JSON in which neither an element nor a hidden character can occur.
fn json(document: &Report, cuts: &[Truncation<Text>]) -> String {
    use std::fmt::Write as _;
    let mut document = without_lines(document);
    document.truncated.extend_from_slice(cuts);
    let json = serde_json::to_string(&document).expect("a document has no map with other keys than text");
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '<' || is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The same document, its logs without their text. No `..`: a new field has to be thought of here.
fn without_lines(document: &Report) -> Report {
    Document {
        schema: document.schema.clone(),
        tool: document.tool.clone(),
        snapshot: document.snapshot.clone(),
        summary: document.summary.clone(),
        failure: document.failure.clone(),
        redaction: document.redaction.clone(),
        coverage: document.coverage.clone(),
        facts: document.facts.clone(),
        categories: document.categories.clone(),
        checks: document.checks.clone(),
        logs: document
            .logs
            .iter()
            .map(|log| Log {
                runtime: log.runtime.clone(),
                source: log.source.clone(),
                lines: log.lines,
                dropped: log.dropped,
                levels: log.levels,
                spans: log.spans.clone(),
                templates: log.templates.clone(),
                text: None,
            })
            .collect(),
        bundle: document.bundle.clone(),
        cost: document.cost,
        stages: document.stages.clone(),
        truncated: document.truncated.clone(),
        changes: document.changes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_block_reads_back_as_the_document_without_its_lines() {
        for document in [fixtures::everything(), fixtures::hostile()] {
            let json = json(&fixtures::redacted(document.clone()), &[]);
            assert!(!json.contains('<') && !json.contains(is_hidden));
            let mut expected = document;
            for log in &mut expected.logs {
                log.text = None;
            }
            assert_eq!(serde_json::from_str::<Document<String>>(&json).unwrap(), expected);
        }
    }
}
