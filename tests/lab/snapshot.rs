//! A snapshot by the real binary, as what each check said.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Outcome;

/// What one check said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) verdict: String,
    pub(crate) severity: String,
    pub(crate) summary: String,
    /// All that is particular to this host: summary, numbers, tables, what could not be seen.
    pub(crate) text: String,
}

/// What all checks said, by their ids.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot(pub(crate) BTreeMap<String, Said>);

/// Takes one; `window_ms` is the length of the sampling window.
pub(crate) fn take(folder: &Path, window_ms: u64, settings: &[(&str, String)]) -> Outcome<Snapshot> {
    let output = Command::new(env!("CARGO_BIN_EXE_snapvisor"))
        .args(["collect", "--include-iggy", "false", "--format", "json", "--output", "snapshot.zip"])
        .current_dir(folder)
        .env_clear()
        .env("SNAPVISOR_SNAPSHOT_SAMPLING_MS", window_ms.to_string())
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .output()?;
    if !output.status.success() {
        return Err(format!("no snapshot: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let report: Value = serde_json::from_slice(&output.stdout)?;
    if report["failure"].is_object() {
        return Err(format!("the examination failed: {}", report["failure"]).into());
    }
    let checks = report["checks"].as_array().ok_or("a report without checks")?;
    Ok(Snapshot(checks.iter().filter_map(said).collect()))
}

fn said(check: &Value) -> Option<(String, Said)> {
    let word = |name: &str| check[name].as_str().map(str::to_owned);
    let particular = ["summary", "measured", "evidence", "gaps", "skip"].map(|name| text(&check[name]));
    let said = Said {
        verdict: word("verdict")?,
        severity: word("severity")?,
        summary: word("summary")?,
        text: particular.join("\n"),
    };
    Some((word("id")?, said))
}

/// All texts and numbers of a value, a line each.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => fields.values().map(text).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}
