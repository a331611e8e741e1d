//! The newest lines of Iggy's runtimes and of this appliance: from log files, rotated ones included, else from the journal.

use std::time::Duration;

use super::collector::{Collect, Collector, Stage};
use super::journal::{self, LineLimits, More};
use super::root::Host;
use super::scene::Scene;
use super::{FileKind, Truncated};
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::{IGGY_PLACE, IGGY_PROCESS, IGGY_PROCESSES, IggyPlace, Program};
use crate::evidence::logs::{Older, RUNTIME_LOGS, RuntimeLog};
use crate::evidence::units::{IGGY_UNITS, UnitFile};

pub(super) const COLLECTORS: &[&dyn Collect] =
    &[&Collector::new(RUNTIME_LOGS, Stage::Questions, runtime_logs).within(LOGS_LIMIT)];

/// Reading three runtimes' lines, of which two may be in the journal.
const LOGS_LIMIT: Duration = Duration::from_secs(5);
/// Lines kept of one runtime (the hosted service's own number).
const LINES_MAX: usize = 2_000;
/// Bytes read of one runtime's logs.
const BYTES_MAX: usize = 1024 * 1024;
/// Bytes kept of one line.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Files looked at, the newest.
const FILES_MAX: usize = 16;

/// The unit of this appliance, as `snapvisor install` writes it.
const OWN_UNIT: &str = "snapvisor.service";

fn runtime_logs(scene: &Scene) -> Observed<Vec<RuntimeLog>> {
    let mut logs = Vec::new();
    match (server(scene), unit(scene, Program::Connectors)) {
        // Neither is known here: there is nothing to read, and no runtime that should have written.
        (Err(gap), None) if scene.evidence.read(IGGY_PLACE).is_err() => return Err(gap),
        (server, connectors) => {
            logs.push(server.unwrap_or_else(|gap| unread(Program::Server.name(), gap)));
            logs.extend(connectors.map(|unit| {
                let name = Program::Connectors.name();
                from_journal(scene, name, &unit).unwrap_or_else(|gap| unread(name, gap))
            }));
        }
    }
    // This appliance may as well run without a unit; then it has no log of its own to show.
    logs.extend(from_journal(scene, "snapvisor", OWN_UNIT).ok());
    Ok(logs)
}

fn unread(runtime: &str, gap: Gap) -> RuntimeLog {
    RuntimeLog { runtime: runtime.to_owned(), unread: Some(gap), ..RuntimeLog::default() }
}

/// The server's own files; without any, what its unit wrote to the journal.
fn server(scene: &Scene) -> Observed<RuntimeLog> {
    let name = Program::Server.name();
    let folder = scene.evidence.read(IGGY_PLACE).and_then(|place| folder(scene, place));
    let from_files = folder.and_then(|folder| newest(&scene.host, name, &folder, "iggy-server.log"));
    match (from_files, unit(scene, Program::Server)) {
        (Ok(log), _) => Ok(log),
        (Err(_), Some(unit)) => from_journal(scene, name, &unit),
        (Err(gap), None) => Err(gap),
    }
}

/// Where the configuration puts the log: below the data directory, or anywhere else.
fn folder(scene: &Scene, place: &IggyPlace) -> Observed<String> {
    // A data directory that is not believed names no folders either.
    let default = place.below("logs")?;
    let config = scene.evidence.read(IGGY_CONFIG).ok();
    let named = config.and_then(|config| config.server.logging.path.as_ref()?.to_str());
    match (named, scene.evidence.read(IGGY_PROCESS)) {
        (None | Some(""), _) => Ok(default),
        (Some(path), Ok(process)) if path.starts_with('/') => Ok(process.seen(path)),
        (Some(path), Err(_)) if path.starts_with('/') => Ok(path.to_owned()),
        (Some(path), _) => place.below(path),
    }
}

/// The unit under which this program runs or would run.
fn unit(scene: &Scene, program: Program) -> Option<String> {
    let processes = scene.evidence.read(IGGY_PROCESSES).map_or(&[][..], Vec::as_slice);
    let running = processes.iter().filter(|process| process.program == program).find_map(|process| {
        let last = process.figures.cgroup.as_deref()?.rsplit('/').next()?;
        last.strip_suffix(".service").map(|_| last.to_owned())
    });
    running.or_else(|| {
        let units = scene.evidence.read(IGGY_UNITS).map_or(&[][..], Vec::as_slice);
        let starts = |unit: &&UnitFile| unit.program.as_deref().is_some_and(|path| path.ends_with(program.name()));
        units.iter().find(starts).map(|unit| unit.name.clone())
    })
}

