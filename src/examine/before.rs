//! The summary that a node keeps of its last snapshot: names of checks and verdicts, nothing of the host.
//!
//! A summary that cannot be read counts as none; the next one takes its place. Invariant: the file is whole or absent, and
//! only its owner can read it.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::job::Before;
use crate::durable;
use crate::redact::Redacted;
use crate::report::diff::Previous;
use crate::report::model::{Changes, Check, Document};

/// Bytes of a summary at most: a hundred times what the catalogue needs.
const SUMMARY_BYTES_MAX: u64 = 1024 * 1024;

impl Before {
    /// What changed since; none where no snapshot is known.
    pub(super) fn changes<T>(&self, checks: &[Check<T>]) -> Option<Changes<String>> {
        let previous = match self {
            Self::Nothing => None,
            Self::Given(previous) => Some(previous.clone()),
            Self::Kept { file } => read(file),
        };
        previous.map(|previous| previous.changes(checks))
    }

    /// Remembers this report in place of the one before, where that is asked for.
    ///
    /// # Errors
    /// The file cannot be written; what stood there still stands.
    pub(super) fn keep(&self, report: &Document<Redacted<String>>) -> io::Result<()> {
        match self {
            Self::Nothing | Self::Given(_) => Ok(()),
            Self::Kept { file } => write(file, &Previous::of(report)),
        }
    }
}

fn read(file: &Path) -> Option<Previous> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(SUMMARY_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn write(file: &Path, previous: &Previous) -> io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let text = serde_json::to_vec(previous)?;
    durable::replace(file, 0o600, |out| out.write_all(&text))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_last_snapshot_is_remembered_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("last/17.json");
        let before = Before::Kept { file: file.clone() };
        let (yesterday, today) = (fixtures::day_before(), fixtures::mixed());
        assert_eq!(before.changes(&today.checks), None, "nothing is known yet");
        for _ in 0..2 {
            before.keep(&fixtures::redacted(yesterday.clone())).unwrap();
        }
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no part is left");
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("/var/lib/iggy") && !text.contains("iggy-03"), "verdicts alone: {text}");

        let changes = before.changes(&today.checks).unwrap();
        assert_eq!(
            changes,
            Before::Given(Previous::of(&fixtures::redacted(yesterday))).changes(&today.checks).unwrap()
        );
        let ids: Vec<&str> = changes.checks.iter().map(|change| change.id.as_str()).collect();
        assert_eq!(ids, ["tls.files", "logs.runtime", "disk.space", "time.sync"]);
    }

    #[test]
    fn a_summary_that_cannot_be_read_counts_as_none_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("17.json");
        fs::write(&file, "{\"name\":").unwrap();
        fs::write(durable::partial(&file), "left by a crash").unwrap();
        let (before, today) = (Before::Kept { file }, fixtures::mixed());
        assert_eq!(before.changes(&today.checks), None);
        before.keep(&fixtures::redacted(today.clone())).unwrap();
        assert_eq!(before.changes(&today.checks).unwrap().checks, []);
    }
}
