//! The child process: our own binary again, and its limits.
//!
//! The job goes in by standard input, lines of JSON come out by standard output. The parent never waits without a
//! deadline: a child that does not end is killed with its group, and one that cannot be killed is left behind.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

pub use super::cancel::Cancel;
use super::{Job, Summary};
use crate::domain::causes::chain;
use crate::domain::progress::Progress;
use crate::host::sys;
use crate::redact::Engine;

/// The hidden first argument under which our binary is this child.
pub const ARGUMENT: &str = "__examine";
/// Bytes of one line of the child's answer at most.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Lines of the answer that wait to be looked at.
const LINES_WAITING_MAX: usize = 64;
/// Bytes of a job at most.
const JOB_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of the child's complaints that are kept.
const COMPLAINT_BYTES_MAX: u64 = 4 * 1024;
/// How often a cancel is looked for.
const CANCEL_POLL: Duration = Duration::from_millis(50);
/// How long a child may take to end by itself once it has answered, after SIGTERM, and again after SIGKILL.
const END_MAX: Duration = Duration::from_millis(500);
/// How long after its deadline a child is over, or left behind: SIGTERM and SIGKILL have half of it each.
pub const ENDING_MAX: Duration = Duration::from_secs(1);

/// The exit code of a child that was given no job.
const EXIT_NO_JOB: u8 = 2;

/// One line of the child's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Progress(Progress),
    Done(Summary),
    Failed(String),
}

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The child could not be started.
    #[error("the examining process could not be started")]
    Start(#[source] io::Error),
    /// It was cancelled.
    #[error("the snapshot of this node was cancelled")]
    Cancelled,
    /// It met its deadline.
    #[error("the snapshot of this node was not over after {deadline_s} s")]
    Deadline {
        /// The deadline that it met.
        deadline_s: u64,
    },
    /// It said why it failed; redacted text.
    #[error("{0}")]
    Failed(String),
    /// It ended without an answer.
    #[error("the examining process ended without an answer ({0})")]
    Died(String),
}

/// Runs a job in a child process and waits for it, at most `job.deadline_s` and [`ENDING_MAX`]. Blocks: call it from a
/// thread of its own. The archive at `job.archive` may be there half-written after an error; the caller removes it.
///
/// # Errors
/// No archive was announced: see [`ChildError`].
pub fn run(job: &Job, cancel: &Cancel, progress: &mut dyn FnMut(Progress)) -> Result<Summary, ChildError> {
    let deadline = Instant::now() + Duration::from_secs(job.deadline_s);
    let mut child = start(job).map_err(ChildError::Start)?;
    let lines = read_lines(&mut child);
    let complaints = read_complaints(&mut child);
    let outcome = follow(&lines, deadline, job.deadline_s, cancel, progress);
    let status = end(&mut child, &outcome);
    match outcome {
        Err(ChildError::Died(_)) => Err(ChildError::Died(describe(status, &complaints))),
        outcome => outcome,
    }
}

fn start(job: &Job) -> io::Result<Child> {
    let mut child = Command::new(binary())
        .arg(ARGUMENT)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let job = Job { parent_pid: std::process::id(), ..job.clone() };
    let text = zeroize::Zeroizing::new(serde_json::to_vec(&job).map_err(io::Error::from)?);
    // The child reads all of it before it does anything; a child that died gives an error that `follow` explains.
    let _ = stdin.write_all(&text);
    Ok(child)
}

/// Our own binary; the link works after an upgrade replaced the file, too.
fn binary() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

fn read_lines(child: &mut Child) -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::sync_channel(LINES_WAITING_MAX);
    let stdout = child.stdout.take().expect("it was asked for");
    // A thread that cannot be started drops the sender: the child then counts as died.
    let _ = thread::Builder::new().name("examine-lines".into()).spawn(move || forward_lines(stdout, &sender));
    receiver
}

fn forward_lines(stdout: ChildStdout, sender: &mpsc::SyncSender<Line>) {
    let mut reader = BufReader::new(stdout);
    loop {
        let mut text = String::new();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut text);
        if !matches!(read, Ok(length) if length > 0) {
            return;
        }
        let Ok(line) = serde_json::from_str(&text) else { return };
        if sender.send(line).is_err() {
            return;
        }
    }
}

