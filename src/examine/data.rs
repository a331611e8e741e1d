//! The data directory's part: where it is, what the redactor must know of it, and its ZIP.

use std::path::PathBuf;
use std::time::Instant;

use super::error::ExamineError;
use super::job::Job;
use super::output::create;
use crate::bundle::data::{self, DataBundle, DataBundleSpec};
use crate::bundle::manifest::{self, Reason};
use crate::bundle::plan::Plan;
use crate::bundle::{BundleError, Payloads};
use crate::config;
use crate::domain::causes::chain;
use crate::domain::snapshot::IggyData;
use crate::evidence::Evidence;
use crate::host::Host;
use crate::redact::{Learner, Policy, Redacted};
use crate::report::model::{Bundle, BundleState, EntryLabel, LeftOut};

/// Left-out files that the report lists; the manifest lists all.
const LEFT_OUT_MAX: usize = 200;
/// Files of which the report's note says what was wrong with them.
const EXPLAINED_MAX: usize = 5;

/// The data directory, or why there is none.
pub(super) enum Source {
    /// It will be bundled.
    Planned { directory: PathBuf, plan: Plan, spec: DataBundleSpec },
    /// It will not.
    Not { state: BundleState, directory: Option<PathBuf>, note: String },
}

/// What became of it.
pub(super) enum Bundled {
    /// A ZIP.
    Zip { directory: PathBuf, bundle: DataBundle },
    /// None.
    Not { state: BundleState, directory: Option<PathBuf>, note: String },
}

impl Source {
    /// Finds the directory and plans its bundle.
    pub(super) fn find(job: &Job, host: &Host, evidence: &Evidence, finish_by: Instant) -> Self {
        let not = |state, directory, note: &str| Self::Not { state, directory, note: note.to_owned() };
        if job.options.iggy_data == IggyData::Excluded {
            return not(BundleState::NotRequested, None, "");
        }
        if job.config.snapshot.iggy_data_allowed() == IggyData::Excluded {
            let note = "This node does not give its data directory (snapshot.allow_iggy_data = false).";
            return not(BundleState::NotRequested, None, note);
        }
        match super::place::data_directory(host, evidence) {
            Err((directory, why)) => not(BundleState::NoDirectory, directory, &why),
            Ok(place) => Self::Planned {
                directory: place.path,
                plan: Plan::of_directory(place.directory),
                spec: spec(job, finish_by),
            },
        }
    }

    /// What would go in and in which order, or why nothing would.
    pub(super) fn dry_run(&self, policy: &Policy<'_>) -> Redacted<String> {
        match self {
            Self::Planned { directory, plan, .. } => {
                Redacted::new(format!("{}: {}", directory.display(), plan.dry_run(policy)), policy)
            }
            Self::Not { note, .. } if note.is_empty() => {
                Redacted::new("no data directory is asked for\n".to_owned(), policy)
            }
            Self::Not { note, .. } => Redacted::new(format!("{note}\n"), policy),
        }
    }

    /// Shows the redactor what it must know before anything is masked.
    pub(super) fn learn(&mut self, learner: &mut Learner) {
        if let Self::Planned { plan, spec, .. } = self {
            data::learn(plan, learner, spec);
        }
    }

    /// Writes the ZIP into a spool beside the archive; it has no name, so that nothing of it is left behind.
    ///
    /// # Errors
    /// The spool cannot be made. A ZIP that fails for another reason is told in the report instead.
    pub(super) fn write(
        self,
        job: &Job,
        policy: &Policy<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Bundled, ExamineError> {
        match self {
            Self::Not { state, directory, note } => Ok(Bundled::Not { state, directory, note }),
            Self::Planned { directory, mut plan, spec } => {
                let path = job.archive.with_extension("data");
                let spool = create("the spool of the data directory", &path)?;
                std::fs::remove_file(&path)
                    .map_err(|source| ExamineError::Write { what: "the spool of the data directory", source })?;
                match data::write(&mut plan, &spec, policy, spool, progress) {
                    Ok(bundle) => Ok(Bundled::Zip { directory, bundle }),
                    Err(error) => Ok(Bundled::failed(directory, &error)),
                }
            }
        }
    }
}

fn spec(job: &Job, finish_by: Instant) -> DataBundleSpec {
    let limits = [job.config.bundle.max_bytes, job.archive_bytes_max];
    DataBundleSpec {
        finish_by,
        max_bytes: limits.into_iter().filter(|limit| *limit > 0).min().unwrap_or(0),
        reserve_bytes: job.reserve_bytes,
        payloads: match job.config.bundle.payloads {
            config::Payloads::All => Payloads::Copied,
            config::Payloads::None => Payloads::LeftOut,
        },
    }
}

impl Bundled {
    fn failed(directory: PathBuf, error: &BundleError) -> Self {
        let note = format!("It could not be made: {}.", chain(error));
        Self::Not { state: BundleState::Failed, directory: Some(directory), note }
    }

