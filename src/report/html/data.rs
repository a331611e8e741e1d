//! The document as a data block, for the script and for "Save JSON": JSON, packed, since every word of it stands on the
//! page once more. Logs' lines are not repeated in it.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{Markup, PreEscaped, html};

use super::{Report, Text};
use crate::report::model::{Document, Log, Truncation};

/// What stands in Base64 can neither close the element nor hide a character.
pub(super) fn block(document: &Report, cuts: &[Truncation<Text>]) -> Markup {
    html! { script #report type="application/gzip" { (PreEscaped(STANDARD.encode(packed(document, cuts)))) } }
}

fn packed(document: &Report, cuts: &[Truncation<Text>]) -> Vec<u8> {
    let mut document = without_lines(document);
    document.truncated.extend_from_slice(cuts);
    let json = serde_json::to_vec(&document).expect("a document has no map with other keys than text");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&json).and_then(|()| gzip.finish()).expect("memory takes what is written to it")
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

/// The text of the data block of a page.
#[cfg(test)]
pub(super) fn unpacked(page: &str) -> String {
    let block = page.split("<script id=\"report\" type=\"application/gzip\">").nth(1).unwrap();
    let packed = STANDARD.decode(block.split('<').next().unwrap()).unwrap();
    std::io::read_to_string(flate2::read::GzDecoder::new(packed.as_slice())).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_block_reads_back_as_the_document_without_its_lines() {
        for document in [fixtures::everything(), fixtures::hostile()] {
            let page = block(&fixtures::redacted(document.clone()), &[]).into_string();
            let mut expected = document;
            for log in &mut expected.logs {
                log.text = None;
            }
            assert_eq!(serde_json::from_str::<Document<String>>(&unpacked(&page)).unwrap(), expected);
        }
    }
}