fn read_complaints(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let stderr = child.stderr.take().expect("it was asked for");
    let _ = thread::Builder::new().name("examine-complaints".into()).spawn(move || {
        let mut text = Vec::new();
        let mut stderr = stderr;
        let _ = stderr.by_ref().take(COMPLAINT_BYTES_MAX).read_to_end(&mut text);
        let _ = sender.send(String::from_utf8_lossy(&text).into_owned());
        // What is beyond the cap is read and dropped, so that the child never blocks on it.
        let _ = io::copy(&mut stderr, &mut io::sink());
    });
    receiver
}

fn follow(
    lines: &mpsc::Receiver<Line>,
    deadline: Instant,
    deadline_s: u64,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, ChildError> {
    loop {
        if cancel.is_cancelled() {
            return Err(ChildError::Cancelled);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ChildError::Deadline { deadline_s });
        }
        match lines.recv_timeout(left.min(CANCEL_POLL)) {
            Ok(Line::Progress(now)) => progress(now),
            Ok(Line::Done(summary)) => return Ok(summary),
            Ok(Line::Failed(reason)) => return Err(ChildError::Failed(reason)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(ChildError::Died(String::new())),
        }
    }
}

/// Ends the child and its group: one that has answered ends by itself; then it is asked, then killed, then left behind.
fn end(child: &mut Child, outcome: &Result<Summary, ChildError>) -> Option<ExitStatus> {
    let goes_on = matches!(outcome, Err(ChildError::Cancelled | ChildError::Deadline { .. }));
    if !goes_on && let Some(status) = wait(child, END_MAX) {
        return Some(status);
    }
    for signal in [Signal::TERM, Signal::KILL] {
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended just now.
            let _ = rustix::process::kill_process_group(group, signal);
        }
        if let Some(status) = wait(child, END_MAX) {
            return Some(status);
        }
    }
    None
}

fn wait(child: &mut Child, at_most: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + at_most;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= until {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn describe(status: Option<ExitStatus>, complaints: &mpsc::Receiver<String>) -> String {
    let how = match status {
        None => "it could not be ended".to_owned(),
        Some(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "no status".to_owned(),
        },
    };
    // Only the first line, and only of our own panics and limits: free text of the host never goes there.
    let complaint = complaints.recv_timeout(END_MAX).unwrap_or_default();
    match complaint.lines().find(|line| line.starts_with("memory allocation")) {
        Some(line) => format!("{how}: {line}; `snapshot.memory_max_bytes` may be too low"),
        None => how,
    }
}

/// The child itself: reads the job from standard input, works, answers on standard output.
#[must_use]
pub fn main() -> ExitCode {
    let Ok(job) = read_job() else { return ExitCode::from(EXIT_NO_JOB) };
    if let Err(error) = confine(&job) {
        answer(&Line::Failed(format!("the examining process could not be confined: {error}")));
        return ExitCode::FAILURE;
    }
    let line = match super::run(&job, &mut |progress| answer(&Line::Progress(progress))) {
        Ok(summary) => Line::Done(summary),
        Err(error) => Line::Failed(masked(&job, &chain(&error))),
    };
    answer(&line);
    ExitCode::SUCCESS
}

/// A reason as it may leave the node: an error may quote what it met.
fn masked(job: &Job, reason: &str) -> String {
    Engine::unlearned(&job.config.redaction, job.pseudonym_key.clone())
        .map_or_else(|_| "the rules of redaction cannot be used".to_owned(), |engine| engine.text(reason))
}

fn read_job() -> io::Result<Job> {
    let mut text = zeroize::Zeroizing::new(Vec::new());
    io::stdin().take(JOB_BYTES_MAX).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::from)
}

/// Low priority, limited memory, no core dumps, and an end with the parent. Priority is best effort: a container may
/// refuse it, and a snapshot at normal priority is better than none.
fn confine(job: &Job) -> io::Result<()> {
    let _ = sys::lower_priority();
    sys::no_core_dumps()?;
    sys::limit_memory(job.config.snapshot.memory_max_bytes)?;
    sys::die_with_parent(job.parent_pid)
}

/// Writes a line of the answer. A parent that is gone takes this process with it.
fn answer(line: &Line) {
    let mut text = serde_json::to_vec(line).expect("a line has only string keys");
    text.push(b'\n');
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(&text).and_then(|()| stdout.flush());
}