    /// The ZIP, if there is one.
    pub(super) fn zip(&self) -> Option<&DataBundle> {
        match self {
            Self::Zip { bundle, .. } => Some(bundle),
            Self::Not { .. } => None,
        }
    }

    /// What the report says of it.
    pub(super) fn for_report(&self, policy: &Policy<'_>) -> Bundle<Redacted<String>> {
        let redacted = |text: String| Redacted::new(text, policy);
        match self {
            Self::Not { state, directory, note } => Bundle {
                state: *state,
                directory: directory.as_ref().map(|directory| redacted(directory.display().to_string())),
                note: (!note.is_empty()).then(|| redacted(note.clone())),
                entries: 0,
                size_bytes: 0,
                packed_bytes: 0,
                labels: Vec::new(),
                left_out: Vec::new(),
                left_out_dropped: 0,
            },
            Self::Zip { directory, bundle } => {
                let section = &bundle.section;
                let left_out = section.left_out.iter().take(LEFT_OUT_MAX).map(|file| LeftOut {
                    path: file.path.clone(),
                    size_bytes: file.size_bytes,
                    reason: file.reason.word().into(),
                });
                Bundle {
                    state: if section.complete { BundleState::Complete } else { BundleState::Partial },
                    directory: Some(redacted(directory.display().to_string())),
                    note: cut_note(section).map(redacted),
                    entries: section.entries.len() as u64,
                    size_bytes: section.entries.iter().map(|entry| entry.size_bytes).sum(),
                    packed_bytes: bundle.packed_bytes,
                    labels: labels(section),
                    left_out: left_out.collect(),
                    left_out_dropped: section.left_out.len().saturating_sub(LEFT_OUT_MAX) as u64,
                }
            }
        }
    }
}

/// Why a bundle is not whole, in a sentence.
fn cut_note(section: &manifest::DataSection) -> Option<String> {
    let lost = section.left_out.iter().filter(|file| file.reason.is_loss()).count();
    let cut = section.entries.iter().filter(|entry| entry.cut.is_some()).count();
    let limit = section.left_out.iter().find_map(|file| match file.reason {
        Reason::Budget => Some("bundle.max_bytes or archive.max_bytes was reached"),
        Reason::Deadline => Some("the snapshot's deadline came near"),
        Reason::Space => Some("the disk would have fallen below its reserve"),
        _ => None,
    });
    let why = limit.map_or(String::new(), |limit| format!(": {limit}, so the newest segments went first"));
    (lost + cut > 0).then(|| format!("{lost} files are missing and {cut} are cut{why}.{}", explained(section)))
}

/// What was wrong with the first files that could not be read or masked.
fn explained(section: &manifest::DataSection) -> String {
    let wrong = |file: &&manifest::LeftOut| matches!(file.reason, Reason::Redaction | Reason::Unreadable);
    let sentence = |file: &manifest::LeftOut| format!(" {}: {}.", file.path.as_str(), file.detail.as_str());
    section.left_out.iter().filter(wrong).take(EXPLAINED_MAX).map(sentence).collect()
}

fn labels(section: &manifest::DataSection) -> Vec<EntryLabel> {
    let mut labels: Vec<EntryLabel> = Vec::new();
    for entry in &section.entries {
        let label = entry.redaction;
        match labels.iter_mut().find(|known| known.label == label) {
            Some(known) => (known.entries, known.size_bytes) = (known.entries + 1, known.size_bytes + entry.size_bytes),
            None => labels.push(EntryLabel { label, entries: 1, size_bytes: entry.size_bytes }),
        }
    }
    labels.sort_by_key(|known| known.label);
    labels
}