/// What this unit wrote to the journal.
fn from_journal(scene: &Scene, runtime: &str, unit: &str) -> Observed<RuntimeLog> {
    let plain = unit.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    scene.host.call(&format!("journal-lines-{plain}"), || {
        let folders = journal::folders(&scene.host);
        if folders.is_empty() {
            return Err(Gap::absent("there is no log file, and journald keeps no files on this host"));
        }
        let limits = LineLimits { lines: LINES_MAX, bytes: BYTES_MAX, line_bytes: LINE_BYTES_MAX };
        let found = journal::lines(&folders, unit, limits)?;
        if found.lines.is_empty() {
            return Err(Gap::absent(format!("the journal has no line of {unit}")));
        }
        Ok(RuntimeLog {
            runtime: runtime.to_owned(),
            sources: vec![format!("journal, {unit}")],
            lines: found.lines,
            older: if found.more == More::Yes { Older::Some } else { Older::Nothing },
            lines_cut: found.lines_cut,
            unread: None,
        })
    })
}

/// The newest lines of the files in `folder` whose names begin with `stem` (`iggy-server.log`, `iggy-server.log.1`,
/// `iggy-server.log.2026-11-24`), the newest file being the one that was written last.
///
/// # Errors
/// The gap of the folder, or of the newest file.
pub(super) fn newest(host: &Host, runtime: &str, folder: &str, stem: &str) -> Observed<RuntimeLog> {
    let files = newest_first(host, folder, stem)?;
    let mut log = RuntimeLog { runtime: runtime.to_owned(), ..RuntimeLog::default() };
    let (mut bytes_left, mut older_bytes) = (BYTES_MAX, 0);
    let mut newest_lines: Vec<String> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        if index == FILES_MAX || bytes_left == 0 || newest_lines.len() == LINES_MAX {
            older_bytes += file.size_bytes;
            continue;
        }
        let read = match host.tail(&file.path, bytes_left) {
            Ok(read) => read,
            Err(gap) if index == 0 => return Err(gap),
            // An older file may be compressed away or removed just now.
            Err(_) => continue,
        };
        bytes_left -= read.bytes.len();
        older_bytes += file.size_bytes.saturating_sub(read.bytes.len() as u64);
        older_bytes += take_lines(&read.bytes, read.truncated, &mut newest_lines, &mut log.lines_cut);
        log.sources.push(file.path.clone());
    }
    newest_lines.reverse();
    log.lines = newest_lines;
    if older_bytes > 0 {
        log.older = Older::Bytes(older_bytes);
    }
    Ok(log)
}

struct LogFile {
    path: String,
    size_bytes: u64,
    modified_unix: i64,
}

fn newest_first(host: &Host, folder: &str, stem: &str) -> Observed<Vec<LogFile>> {
    let names = host.list(folder)?;
    let mut files: Vec<LogFile> = names
        .iter()
        .filter(|name| name.strip_prefix(stem).is_some_and(is_rotation))
        .filter_map(|name| {
            let path = format!("{folder}/{name}");
            let metadata = host.metadata(&path).ok().filter(|metadata| metadata.kind == FileKind::File)?;
            Some(LogFile { path, size_bytes: metadata.size_bytes, modified_unix: metadata.modified_unix })
        })
        .collect();
    files.sort_by(|a, b| b.modified_unix.cmp(&a.modified_unix).then_with(|| a.path.cmp(&b.path)));
    if files.is_empty() {
        return Err(Gap::absent(format!("{folder} holds no {stem}")));
    }
    Ok(files)
}

/// Whether what follows a log's name is nothing, a number or a date. Compressed logs are not read.
fn is_rotation(suffix: &str) -> bool {
    suffix.is_empty()
        || (suffix.starts_with(['.', '-'])
            && suffix[1..].bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'T')))
}

