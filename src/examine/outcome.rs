//! What a snapshot says of itself: its redaction, and the summary for the row.

use super::job::Summary;
use crate::domain::snapshot::{CLEAR_TEXT_REFUSED, Redaction};
use crate::redact::{Engine, Policy, Redacted};
use crate::report::model::{ArtifactMasks, BundleState, Document, RedactionSummary, RuleMasks};

/// Sentences that a summary holds at most.
const LEFT_OUT_MAX: usize = 50;

/// What was masked, most first.
pub(super) fn redaction(state: Redaction, engine: &Engine, policy: &Policy<'_>) -> RedactionSummary<Redacted<String>> {
    if state == Redaction::Unredacted {
        return RedactionSummary::empty(state);
    }
    let redacted = |text: String| Redacted::new(text, policy);
    let summary = engine.summary();
    let mut rules: Vec<_> = summary.rules.into_iter().map(|(rule, masks)| (rule, masks.masks)).collect();
    let mut artifacts: Vec<_> = summary.artifacts.into_iter().map(|(name, masks)| (name, masks.masks)).collect();
    artifacts.retain(|(_, masks)| *masks > 0);
    for counts in [&mut rules, &mut artifacts] {
        counts.sort_by(|(a, more), (b, masks)| masks.cmp(more).then_with(|| a.cmp(b)));
    }
    RedactionSummary {
        state,
        masks: rules.iter().map(|(_, masks)| masks).sum(),
        rules: rules.into_iter().map(|(rule, masks)| RuleMasks { rule: redacted(rule), masks }).collect(),
        artifacts: artifacts
            .into_iter()
            .map(|(artifact, masks)| ArtifactMasks { artifact: redacted(artifact), masks })
            .collect(),
        suppressed: summary.propagation_suppressed.into_keys().map(redacted).collect(),
        withheld: summary.failed.into_iter().map(|(name, why)| redacted(format!("{name}: {why}"))).collect(),
    }
}

/// The summary for the row and the caller.
pub(super) fn summary(document: &Document<Redacted<String>>, redaction: Redaction, duration_ms: u64) -> Summary {
    Summary {
        headline: document.summary.headline.to_string(),
        counts: document.summary.counts,
        left_out: left_out(document),
        redaction,
        duration_ms,
    }
}

fn left_out(document: &Document<Redacted<String>>) -> Vec<String> {
    let mut sentences = Vec::new();
    if document.clear_text_refused() {
        sentences.push(CLEAR_TEXT_REFUSED.to_owned());
    }
    if let Some(bundle) = &document.bundle {
        match bundle.state {
            BundleState::NoDirectory | BundleState::Failed | BundleState::NotRequested => {
                sentences.extend(bundle.note.as_ref().map(|note| format!("iggy-data.zip: {note}")));
            }
            BundleState::Complete | BundleState::Partial => {
                sentences.extend(bundle.note.as_ref().map(|note| format!("iggy-data.zip: {note}")));
                let files =
                    bundle.left_out.iter().map(|file| format!("iggy-data.zip: {} ({})", file.path, file.reason));
                sentences.extend(files);
            }
        }
    }
    for gap in document.coverage.gaps.iter().filter(|gap| !gap.partial) {
        sentences.push(format!("{}: {} ({})", gap.check, gap.gap.detail, gap.gap.reason.label()));
    }
    let more = sentences.len().saturating_sub(LEFT_OUT_MAX);
    sentences.truncate(LEFT_OUT_MAX);
    if more > 0 {
        sentences.push(format!("{more} more, in the report"));
    }
    sentences
}
