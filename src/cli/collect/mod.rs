//! `snapvisor collect`: a snapshot of this host, or of a recorded one, without any server.
//!
//! It runs the very code that the appliance runs, in the same kind of child process. The archive appears under its name
//! only when it is whole; a cancel (Ctrl-C, SIGTERM) ends the child and leaves nothing.

mod findings;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use clap::ValueEnum;

use super::progress::Stages;
use super::settings::Overrides;
use super::{CliError, Exit, output, place, report};
use crate::archive::read_report_json;
use crate::config::Config;
use crate::domain::snapshot::{self, IggyData, Redaction, SnapshotOptions};
use crate::domain::verdict::VerdictCounts;
use crate::durable;
use crate::examine::child::{self, Cancel, ChildError};
use crate::examine::{Before, Job, Origin, SnapshotLabel, Summary, dry_run, write_minimal};
use crate::host::Host;
use crate::orchestrator::{Clock as _, SystemClock};
use crate::redact::PseudonymKey;
use crate::report::diff::Previous;
use crate::report::model::Document;

/// Characters of a host's name that are kept: as many as the kernel allows.
const HOST_NAME_CHARS_MAX: usize = 64;

/// Take a snapshot of this host without any server: write the archive, print the findings.
///
/// As root it sees everything. As another user it works, too, and says what it could not see and what would let it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor collect                                    into the working directory
  snapvisor collect --include-iggy false               the report alone, in a second or two
  snapvisor collect --dry-run                          which files of Iggy's would go into the archive
  snapvisor collect --output /var/tmp/node.zip --fail-on fail
  snapvisor collect --format json | jq '.checks[] | select(.verdict == \"fail\")'
  snapvisor collect --previous yesterday.zip           and tell what changed since
  snapvisor collect --record /var/tmp/tree             and later, elsewhere: --root /var/tmp/tree")]
pub(super) struct Collect {
    /// The archive to write, or the directory to write it into. A file of that name is replaced.
    #[arg(long, default_value = ".", value_name = "FILE|DIR")]
    output: PathBuf,
    /// Mask passwords, keys and tokens.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    redact_secrets: bool,
    /// Bundle Iggy's data directory.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    include_iggy: bool,
    /// Iggy's data directory, where it is not to be searched for.
    #[arg(long, value_name = "DIR")]
    iggy_data_dir: Option<PathBuf>,
    /// Read this recorded tree instead of / and ask nothing of the live kernel.
    #[arg(long, value_name = "DIR", conflicts_with = "record")]
    root: Option<PathBuf>,
    /// Write what was read, redacted, as a tree for --root: into a directory that is new or empty.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Compare with the report of this archive: what is new, worse or resolved stands on top.
    #[arg(long, value_name = "ARCHIVE")]
    previous: Option<PathBuf>,
    /// Print which files of Iggy's data directory would be bundled, in which order; take no snapshot, write nothing.
    #[arg(long, conflicts_with_all = ["record", "previous", "fail_on", "format"])]
    dry_run: bool,
    /// What is printed: a table for people, or report.json.
    #[arg(long, value_enum, default_value_t = Form::Text, value_name = "FORMAT")]
    format: Form,
    /// Exit with 1 if any check came out this bad, or worse.
    #[arg(long, value_enum, value_name = "VERDICT")]
    fail_on: Option<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A table of the findings.
    Text,
    /// report.json.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A look is needed, or something is broken.
    Warn,
    /// Something is broken.
    Fail,
}

impl FailOn {
    const fn met_by(self, counts: &VerdictCounts) -> bool {
        match self {
            Self::Warn => counts.fail + counts.warn > 0,
            Self::Fail => counts.fail > 0,
        }
    }
}

