//! Reading old archives: the report of one, and the proof that it is what its manifest states.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use zip::ZipArchive;

use super::error::ArchiveError;
use crate::domain::snapshot::{Redaction, SnapshotOptions};
use crate::redact::{Policy, Redacted, VerifiedArchive};
use crate::report::model::{Document, SCHEMA};

/// The largest manifest that is read: 50,000 entries of 1 kB.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// The largest report that is read.
const REPORT_BYTES_MAX: u64 = 128 << 20;

/// The report of an old archive.
#[derive(Debug)]
pub struct OldReport {
    /// `report.json`, as it stands in the archive.
    pub json: Vec<u8>,
    /// Its digest is the one that the manifest states.
    pub proof: VerifiedArchive,
    /// Whether its secrets were masked when it was made.
    pub redaction: Redaction,
}

#[derive(Deserialize)]
struct Manifest {
    snapshot: Snapshot,
    files: Vec<FileRecord>,
}

#[derive(Deserialize)]
struct Snapshot {
    options: SnapshotOptions,
}

#[derive(Deserialize)]
struct FileRecord {
    name: String,
    sha256: String,
}

/// Reads `report.json` of the archive at `path`.
///
/// # Errors
/// It cannot be read, is no archive of ours, or the report is not what the manifest states.
pub fn read_report_json(path: &Path) -> Result<OldReport, ArchiveError> {
    const REPORT: &str = "report.json";
    let file = File::open(path).map_err(ArchiveError::io("opening", path))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|_| ArchiveError::Foreign("it is no ZIP"))?;
    let manifest = content(&mut zip, "manifest.json", MANIFEST_BYTES_MAX)?;
    let manifest: Manifest =
        serde_json::from_slice(&manifest).map_err(|_| ArchiveError::Foreign("its manifest is of another shape"))?;
    let json = content(&mut zip, REPORT, REPORT_BYTES_MAX)?;
    let stated = manifest.files.iter().find(|file| file.name == REPORT);
    let stated = stated.ok_or(ArchiveError::Foreign("its manifest does not list a report"))?;
    let proof = VerifiedArchive::of(&stated.sha256, &json);
    let proof = proof.ok_or(ArchiveError::Digest(REPORT))?;
    Ok(OldReport { json, proof, redaction: manifest.snapshot.options.redaction })
}

/// The report of the archive at `path`, as the program holds it.
///
/// # Errors
/// As [`read_report_json`]; or the report is of a version that this program does not know.
pub fn read_report(path: &Path) -> Result<Document<Redacted<String>>, ArchiveError> {
    let report = read_report_json(path)?;
    let document: Option<Document<String>> = serde_json::from_slice(&report.json).ok();
    let document = document.filter(|document| document.schema.as_str() == SCHEMA);
    let document = document.ok_or(ArchiveError::Foreign("its report is of another version"))?;
    let policy = Policy::FromVerifiedArchive(report.proof);
    Ok(document.map_text(|text| Redacted::new(text, &policy)))
}

fn content(zip: &mut ZipArchive<BufReader<File>>, name: &str, limit: u64) -> Result<Vec<u8>, ArchiveError> {
    let entry = zip.by_name(name).map_err(|_| ArchiveError::Foreign("a file that every archive has is not in it"))?;
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes).map_err(|_| ArchiveError::Foreign("a file in it is damaged"))?;
    if bytes.len() as u64 > limit { Err(ArchiveError::Foreign("a file in it is too large")) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use sha2::{Digest, Sha256};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::domain::hex::hex;

    fn archive(files: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut zip = ZipWriter::new(file.reopen().unwrap());
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        file
    }

    fn manifest(report: &str) -> String {
        serde_json::json!({
            "snapshot": {"options": {"redaction": "masked", "iggy_data": "included"}},
            "files": [{"name": "report.json", "sha256": hex(&Sha256::digest(report))}]
        })
        .to_string()
    }

    #[test]
    fn a_report_is_proven_by_its_manifest() {
        let file = archive(&[("report.json", "{\"a\":1}"), ("manifest.json", &manifest("{\"a\":1}"))]);
        let report = read_report_json(file.path()).unwrap();
        assert_eq!((report.json.as_slice(), report.redaction), (&b"{\"a\":1}"[..], Redaction::Masked));
    }

    #[test]
    fn a_report_is_read_back_whole_and_another_version_is_refused() {
        let snapshot = crate::report::fixtures::everything();
        let json = serde_json::to_string(&snapshot).unwrap();
        let file = archive(&[("report.json", &json), ("manifest.json", &manifest(&json))]);
        let read = read_report(file.path()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        for other in [json.replace("snapvisor-report/1", "snapvisor-report/2"), "{}".to_owned(), "no JSON".to_owned()] {
            let file = archive(&[("report.json", &other), ("manifest.json", &manifest(&other))]);
            let error = read_report(file.path()).unwrap_err().to_string();
            assert!(error.contains("another version"), "{error}");
        }
    }

    #[test]
    fn what_does_not_match_is_refused() {
        let other = manifest("{\"a\":2}");
        for (files, expected) in [
            (&[("report.json", "{\"a\":1}"), ("manifest.json", other.as_str())][..], "differs from"),
            (&[("manifest.json", other.as_str())], "not in it"),
            (&[("report.json", "{}"), ("manifest.json", "{}")], "another shape"),
            (&[("hello.txt", "{}")], "not in it"),
        ] {
            let error = read_report_json(archive(files).path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let mut plain = tempfile::NamedTempFile::new().unwrap();
        plain.write_all(b"hello").unwrap();
        assert!(matches!(read_report_json(plain.path()), Err(ArchiveError::Foreign("it is no ZIP"))));
    }
}
