//! The snapshot itself: observe → judge → redact → render → pack.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::ExamineError;
use super::job::{Job, Origin, Summary};
use super::output::{create, render};
use super::stages::Stages;
use super::{assemble, data, outcome, place, verify};
use crate::bundle::archive::{self, ArchiveSpec};
use crate::bundle::data::DataBundle;
use crate::bundle::manifest::About;
use crate::checks;
use crate::domain::progress::{Progress, Stage};
use crate::domain::snapshot::{CLEAR_TEXT_REFUSED, Redaction, SnapshotOptions};
use crate::evidence::Evidence;
use crate::host::{ContactPeers, Host, IggyRequest, Observation, Request, sys};
use crate::redact::{Carrier, Engine, Learner, Policy, Redacted, UnredactedConsent};
use crate::report::model::{Cost, Document};

/// Kept of the deadline for the end of the process and the parent's own work.
const DEADLINE_MARGIN: Duration = Duration::from_secs(2);

/// Takes the snapshot that a job asks for and writes its archive.
///
/// # Errors
/// There is no archive, or none that may be announced; a file at `job.archive` is then garbage.
pub fn run(job: &Job, progress: &mut dyn FnMut(Progress)) -> Result<Summary, ExamineError> {
    let finish_by = Instant::now() + Duration::from_secs(job.deadline_s).saturating_sub(DEADLINE_MARGIN);
    let mut stages = Stages::start(progress);
    let host = Arc::new(open_host(&job.origin)?);

    stages.begin(Stage::Observing);
    let observation = crate::host::observe(&host, &request(job), &mut |done, total| stages.step(done, total));

    stages.begin(Stage::Judging);
    let findings = checks::judge(&observation.evidence, &job.config.checks, observation.now);
    let consent = UnredactedConsent::given(job.options.redaction, job.config.snapshot.redaction_allowed());
    let redaction = if consent.is_some() { Redaction::Unredacted } else { Redaction::Masked };
    let mut document = assemble::document(job, redaction, &observation, findings);
    document.changes = job.before.changes(&document.checks);
    let mut source = data::Source::find(job, &host, &observation.evidence, finish_by);
    let engine = learn(job, &observation.evidence, &document, &mut source)?;
    let policy = consent.map_or(Policy::Redact(&engine), Policy::Passthrough);

    stages.begin(Stage::Bundling);
    let bundle = source.write(job, &policy, &mut |done, total| stages.step(done, total))?;

    stages.begin(Stage::Rendering);
    let mut document = document.map_text(|text| Redacted::new(text, &policy));
    document.bundle = Some(bundle.for_report(&policy));
    document.redaction = outcome::redaction(redaction, &engine, &policy);
    document.stages = stages.spans();
    document.cost = cost(stages.elapsed_ms());
    document.snapshot.duration_ms = stages.elapsed_ms();
    let (report_html, report_json) = render(&document)?;

    stages.begin(Stage::Packing);
    let about = about(job, &observation, &engine, &policy, redaction);
    let out = create("the archive", &job.archive)?;
    let spec = ArchiveSpec { about: &about, report_html: &report_html, report_json: &report_json, data: bundle.zip() };
    archive::write(&spec, out).map_err(ExamineError::Bundle)?;
    if consent.is_none() {
        verified(&engine, &job.archive, bundle.zip())?;
    }
    record(&job.origin, &host, &engine)?;
    // A snapshot that cannot be remembered is whole all the same; the next one has nothing to compare with, and says why.
    let kept = job.before.keep(&document);
    stages.begin(Stage::Done);
    let mut summary = outcome::summary(&document, redaction, stages.elapsed_ms());
    summary.left_out.extend(kept.err().map(|error| format!("changes: this snapshot cannot be remembered ({error})")));
    Ok(summary)
}