/// Appends the lines of a file's tail, newest first; gives the bytes of the lines that found no room.
fn take_lines(bytes: &[u8], truncated: Truncated, newest_first: &mut Vec<String>, lines_cut: &mut u64) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    // The first line of a tail is half a line.
    let whole = match (truncated, text.find('\n')) {
        (Truncated::Yes, Some(end)) => &text[end + 1..],
        _ => &text[..],
    };
    let mut left_out = (text.len() - whole.len()) as u64;
    for line in whole.lines().rev() {
        if newest_first.len() == LINES_MAX {
            left_out += line.len() as u64 + 1;
            continue;
        }
        let mut line = line.to_owned();
        if line.len() > LINE_BYTES_MAX {
            line.truncate(line.floor_char_boundary(LINE_BYTES_MAX));
            line.push_str(" … (cut)");
            *lines_cut += 1;
        }
        newest_first.push(line);
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::super::scene::testing::{recorded, scene};
    use super::server as server_log;
    use super::*;
    use crate::evidence::config::IggyConfig;
    use crate::evidence::iggy::testing::place;
    use crate::evidence::iggy::{Doubt, FoundBy, Standing};
    use crate::iggy::config::ServerConfig;

    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("logs")).unwrap();
        for (age, (name, text)) in files.iter().enumerate() {
            let path = tree.path().join("logs").join(name);
            std::fs::write(&path, text).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age as u64);
            std::fs::File::open(path).unwrap().set_modified(time).unwrap();
        }
        let host = Host::recorded(tree.path()).unwrap();
        (tree, host)
    }

    #[test]
    fn rotated_files_are_read_in_order_and_others_are_not() {
        let (_tree, host) = host(&[
            ("iggy-server.log", "5\n6\n"),
            ("iggy-server.log.1", "3\n4\n"),
            ("iggy-server.log.2026-11-24", "1\n2"),
            ("iggy-server.log.bak", "x\n"),
            ("iggy-server.log.3.gz", "x\n"),
        ]);
        let log = newest(&host, "iggy-server", "/logs", "iggy-server.log").unwrap();
        assert_eq!(log.lines, ["1", "2", "3", "4", "5", "6"]);
        assert_eq!(log.older, Older::Nothing);
        assert_eq!(log.sources.len(), 3);
    }

    #[test]
    fn the_newest_lines_are_kept_and_the_cut_is_counted() {
        let text: String = (0..LINES_MAX + 5).fold(String::new(), |text, n| text + &format!("line {n:06}\n"));
        let (_tree, host) = host(&[("iggy-server.log", &text), ("iggy-server.log.1", "old\n")]);
        let log = newest(&host, "iggy-server", "/logs", "iggy-server.log").unwrap();
        assert_eq!(log.lines.len(), LINES_MAX);
        assert_eq!(log.lines.last().unwrap(), &format!("line {:06}", LINES_MAX + 4));
        assert_eq!(log.older, Older::Bytes(5 * 12 + 4));
    }

    #[test]
    fn a_giant_line_is_cut_and_a_giant_file_is_read_from_its_end() {
        let text = format!("{}\nlast\n", "x".repeat(BYTES_MAX + 10));
        let (_tree, host) = host(&[("iggy-server.log", &text)]);
        let log = newest(&host, "iggy-server", "/logs", "iggy-server.log").unwrap();
        assert_eq!(log.lines, ["last"]);
        assert_eq!(log.older, Older::Bytes(text.len() as u64 - 5));
    }

    #[test]
    fn a_folder_without_logs_is_a_gap() {
        let (_tree, host) = host(&[("other.log", "1\n")]);
        assert_eq!(
            newest(&host, "x", "/logs", "iggy-server.log").unwrap_err().detail,
            "/logs holds no iggy-server.log"
        );
    }

    #[test]
    fn the_log_is_where_the_configuration_puts_it() {
        let (_tree, host) = recorded(&[
            ("srv/iggy/logs/iggy-server.log", "default\n"),
            ("srv/iggy/own/iggy-server.log", "below\n"),
            ("var/log/iggy/iggy-server.log", "elsewhere\n"),
        ]);
        let mut scene = scene(host);
        scene.evidence.put(IGGY_PLACE, Ok(place(FoundBy::WellKnownPath)));
        let mut lines = |path: &str| {
            let text = format!("[tcp]\nenabled = true\n[system.logging]\npath = \"{path}\"\n");
            let server = ServerConfig::parse(&text).unwrap();
            scene.evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
            server_log(&scene).unwrap().lines
        };
        assert_eq!(lines("logs"), ["default"]);
        assert_eq!(lines("own"), ["below"]);
        assert_eq!(lines("/var/log/iggy"), ["elsewhere"]);
        assert_eq!(lines(""), ["default"]);
        let mut doubted = place(FoundBy::Process);
        doubted.standing = Standing::Doubted(Doubt::UnknownLayout);
        scene.evidence.put(IGGY_PLACE, Ok(doubted));
        assert_eq!(server_log(&scene).unwrap_err().reason, crate::domain::gap::GapReason::Denied);
    }
}
