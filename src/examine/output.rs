//! What a snapshot writes of its own: files that nobody else may read, and the two forms of its report.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::ExamineError;
use crate::redact::Redacted;
use crate::report::model::Document;
use crate::report::{html, json};

/// `report.html` and `report.json`.
pub(super) fn render(document: &Document<Redacted<String>>) -> Result<(Vec<u8>, Vec<u8>), ExamineError> {
    let page = html::render(document).into_bytes();
    let mut machine = Vec::new();
    json::write(document, &mut machine).map_err(|source| ExamineError::Write { what: "report.json", source })?;
    Ok((page, machine))
}

/// Makes a file of ours: it must not be there yet, and nobody else may read it.
///
/// # Errors
/// Names what could not be made.
pub(super) fn create(what: &'static str, path: &Path) -> Result<File, ExamineError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| ExamineError::Write { what, source })
}