impl Collect {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let overrides =
            Overrides::default().with_path("--iggy-data-dir", "iggy.data_dir", self.iggy_data_dir.as_deref())?;
        let config = overrides.load(file)?.config;
        self.refuse_places(&config)?;
        let job = self.job(config)?;
        if self.dry_run {
            let plan = dry_run(&job).map_err(CliError::DryRun)?;
            write!(out, "{plan}")?;
            return Ok(Exit::Done);
        }
        let (outcome, summary) = examine(&job)?;
        let target = absolute(&self.target(&job, summary.redaction))?;
        appear(&job.archive, &target)?;
        self.print(out, &target, &job, &summary)?;
        if outcome == Taken::Failed {
            return Ok(Exit::Failed);
        }
        let met = self.fail_on.is_some_and(|fail_on| fail_on.met_by(&summary.counts));
        Ok(if met { Exit::Findings } else { Exit::Done })
    }

    /// Before anything is looked at: may we write where we are told to?
    fn refuse_places(&self, config: &Config) -> Result<(), CliError> {
        if self.output.as_os_str() == "-" {
            return Err(CliError::Usage(
                "--output: an archive is written into a file, not to standard output".to_owned(),
            ));
        }
        let directory = self.directory();
        if !directory.is_dir() {
            return Err(CliError::Usage(format!("--output: there is no directory {}", directory.display())));
        }
        place::refuse_in_iggy(&directory, config)?;
        if !self.output.is_dir() {
            place::refuse_special(&self.output)?;
        }
        if let Some(tree) = self.root.as_ref().filter(|tree| !tree.is_dir()) {
            return Err(CliError::Usage(format!("--root: there is no directory {}", tree.display())));
        }
        if let Some(tree) = &self.record {
            place::refuse_in_iggy(tree, config)?;
            place::refuse_occupied(tree, &[], "is not empty: --record needs a new or empty directory")?;
        }
        Ok(())
    }

    fn job(&self, config: Config) -> Result<Job, CliError> {
        let label = SnapshotLabel::local(snapshot::name(SystemClock.now(), 1), self.node_name());
        let options = SnapshotOptions {
            redaction: if self.redact_secrets { Redaction::Masked } else { Redaction::Unredacted },
            iggy_data: if self.include_iggy { IggyData::Included } else { IggyData::Excluded },
        };
        let origin = match &self.root {
            Some(tree) => Origin::Recorded { tree: absolute(tree)? },
            None => Origin::Live { record: self.record.as_deref().map(absolute).transpose()? },
        };
        let directory = absolute(&self.directory())?;
        let space = rustix::fs::statvfs(&directory).map_err(|errno| written(&directory, errno.into()))?;
        let pseudonym_key = PseudonymKey::generate().map_err(|error| CliError::Random(Box::new(error)))?;
        Ok(Job {
            archive: directory.join(format!(".{}-{}.zip.partial", label.name, std::process::id())),
            label,
            options,
            origin,
            deadline_s: config.snapshot.deadline_s,
            archive_bytes_max: 0,
            before: self.before()?,
            reserve_bytes: config.archive.reserve(space.f_blocks.saturating_mul(space.f_frsize)),
            config,
            parent_pid: 0,
            pseudonym_key,
        })
    }

    /// The snapshot to compare with. Nothing is remembered from one run to the next: what this command leaves behind is
    /// the archive that it names, and nothing else.
    fn before(&self) -> Result<Before, CliError> {
        let Some(path) = &self.previous else { return Ok(Before::Nothing) };
        Ok(Before::Given(Previous::of(&report::read(path)?)))
    }

    /// The host's own name, made fit for a file's name.
    fn node_name(&self) -> String {
        let name = match &self.root {
            // Somebody else's tree: read as the rest of it is, a regular file within the tree and not much of it. What
            // is wrong with the tree is said when it is looked at.
            Some(tree) => {
                let host = Host::recorded(tree).ok();
                host.and_then(|host| host.text("/proc/sys/kernel/hostname").ok()).unwrap_or_default()
            }
            None => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        let name: String =
            name.trim().chars().take(HOST_NAME_CHARS_MAX).map(|c| if legal(c) { c } else { '-' }).collect();
        if name.trim_matches('.').is_empty() { "host".to_owned() } else { name }
    }

    /// The directory that the archive goes into.
    fn directory(&self) -> PathBuf {
        if self.output.is_dir() {
            return self.output.clone();
        }
        // A closing slash asks for a directory, and that is not there.
        if self.output.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return self.output.clone();
        }
        let parent = self.output.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    }

    /// The archive's own name. It is loud where secrets stand in it.
    fn target(&self, job: &Job, redaction: Redaction) -> PathBuf {
        if !self.output.is_dir() {
            return self.output.clone();
        }
        let mark = if redaction == Redaction::Unredacted { "-UNREDACTED" } else { "" };
        self.output.join(format!("{}-{}{mark}.zip", job.label.name, job.label.node_name))
    }

    fn print(&self, out: &mut dyn Write, archive: &Path, job: &Job, summary: &Summary) -> Result<(), CliError> {
        let report = read_report_json(archive)?;
        if self.format == Form::Json {
            out.write_all(&report.json)?;
            return Ok(());
        }
        let wrong = |error| CliError::Report { path: archive.to_owned(), source: error };
        let document: Document<String> = serde_json::from_slice(&report.json).map_err(wrong)?;
        let colours = output::wants_colours(&std::io::stdout());
        let paint = if colours { findings::Paint::Colours } else { findings::Paint::Plain };
        findings::print(out, &document, findings::Screen { paint, columns: output::columns() })?;
        findings::print_archive(out, archive, &document, summary)?;
        if let Some(tree) = self.record.as_ref().filter(|tree| tree.is_dir()) {
            let data_dir = job.config.iggy.data_dir.as_ref();
            let data_dir = data_dir.map_or_else(String::new, |dir| format!(" --iggy-data-dir {}", dir.display()));
            writeln!(out, "recorded; play it back with: snapvisor collect --root {}{data_dir}", tree.display())?;
        }
        Ok(())
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// A snapshot.
    Whole,
    /// A report that says why there is none.
    Failed,
}

