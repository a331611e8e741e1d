//! Asking file systems for their space from a child process: one thread a mount, answers over a pipe, one deadline.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::mounts::{Mount, MountClass, Space};
use crate::host::sys;

/// The hidden first argument that makes this binary the child.
pub const ARGUMENT: &str = "__probe-mounts";
/// How long file systems are waited for.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(1);
/// How much longer it is waited while what is missing waits for a processor and not for a file system: on a host whose
/// processors are all taken, many seconds may pass before anybody was asked.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);
/// How often it is looked whether it does.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What the child says before it asks anybody: without it, the program was not ours.
const GREETING: &str = "snapvisor mounts 1";
/// Bytes of the child's input: 512 mount points of `PATH_MAX`.
const INPUT_BYTES_MAX: u64 = 512 * 4097;
/// Bytes of one answer.
const LINE_BYTES_MAX: u64 = 8 * 1024;
/// Stack of one asking thread: it makes one system call.
const STACK_BYTES: usize = 64 * 1024;

/// What came of asking one file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Space(Space),
    Refused(i32),
    Silent,
    NotAsked,
}

impl From<Answer> for Observed<Space> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Space(space) => Ok(space),
            Answer::Silent => Err(Gap::timeout(format!("it did not answer within {} s", WAIT_MAX.as_secs()))),
            Answer::NotAsked => {
                Err(Gap::broken("no process to ask it from could be started, or none got to it in time"))
            }
            Answer::Refused(errno) if errno == Errno::ACCESS.raw_os_error() => {
                Err(Gap::denied("its mount point may not be entered", "CAP_DAC_READ_SEARCH, or run as root"))
            }
            Answer::Refused(errno) => Err(Gap::broken(io::Error::from_raw_os_error(errno).to_string())),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    at: usize,
    answer: Answer,
}

/// Asks each mount, by this program started again.
pub(super) fn ask(mounts: &[Mount]) -> Vec<(String, Answer)> {
    ask_by(Path::new("/proc/self/exe"), mounts, WAIT_MAX, PATIENCE)
}

/// Asks each mount by `program`; whoever has not answered when `wait` is over is silent. What waits for a processor is
/// waited for as long again as `patience`.
pub(super) fn ask_by(program: &Path, mounts: &[Mount], wait: Duration, patience: Duration) -> Vec<(String, Answer)> {
    let named = |answers: Vec<Answer>| mounts.iter().map(|mount| mount.point.clone()).zip(answers).collect();
    let deadline = Instant::now() + wait;
    match start(program, mounts).and_then(|mut child| {
        let answers = answers(&mut child, mounts.len(), deadline, patience);
        end(child);
        answers
    }) {
        Ok(answers) => named(answers),
        Err(_) => named(mounts.iter().map(in_this_process).collect()),
    }
}

/// Without a child, only file systems that stand on our own devices and memory are asked.
fn in_this_process(mount: &Mount) -> Answer {
    match mount.class() {
        MountClass::Local | MountClass::Memory => statvfs(&mount.point),
        MountClass::Pseudo | MountClass::Remote => Answer::NotAsked,
    }
}

fn start(program: &Path, mounts: &[Mount]) -> io::Result<Child> {
    let mut child = Command::new(program)
        .arg(ARGUMENT)
        .arg(std::process::id().to_string())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().expect("its input is a pipe");
    let mut points = Vec::new();
    for mount in mounts {
        points.extend_from_slice(mount.point.as_bytes());
        points.push(0);
    }
    // A thread of its own: a child that does not read must not hold us, and the pipe may be smaller than the list.
    std::thread::Builder::new().name("mounts-input".to_owned()).spawn(move || drop(input.write_all(&points)))?;
    Ok(child)
}

