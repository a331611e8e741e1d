//! The archive: the report, the data directory's ZIP and the manifest in one file, read back before it is announced.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::domain::snapshot::Redaction;

use super::check;
use super::container::dos_time;
use super::data::DataBundle;
use super::error::BundleError;
use super::manifest::{About, FileRecord, Manifest, PRODUCT, SCHEMA, Sha256Digest};

/// The interactive report.
pub const REPORT_HTML: &str = "report.html";
/// The report for machines.
pub const REPORT_JSON: &str = "report.json";
/// The data directory.
pub const IGGY_DATA: &str = "iggy-data.zip";
/// The manifest, always the last file.
pub const MANIFEST: &str = "manifest.json";

/// A file of at least this many bytes gets room for large sizes.
const LARGE_FROM_BYTES: u64 = u32::MAX as u64 - (64 << 20);
/// Bytes copied and written at a time.
const COPY_BYTES: usize = 256 << 10;

/// What goes into an archive.
#[derive(Debug)]
pub struct ArchiveSpec<'a> {
    /// Which snapshot this is.
    pub about: &'a About,
    /// The rendered report; its writer took redacted text alone.
    pub report_html: &'a [u8],
    /// The same for machines.
    pub report_json: &'a [u8],
    /// The data directory's ZIP, when there is one.
    pub data: Option<&'a DataBundle>,
}

/// A finished archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of the whole.
    pub sha256: Sha256Digest,
    /// Its files, the manifest last.
    pub files: Vec<FileRecord>,
}

/// Writes the archive into the empty file `out`, syncs it, reads it back and checks every file of it.
///
/// # Errors
/// It could not be written, or what was read back differs. `out` must then be thrown away.
pub fn write(spec: &ArchiveSpec<'_>, out: File) -> Result<ArchiveSummary, BundleError> {
    if let Some(data) = spec.data {
        check::data(&data.zip, &data.section)?;
    }
    let mut writer = Writer::new(out, spec.about)?;
    writer.add(REPORT_HTML, "the report, interactive; opens in any browser", spec.report_html)?;
    writer.add(REPORT_JSON, "the report for machines", spec.report_json)?;
    if let Some(data) = spec.data {
        writer.add_data(data)?;
    }
    let manifest = Manifest {
        schema: SCHEMA,
        product: PRODUCT,
        snapshot: spec.about,
        files: writer.files.clone(),
        iggy_data: spec.data.map(|data| &data.section),
    };
    let (file, files) = writer.finish(&manifest)?;
    let (size_bytes, sha256) = check::archive(&file, &files)?;
    Ok(ArchiveSummary { size_bytes, sha256, files })
}

/// Hashes and counts what goes into a file of the archive.
struct Hashing<'a, W> {
    inner: &'a mut W,
    sha: Sha256,
    size: u64,
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sha.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

struct Writer {
    zip: ZipWriter<BufWriter<File>>,
    options: SimpleFileOptions,
    files: Vec<FileRecord>,
}

impl Writer {
    fn new(out: File, about: &About) -> Result<Self, BundleError> {
        let mut zip = ZipWriter::new(BufWriter::with_capacity(COPY_BYTES, out));
        let redacted = about.options.redaction == Redaction::Masked;
        zip.set_comment(format!(
            "snapvisor {} {} redact_secrets={redacted} ruleset={}",
            PRODUCT.version, about.name, about.ruleset
        ))
        .map_err(BundleError::from)?;
        let (date, time) = dos_time(about.created_at.unix());
        let modified = DateTime::try_from_msdos(date, time).unwrap_or_default();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(modified)
            .unix_permissions(0o600);
        Ok(Self { zip, options, files: Vec::new() })
    }

    fn begin(&mut self, name: &str, options: SimpleFileOptions) -> Result<(), BundleError> {
        self.zip.start_file(name, options).map_err(BundleError::from)
    }

    /// Writes a file by `fill` and takes down its digest.
    fn fill(
        &mut self,
        name: &'static str,
        what: &'static str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), BundleError> {
        let mut hashing = Hashing { inner: &mut self.zip, sha: Sha256::new(), size: 0 };
        fill(&mut hashing).map_err(BundleError::Write)?;
        let (sha256, size_bytes) = (Sha256Digest(hashing.sha.finalize().into()), hashing.size);
        self.files.push(FileRecord { name, what, size_bytes, sha256 });
        Ok(())
    }

    fn add(&mut self, name: &'static str, what: &'static str, content: &[u8]) -> Result<(), BundleError> {
        self.begin(name, self.options)?;
        self.fill(name, what, |to| to.write_all(content))
    }