/// Runs the job in its child, with progress for a person, until it ends or is cancelled. A part of an archive is removed;
/// where the examination itself failed, a report that says why takes its place.
fn examine(job: &Job) -> Result<(Taken, Summary), CliError> {
    let cancel = Cancel::default();
    cancel_on_signal(&cancel);
    let stages = Stages::new();
    let outcome = child::run(job, &cancel, &mut |progress| stages.at(&progress));
    drop(stages);
    let error = match outcome {
        Ok(summary) => return Ok((Taken::Whole, summary)),
        Err(error) => error,
    };
    // It may not be there yet; what matters is said by the error.
    let _ = fs::remove_file(&job.archive);
    if let ChildError::Failed(reason) = &error
        && let Ok(summary) = write_minimal(&job.label, job.options, &format!("{reason}."), &job.archive)
    {
        return Ok((Taken::Failed, summary));
    }
    let directory = job.archive.parent().unwrap_or(Path::new("/")).to_owned();
    Err(CliError::Examine { directory, source: error })
}

/// From here on Ctrl-C and SIGTERM end the child first, so that nothing stays behind. Where that cannot be had, a signal
/// ends us at once, and the child notices by itself.
fn cancel_on_signal(cancel: &Cancel) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let signals = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    };
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return };
    let cancel = cancel.clone();
    let waiting = move || {
        runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        });
        cancel.cancel();
    };
    // Without this thread the signals are handled and not heeded: only SIGKILL would end us.
    thread::Builder::new()
        .name("signals".into())
        .spawn(waiting)
        .expect("a process that just started has room for a thread");
}

/// The child has synced it.
fn appear(partial: &Path, target: &Path) -> Result<(), CliError> {
    fs::rename(partial, target).and_then(|()| durable::sync_directory(target)).map_err(|source| {
        let _ = fs::remove_file(partial);
        written(target, source)
    })
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|source| written(path, source))
}

fn written(path: &Path, source: std::io::Error) -> CliError {
    CliError::File { what: "written", path: path.to_owned(), source }
}
