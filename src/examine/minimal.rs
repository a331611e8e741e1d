//! The archive of a node that failed or could not be reached: a report that says so, and nothing else.

use super::assemble;
use super::error::ExamineError;
use super::job::{SnapshotLabel, Summary};
use super::output::{create, render};
use crate::bundle::archive::{self, ArchiveSpec};
use crate::bundle::manifest::About;
use crate::domain::snapshot::{Redaction, SnapshotOptions};
use crate::domain::time::Timestamp;
use crate::redact::{Engine, Policy, PseudonymKey, Redacted, Settings};
use crate::report::minimal;
use crate::report::model::{Document, Snapshot};

/// Writes an archive whose report says why there is nothing else in it. `reason` is a sentence; it is masked like any
/// text of a host.
///
/// # Errors
/// The archive cannot be written.
pub fn write_minimal(
    label: &SnapshotLabel,
    options: SnapshotOptions,
    reason: &str,
    archive: &std::path::Path,
) -> Result<Summary, ExamineError> {
    let key = PseudonymKey::generate()
        .map_err(|error| ExamineError::Write { what: "a key for pseudonyms", source: std::io::Error::other(error) })?;
    let engine = Engine::unlearned(&Settings::default(), key).map_err(ExamineError::Rules)?;
    let policy = Policy::Redact(&engine);
    let document = document(label, options, reason);
    let document = document.map_text(|text| Redacted::new(text, &policy));
    let (report_html, report_json) = render(&document)?;
    let about = About {
        name: label.name.clone(),
        node_name: Redacted::new(label.node_name.clone(), &policy),
        deployment_name: Redacted::new(label.deployment_name.clone(), &policy),
        node_id: label.node_id.map(|id| id.to_string()),
        deployment_id: label.deployment_id.map(|id| id.to_string()),
        created_at: now(),
        options: SnapshotOptions { redaction: Redaction::Masked, ..options },
        ruleset: engine.summary().ruleset,
        left_out: vec![Redacted::new(reason.to_owned(), &policy)],
    };
    let out = create("the archive", archive)?;
    let spec = ArchiveSpec { about: &about, report_html: &report_html, report_json: &report_json, data: None };
    archive::write(&spec, out).map_err(ExamineError::Bundle)?;
    let reason = Redacted::new(reason.to_owned(), &policy).to_string();
    Ok(Summary {
        headline: document.summary.headline.to_string(),
        counts: document.summary.counts,
        left_out: vec![reason],
        redaction: Redaction::Masked,
        duration_ms: 0,
    })
}

fn document(label: &SnapshotLabel, options: SnapshotOptions, reason: &str) -> Document<String> {
    let snapshot = Snapshot {
        name: label.name.clone(),
        ids: assemble::ids(label),
        deployment: Some(label.deployment_name.clone()),
        node: label.node_name.clone(),
        hostname: None,
        taken_at: now(),
        utc_offset_s: None,
        duration_ms: 0,
        options,
    };
    let remedy = "Read the appliance's log around this time, then take another snapshot.".to_owned();
    minimal(snapshot, reason.to_owned(), Some(remedy))
}

/// The time now, by this host's own clock.
fn now() -> Timestamp {
    Timestamp::from_unix(jiff::Timestamp::now().as_second())
}

/// The page and its data with no word of a host in it.
pub(super) fn page_without_a_host() -> Vec<u8> {
    let Ok(key) = PseudonymKey::generate() else { return Vec::new() };
    let Ok(engine) = Engine::unlearned(&Settings::default(), key) else { return Vec::new() };
    let label = SnapshotLabel::local(String::new(), String::new());
    let document = document(&label, SnapshotOptions::default(), "");
    let document = document.map_text(|text| Redacted::new(text, &Policy::Redact(&engine)));
    render(&document).map(|(page, machine)| [page, machine].concat()).unwrap_or_default()
}