/// What a snapshot would take of the data directory, a line each: nothing is copied, and nothing written.
///
/// # Errors
/// The host cannot be looked at, or the rules of redaction cannot be used.
pub fn dry_run(job: &Job) -> Result<Redacted<String>, ExamineError> {
    let host = Arc::new(open_host(&job.origin)?);
    let observation = crate::host::observe(&host, &Request { window_ms: 0, ..request(job) }, &mut |_, _| ());
    let engine = Engine::unlearned(&job.config.redaction, job.pseudonym_key.clone()).map_err(ExamineError::Rules)?;
    let finish_by = Instant::now() + Duration::from_secs(job.deadline_s);
    let source = data::Source::find(job, &host, &observation.evidence, finish_by);
    Ok(source.dry_run(&Policy::Redact(&engine)))
}

/// Searches the archive for secrets; one that holds any is removed at once.
fn verified(engine: &Engine, archive: &Path, data: Option<&DataBundle>) -> Result<(), ExamineError> {
    verify::archive(engine, archive, data.map(|data| &data.section)).inspect_err(|_| {
        // Whoever started us removes it as well.
        let _ = std::fs::remove_file(archive);
    })
}

fn open_host(origin: &Origin) -> Result<Host, ExamineError> {
    match origin {
        Origin::Live { record: None } => Ok(Host::live()),
        Origin::Live { record: Some(_) } => Ok(Host::live().recording()),
        Origin::Recorded { tree } => Host::recorded(tree).map_err(ExamineError::Host),
    }
}

fn request(job: &Job) -> Request {
    let iggy = job.config.iggy.clone();
    Request {
        window_ms: job.config.snapshot.sampling_ms,
        deadline_s: job.deadline_s,
        iggy: IggyRequest {
            data_dir: iggy.data_dir,
            config_file: iggy.config_file,
            http_url: iggy.http_url.map(String::from),
            credential_file: iggy.credential_file,
        },
        ca_files: job.config.checks.files(&checks::CA_FILES).to_vec(),
        contact_peers: if job.config.snapshot.contact_peers { ContactPeers::Allowed } else { ContactPeers::Never },
    }
}

/// The first pass: everything that may leave is shown to the learner before anything is masked.
fn learn(
    job: &Job,
    evidence: &Evidence,
    document: &Document<String>,
    source: &mut data::Source,
) -> Result<Engine, ExamineError> {
    let mut learner = Learner::new(&job.config.redaction, job.pseudonym_key.clone()).map_err(ExamineError::Rules)?;
    place::teach_words(evidence, &mut learner);
    place::teach_seeds(evidence, &mut learner).map_err(ExamineError::Redaction)?;
    let mut failed = None;
    document.for_each_text(&mut |text: &String| {
        if let Err(error) = learner.learn(Carrier::Text, "report", text.as_bytes()) {
            failed.get_or_insert(error);
        }
    });
    source.learn(&mut learner);
    if let Some(error) = failed {
        return Err(ExamineError::Redaction(error));
    }
    let engine = learner.finish();
    engine.self_test().map_err(ExamineError::Redaction)?;
    Ok(engine)
}

fn about(job: &Job, observation: &Observation, engine: &Engine, policy: &Policy<'_>, redaction: Redaction) -> About {
    let refused = job.options.redaction != redaction;
    About {
        name: job.label.name.clone(),
        node_name: Redacted::new(job.label.node_name.clone(), policy),
        deployment_name: Redacted::new(job.label.deployment_name.clone(), policy),
        node_id: job.label.node_id.map(|id| id.to_string()),
        deployment_id: job.label.deployment_id.map(|id| id.to_string()),
        created_at: observation.now,
        options: SnapshotOptions { redaction, ..job.options },
        ruleset: engine.summary().ruleset,
        left_out: refused.then(|| Redacted::new(CLEAR_TEXT_REFUSED.to_owned(), policy)).into_iter().collect(),
    }
}

fn record(origin: &Origin, host: &Host, engine: &Engine) -> Result<(), ExamineError> {
    let Origin::Live { record: Some(tree) } = origin else { return Ok(()) };
    let mask = |path: &str, bytes: &[u8]| engine.bytes(Carrier::of_path(path), path, bytes).ok();
    host.write_recording(tree, &mask).map_err(ExamineError::Host)
}