    fn add_data(&mut self, data: &DataBundle) -> Result<(), BundleError> {
        // It is compressed already.
        let stored = self.options.compression_method(CompressionMethod::Stored);
        self.begin(IGGY_DATA, stored.large_file(data.packed_bytes >= LARGE_FROM_BYTES))?;
        let mut from = data.zip.try_clone().map_err(BundleError::ReadBack)?;
        from.seek(SeekFrom::Start(0)).map_err(BundleError::ReadBack)?;
        self.fill(IGGY_DATA, "Iggy's data directory", |to| {
            let mut buffer = vec![0; COPY_BYTES];
            loop {
                match from.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(read) => to.write_all(&buffer[..read])?,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        })
    }

    fn finish(mut self, manifest: &Manifest<'_>) -> Result<(File, Vec<FileRecord>), BundleError> {
        self.begin(MANIFEST, self.options)?;
        self.fill(MANIFEST, "this list", |to| {
            serde_json::to_writer_pretty(&mut *to, manifest)?;
            to.write_all(b"\n")
        })?;
        let buffered = self.zip.finish().map_err(BundleError::from)?;
        let file = buffered.into_inner().map_err(|error| BundleError::Write(error.into_error()))?;
        file.sync_all().map_err(BundleError::Write)?;
        Ok((file, self.files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::SnapshotOptions;
    use crate::redact::{Policy, Redacted, UnredactedConsent};

    fn about() -> About {
        let consent = UnredactedConsent::given(Redaction::Unredacted, Redaction::Unredacted).unwrap();
        let text = |text: &str| Redacted::new(text.to_owned(), &Policy::Passthrough(consent));
        About {
            name: "snapshot-20260601-103000".into(),
            node_name: text("node-1"),
            deployment_name: text("events-prod"),
            node_id: Some("610809900976570889".into()),
            deployment_id: Some("611298765432109056".into()),
            created_at: "2026-06-01T10:30:00Z".parse().unwrap(),
            options: SnapshotOptions::default(),
            ruleset: "r1".into(),
            left_out: vec![text("Iggy's data directory was not found")],
        }
    }

    fn read(zip: &mut zip::ZipArchive<File>, name: &str) -> String {
        io::read_to_string(zip.by_name(name).unwrap()).unwrap()
    }

    #[test]
    fn an_archive_holds_the_report_and_the_manifest_last() {
        let out = tempfile::tempfile().unwrap();
        let about = about();
        let spec = ArchiveSpec { about: &about, report_html: b"<html>", report_json: b"{}", data: None };
        let summary = write(&spec, out.try_clone().unwrap()).unwrap();
        assert_eq!(summary.size_bytes, out.metadata().unwrap().len());
        let mut zip = zip::ZipArchive::new(out).unwrap();
        let comment =
            format!("snapvisor {} snapshot-20260601-103000 redact_secrets=true ruleset=r1", env!("CARGO_PKG_VERSION"));
        assert_eq!(zip.comment(), comment.as_bytes());
        let names: Vec<_> = summary.files.iter().map(|file| file.name).collect();
        assert_eq!(names, [REPORT_HTML, REPORT_JSON, MANIFEST]);
        assert_eq!(read(&mut zip, REPORT_HTML), "<html>");
        let manifest: serde_json::Value = serde_json::from_str(&read(&mut zip, MANIFEST)).unwrap();
        let digest = |content: &[u8]| Sha256Digest(Sha256::digest(content).into()).to_string();
        assert_eq!(
            manifest,
            serde_json::json!({
                "schema": 1,
                "product": {"name": "snapvisor", "version": env!("CARGO_PKG_VERSION")},
                "snapshot": {
                    "name": "snapshot-20260601-103000",
                    "node_name": "node-1",
                    "deployment_name": "events-prod",
                    "node_id": "610809900976570889",
                    "deployment_id": "611298765432109056",
                    "created_at": "2026-06-01T10:30:00Z",
                    "options": {"redaction": "masked", "iggy_data": "included"},
                    "ruleset": "r1",
                    "left_out": ["Iggy's data directory was not found"]
                },
                "files": [
                    {"name": REPORT_HTML, "what": "the report, interactive; opens in any browser",
                     "size_bytes": 6, "sha256": digest(b"<html>")},
                    {"name": REPORT_JSON, "what": "the report for machines", "size_bytes": 2, "sha256": digest(b"{}")}
                ],
                "iggy_data": null
            })
        );
    }
}
