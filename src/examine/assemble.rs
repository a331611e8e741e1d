//! From findings to the report's document: still raw text, so it goes nowhere but through the redactor.

use super::job::{Job, SnapshotLabel};
use crate::checks;
use crate::domain::finding::Finding;
use crate::domain::snapshot::Redaction;
use crate::host::Observation;
use crate::report::model::{
    Category, Check, CheckWords, Cost, Coverage, Document, Evidence, Ids, Log, RedactionSummary, SCHEMA, Snapshot,
    Summary, Tier, Tool, Truncation,
};

/// The document of what was observed and found. Its logs, bundle, cost and redaction summary are filled in later.
pub(super) fn document(
    job: &Job,
    redaction: Redaction,
    observation: &Observation,
    findings: Vec<Finding>,
) -> Document<String> {
    let checks: Vec<Check<String>> = findings.into_iter().map(check).collect();
    let node = job.label.node_name.clone();
    let logs = super::logs::all(&observation.evidence);
    Document {
        schema: SCHEMA.into(),
        tool: Tool::this(),
        snapshot: snapshot(job, observation),
        summary: Summary::of(&checks, &node),
        failure: None,
        redaction: RedactionSummary::empty(redaction),
        coverage: Coverage::of(&checks),
        facts: super::facts::row(&observation.evidence),
        categories: categories(&checks),
        truncated: truncated(&checks, &logs),
        checks,
        logs,
        bundle: None,
        cost: Cost::default(),
        stages: Vec::new(),
        changes: None,
    }
}

fn snapshot(job: &Job, observation: &Observation) -> Snapshot<String> {
    let label = &job.label;
    Snapshot {
        name: label.name.clone(),
        ids: ids(label),
        deployment: Some(label.deployment_name.clone()),
        node: label.node_name.clone(),
        hostname: super::facts::hostname(&observation.evidence),
        taken_at: observation.now,
        utc_offset_s: super::facts::utc_offset_s(&observation.evidence),
        duration_ms: 0,
        options: job.options,
    }
}

/// What a cap cut off: rows and lines of evidence, older lines of logs.
fn truncated(checks: &[Check<String>], logs: &[Log<String>]) -> Vec<Truncation<String>> {
    let proofs = checks.iter().flat_map(|check| check.evidence.iter().map(move |proof| (check, proof)));
    let evidence = proofs.filter_map(|(check, proof)| {
        let (dropped, of) = match proof {
            Evidence::Table { rows_dropped, .. } => (*rows_dropped, "rows"),
            Evidence::Text { lines_dropped, .. } => (*lines_dropped, "lines"),
            Evidence::Chart { .. } => (0, ""),
        };
        (dropped > 0).then(|| Truncation {
            what: format!("{}: {}", check.title, proof.title()),
            dropped,
            of: of.into(),
        })
    });
    let logs = logs.iter().filter(|log| log.dropped > 0);
    let logs = logs.map(|log| Truncation { what: log.runtime.clone(), dropped: log.dropped, of: "lines".into() });
    evidence.chain(logs).collect()
}

/// The ids of a label, as the report holds them.
pub(super) fn ids(label: &SnapshotLabel) -> Ids {
    Ids {
        tenant: label.tenant_id,
        division: label.division_id,
        environment: label.environment_id,
        deployment: label.deployment_id,
        node: label.node_id,
        snapshot: label.snapshot_id,
    }
}

fn check(finding: Finding) -> Check<String> {
    let row = checks::find(finding.check).expect("a finding names a check of the catalogue");
    let words = CheckWords {
        id: row.id,
        category: row.category.word(),
        title: row.title,
        tier: match row.tier {
            checks::Tier::Core => Tier::Core,
            checks::Tier::Extended => Tier::Extended,
        },
        severity: row.severity,
        rule: row.rule,
        source: row.threshold_source,
        why: row.why,
        remedy: row.remedy,
        references: row.references,
    };
    Check::new(&words, finding)
}

/// The categories of these checks, in the catalogue's order.
fn categories(checks: &[Check<String>]) -> Vec<Category> {
    let mut categories: Vec<Category> = Vec::new();
    for check in checks {
        if categories.last().is_none_or(|last| last.id != check.category) {
            let row = checks::find(check.id.as_str()).expect("the check came from the catalogue");
            categories.push(Category { id: check.category.clone(), title: row.category.title().into() });
        }
    }
    categories
}
