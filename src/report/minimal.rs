//! The report of a node that failed or could not be reached: who, when and why, and nothing else.

use super::model::{Cost, Coverage, Document, Failure, RedactionSummary, SCHEMA, Snapshot, Summary, Tool};
use crate::domain::snapshot::Redaction;
use crate::domain::verdict::{Verdict, VerdictCounts};

/// A document without checks. `reason` is a sentence, `remedy` says what to do about it.
#[must_use]
pub fn minimal(snapshot: Snapshot<String>, reason: String, remedy: Option<String>) -> Document<String> {
    let none = VerdictCounts::default();
    let redaction = RedactionSummary::empty(Redaction::Masked);
    Document {
        schema: SCHEMA.into(),
        tool: Tool::this(),
        summary: Summary {
            headline: format!("{} could not be examined.", snapshot.node),
            worst: Verdict::Skip,
            counts: none,
            core: none,
        },
        failure: Some(Failure { reason, remedy }),
        redaction,
        coverage: Coverage { judged: 0, checks: 0, gaps: Vec::new() },
        facts: Vec::new(),
        categories: Vec::new(),
        checks: Vec::new(),
        logs: Vec::new(),
        bundle: None,
        cost: Cost { wall_ms: snapshot.duration_ms, ..Cost::default() },
        stages: Vec::new(),
        truncated: Vec::new(),
        changes: None,
        snapshot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixtures, html, model::Document};

    #[test]
    fn a_failed_node_has_a_page_that_says_why() {
        let snapshot = fixtures::empty().snapshot;
        let document =
            minimal(snapshot, "It did not answer within 540 s.".to_owned(), Some("Look at its journal.".to_owned()));
        let json = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<Document<String>>(&json).unwrap(), document);

        let page = html::render(&fixtures::redacted(document));
        assert!(page.contains("<title>iggy-09 could not be examined.</title>"));
        assert!(page.contains("<p>It did not answer within 540 s.</p><p>Look at its journal.</p>"));
        assert!(!page.contains("Nothing. Every check"));
    }
}