/// What the snapshot has cost so far: this process and the probes that it has waited for.
fn cost(wall_ms: u64) -> Cost {
    let (own, probes) = (sys::own_usage().unwrap_or_default(), sys::children_usage().unwrap_or_default());
    let cpu_us = own.user_us + own.system_us + probes.user_us + probes.system_us;
    let (read_bytes, written_bytes) = block_io().unwrap_or_default();
    Cost { wall_ms, cpu_ms: cpu_us / 1000, memory_peak_bytes: own.resident_max_bytes, read_bytes, written_bytes }
}

/// Bytes that this process has read from and written to block devices.
fn block_io() -> io::Result<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/self/io")?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    Ok((value("read_bytes"), value("write_bytes")))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::config::Config;
    use crate::examine::{Before, SnapshotLabel, write_minimal};
    use crate::redact::{PseudonymKey, Settings};

    fn job(folder: &Path) -> Job {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/iggy-0.8.0-clean");
        let mut config = Config::default();
        config.iggy.data_dir = Some(data);
        config.snapshot.sampling_ms = 0;
        Job {
            label: SnapshotLabel::local("snapshot-20260601-103000".to_owned(), "n1".to_owned()),
            options: SnapshotOptions::default(),
            origin: Origin::Live { record: None },
            archive: folder.join("archive.zip"),
            deadline_s: 60,
            archive_bytes_max: 0,
            reserve_bytes: 0,
            before: Before::Nothing,
            config,
            parent_pid: 0,
            pseudonym_key: PseudonymKey::generate().unwrap(),
        }
    }

    fn names(archive: &Path) -> Vec<String> {
        let zip = zip::ZipArchive::new(File::open(archive).unwrap()).unwrap();
        zip.file_names().map(|name| name.unwrap().into_owned()).collect()
    }

    #[test]
    fn a_snapshot_of_this_machine_is_an_archive_with_a_report_and_the_data() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        let mut stages = Vec::new();
        let summary = run(&job, &mut |progress| stages.push(progress.stage)).unwrap();
        assert!(summary.counts.total() > 0);
        assert_eq!(names(&job.archive), ["report.html", "report.json", "iggy-data.zip", "manifest.json"]);
        assert!(stages.is_sorted() && stages.last() == Some(&Stage::Done), "{stages:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the archive is left");
    }

    #[test]
    fn an_archive_that_holds_a_secret_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        run(&job, &mut |_| {}).unwrap();
        // An engine that knows a word of this report stands for one that let a secret through.
        let mut learner = Learner::new(&Settings::default(), job.pseudonym_key.clone()).unwrap();
        learner.learn_secret(job.label.name.as_bytes(), crate::redact::Class::Password);
        let refused = verified(&learner.finish(), &job.archive, None).unwrap_err();
        assert!(matches!(refused, ExamineError::Leak { .. }), "{refused}");
        assert!(!job.archive.exists());
    }

    #[test]
    fn a_node_that_gives_no_clear_text_says_so_and_marks_the_archive_as_masked() {
        let folder = tempfile::tempdir().unwrap();
        let mut job = job(folder.path());
        job.options.redaction = Redaction::Unredacted;
        job.config.snapshot.allow_unredacted = false;
        let summary = run(&job, &mut |_| {}).unwrap();
        assert_eq!(summary.left_out[0], CLEAR_TEXT_REFUSED);
        let zip = zip::ZipArchive::new(File::open(&job.archive).unwrap()).unwrap();
        let comment = String::from_utf8_lossy(zip.comment()).into_owned();
        assert!(comment.contains(" redact_secrets=true "), "{comment}");
        let report: Document<String> = {
            let mut zip = zip;
            serde_json::from_reader(zip.by_name("report.json").unwrap()).unwrap()
        };
        assert!(report.clear_text_refused());
    }

    #[test]
    fn a_node_that_failed_has_an_archive_that_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive.zip");
        let label = job(folder.path()).label;
        let summary = write_minimal(&label, SnapshotOptions::default(), "It did not answer.", &archive).unwrap();
        assert_eq!(summary.left_out, ["It did not answer."]);
        assert_eq!(names(&archive), ["report.html", "report.json", "manifest.json"]);
    }
}
