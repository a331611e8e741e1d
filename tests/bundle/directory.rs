//! Data directories to bundle, and what a bundle of one turned out to be.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use snapvisor::bundle::archive::{self, ArchiveSpec, ArchiveSummary};
use snapvisor::bundle::data::{self, DataBundle, DataBundleSpec};
use snapvisor::bundle::manifest::{About, Label};
use snapvisor::bundle::plan::Plan;
use snapvisor::bundle::{BundleError, Payloads};
use snapvisor::domain::snapshot::{Redaction, SnapshotOptions};
use snapvisor::redact::{Engine, Learner, Policy, PseudonymKey, Redacted, Settings, UnredactedConsent};

/// A recorded data directory.
pub fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// All regular files below `root` by their path.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn visit(directory: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, root, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(root, root, &mut found);
    found
}

/// Writes `content` below `root`, with the directories on the way.
pub fn put(root: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// Limits that nothing reaches.
pub fn unlimited() -> DataBundleSpec {
    DataBundleSpec {
        finish_by: Instant::now() + Duration::from_hours(1),
        max_bytes: 0,
        reserve_bytes: 0,
        payloads: Payloads::Copied,
    }
}

/// The policy of a snapshot that asked for clear text.
pub fn clear() -> Policy<'static> {
    Policy::Passthrough(UnredactedConsent::given(Redaction::Unredacted, Redaction::Unredacted).unwrap())
}

/// What the redactor makes of a plan in its first pass.
pub fn learned(plan: &mut Plan, spec: &DataBundleSpec) -> Engine {
    let mut learner = Learner::new(&Settings::default(), PseudonymKey::generate().unwrap()).unwrap();
    data::learn(plan, &mut learner, spec);
    learner.finish()
}

/// Bundles a plan with masked secrets.
pub fn masked(mut plan: Plan, spec: &DataBundleSpec) -> Result<DataBundle, BundleError> {
    let engine = learned(&mut plan, spec);
    let out = tempfile::tempfile().unwrap();
    data::write(&mut plan, spec, &Policy::Redact(&engine), out, &mut |_, _| ())
}

/// Bundles a plan in clear text.
pub fn unmasked(mut plan: Plan, spec: &DataBundleSpec) -> Result<DataBundle, BundleError> {
    let out = tempfile::tempfile().unwrap();
    data::write(&mut plan, spec, &clear(), out, &mut |_, _| ())
}

/// Puts a bundle into an archive at `path`.
pub fn archived(data: &DataBundle, path: &Path) -> ArchiveSummary {
    let text = |text: &str| Redacted::new(text.to_owned(), &clear());
    let about = About {
        name: "snapshot-20260601-103000".into(),
        node_name: text("node-1"),
        deployment_name: text("local"),
        node_id: None,
        deployment_id: None,
        created_at: "2026-06-01T10:30:00Z".parse().unwrap(),
        options: SnapshotOptions::default(),
        ruleset: "test".into(),
        left_out: vec![],
    };
    let spec = ArchiveSpec { about: &about, report_html: b"<!doctype html>", report_json: b"{}", data: Some(data) };
    let out = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    archive::write(&spec, out).unwrap()
}

/// Writes an open ZIP to `path`.
pub fn save(mut zip: &File, path: &Path) {
    zip.seek(SeekFrom::Start(0)).unwrap();
    io::copy(&mut zip, &mut File::create(path).unwrap()).unwrap();
}

/// The content of every entry of a ZIP by its name.
pub fn content(zip: &File) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(zip).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

/// The label of every entry by its name.
pub fn labels(data: &DataBundle) -> BTreeMap<&str, Label> {
    data.section.entries.iter().map(|entry| (entry.name.as_str(), entry.redaction)).collect()
}

/// Path and word of everything that was left out.
pub fn left_out(data: &DataBundle) -> Vec<(&str, &'static str)> {
    data.section.left_out.iter().map(|file| (file.path.as_str(), file.reason.word())).collect()
}