/// The answers that come until the deadline. An error: what was started does not speak as we do.
fn answers(child: &mut Child, count: usize, deadline: Instant, patience: Duration) -> io::Result<Vec<Answer>> {
    let mut output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let (sender, receiver) = mpsc::channel();
    // Left behind when the child cannot even be killed; it holds nothing that others wait for.
    std::thread::Builder::new().name("mounts-output".to_owned()).spawn(move || {
        loop {
            let mut line = String::new();
            match output.by_ref().take(LINE_BYTES_MAX).read_line(&mut line) {
                Ok(length) if length > 0 && sender.send(line).is_ok() => {}
                _ => break,
            }
        }
    })?;
    let mut until = deadline;
    // The next line; nothing once it is too late, or the child is gone.
    let mut next = |missing: &[usize]| loop {
        match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => return Some(line),
            Err(mpsc::RecvTimeoutError::Timeout)
                if until < deadline + patience && waits_for_a_processor(child.id(), missing.iter().copied()) =>
            {
                until += LOOK_EVERY;
            }
            Err(_) => return None,
        }
    };
    if next(&[0]).is_none_or(|greeting| greeting.trim_end() != GREETING) {
        return Err(io::Error::other("the child is not ours"));
    }
    let mut answers: Vec<Option<Answer>> = vec![None; count];
    loop {
        let missing: Vec<usize> = (0..count).filter(|&at| answers[at].is_none()).collect();
        if missing.is_empty() {
            break;
        }
        let Some(line) = next(&missing) else { break };
        let Ok(line) = serde_json::from_str::<Line>(&line) else { continue };
        if let Some(slot) = answers.get_mut(line.at) {
            *slot = Some(line.answer);
        }
    }
    let silent = |at: usize| {
        if waits_for_a_processor(child.id(), std::iter::once(at)) { Answer::NotAsked } else { Answer::Silent }
    };
    Ok(answers.into_iter().enumerate().map(|(at, answer)| answer.unwrap_or_else(|| silent(at))).collect())
}

/// The name of the thread that asks the mount at this place.
fn thread_name(at: usize) -> String {
    format!("mount-{at}")
}

/// Whether a thread that asks one of these mounts could run, and does not get to; before it is there, the child's first
/// thread speaks for it. A thread that a file system holds sleeps.
fn waits_for_a_processor(pid: u32, mut mounts: impl Iterator<Item = usize>) -> bool {
    let states = thread_states(pid);
    let first = states.iter().find(|(tid, ..)| *tid == pid).map(|(.., state)| *state);
    mounts.any(|at| {
        let own = states.iter().find(|(_, name, _)| *name == thread_name(at)).map(|(.., state)| *state);
        own.or(first) == Some('R')
    })
}

/// Id, name and state of each thread of a process.
fn thread_states(pid: u32) -> Vec<(u32, String, char)> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let one = |folder: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(folder.path().join("stat")).ok()?;
        // The name may hold anything but ends at the last bracket.
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let tid = folder.file_name().to_str()?.parse().ok()?;
        Some((tid, name.to_owned(), rest.trim_start().chars().next()?))
    };
    threads.flatten().filter_map(one).collect()
}

/// Kills the child and reaps it if it dies at once; one that waits for a disk is left to init.
fn end(mut child: Child) {
    /// How often and how long it is looked after.
    const LOOKS: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(1);
    let _ = child.kill();
    for _ in 0..LOOKS {
        if !matches!(child.try_wait(), Ok(None)) {
            break;
        }
        std::thread::sleep(PAUSE);
    }
}

fn statvfs(point: &str) -> Answer {
    match rustix::fs::statvfs(point) {
        Ok(stat) => Answer::Space(Space {
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            available_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            inodes: stat.f_files,
            inodes_available: stat.f_favail,
        }),
        Err(errno) => Answer::Refused(errno.raw_os_error()),
    }
}

/// The child, started with [`ARGUMENT`] and its parent's id: reads mount points ended by NUL, asks each in a thread of its own, and writes a line for each that answers.
///
/// It ends when all have answered; otherwise its parent kills it.
#[must_use]
pub fn probe_mounts_main() -> ExitCode {
    let parent = std::env::args_os().nth(2).and_then(|pid| pid.to_str()?.parse().ok());
    if parent.is_none_or(|pid| sys::die_with_parent(pid).is_err()) {
        return ExitCode::FAILURE;
    }
    let mut input = Vec::new();
    if io::stdin().take(INPUT_BYTES_MAX).read_to_end(&mut input).is_err() || say(GREETING).is_err() {
        return ExitCode::FAILURE;
    }
    let text = String::from_utf8_lossy(&input).into_owned();
    let threads: Vec<_> = text
        .split_terminator('\0')
        .map(str::to_owned)
        .enumerate()
        .filter_map(|(at, point)| {
            let asking = move || {
                let line =
                    serde_json::to_string(&Line { at, answer: statvfs(&point) }).expect("a line has only string keys");
                // The parent is gone, or waits no more.
                let _ = say(&line);
            };
            std::thread::Builder::new().name(thread_name(at)).stack_size(STACK_BYTES).spawn(asking).ok()
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
    ExitCode::SUCCESS
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
