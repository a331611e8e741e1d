//! journald's files, read natively: their headers, what systemd noted about services, and the lines of one unit.
//!
//! Nothing asks journald. A file that is damaged costs what is in it and is told; one that is written to meanwhile is read
//! as far as its header says.

use std::path::PathBuf;
use std::time::Duration;

use sdjournal::{EntryRef, Journal, JournalConfig, SdJournalError};

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::{Gap, GapReason};
use crate::domain::time::Timestamp;
use crate::evidence::Observed;
use crate::evidence::journal::{
    Completeness, EventKind, JOURNAL_EVENTS, JOURNAL_FILES, JournalEvent, JournalEvents, JournalFile, Keeping,
};

mod header;
mod lines;

pub(super) use lines::{LineLimits, More, lines};

/// Reading events of a week, and what is around it.
const EVENTS_LIMIT: Duration = Duration::from_secs(5);

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(JOURNAL_FILES, Stage::Facts, files),
    &Collector::new(JOURNAL_EVENTS, Stage::Facts, events).within(EVENTS_LIMIT),
];

/// Where journald keeps its files.
const FOLDERS: [(&str, Keeping); 2] =
    [("/var/log/journal", Keeping::Persistent), ("/run/log/journal", Keeping::Volatile)];
/// Files whose headers are read, and which are opened.
const FILES_MAX: usize = 512;
/// Events that are kept.
const EVENTS_MAX: usize = 1_000;
/// How far back events are read: a crash counts for a week.
const EVENTS_S: i64 = 7 * 86_400;
/// Bytes kept of an event's text.
const TEXT_BYTES_MAX: usize = 512;
/// Frames kept of a crash.
const FRAMES_MAX: usize = 8;
/// What brings the journal into reach.
const UNLOCK: &str = "the group systemd-journal, or CAP_DAC_READ_SEARCH";

/// The headers of all files.
fn files(scene: &Scene) -> Observed<Vec<JournalFile>> {
    let host = &scene.host;
    let mut found = Vec::new();
    let mut folders = Vec::new();
    for (folder, keeping) in FOLDERS {
        let names = match host.list(folder) {
            Ok(names) => names,
            Err(gap) if gap.reason == GapReason::Absent => continue,
            Err(gap) => return Err(gap.unlocked_by(UNLOCK)),
        };
        // A folder for each machine; files beside them are journald's too.
        folders.push((folder.to_owned(), keeping));
        let machines =
            names.iter().filter(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        folders.extend(machines.map(|machine| (format!("{folder}/{machine}"), keeping)));
    }
    if folders.is_empty() {
        return Err(Gap::absent("journald keeps no files on this host"));
    }
    for (folder, keeping) in folders {
        let names = host.list(&folder).map_err(|gap| gap.unlocked_by(UNLOCK))?;
        for name in names.iter().filter(|name| name.ends_with(".journal")) {
            if found.len() == FILES_MAX {
                return Ok(found);
            }
            let path = format!("{folder}/{name}");
            let Ok(metadata) = host.metadata(&path) else { continue };
            let header = match host.bounded(&path, header::HEADER_BYTES) {
                Ok(read) => header::header(&read.bytes, metadata.size_bytes),
                Err(gap) if gap.reason == GapReason::Denied => return Err(gap.unlocked_by(UNLOCK)),
                Err(gap) => Err(gap.detail),
            };
            found.push(JournalFile { path, keeping, size_bytes: metadata.size_bytes, header });
        }
    }
    if found.is_empty() { Err(Gap::absent("journald keeps no files on this host")) } else { Ok(found) }
}

/// Opens the journal below these folders.
fn open(folders: &[PathBuf]) -> Observed<Journal> {
    if folders.is_empty() {
        return Err(Gap::absent("journald keeps no files on this host"));
    }
    let config = JournalConfig { max_journal_files: FILES_MAX, ..JournalConfig::default() };
    Journal::open_dirs_with_config(folders, config).map_err(|error| gap(&error))
}

fn gap(error: &SdJournalError) -> Gap {
    match error {
        SdJournalError::NotFound => Gap::absent("journald keeps no files on this host"),
        SdJournalError::PermissionDenied { .. } => Gap::denied("the journal may not be read", UNLOCK),
        SdJournalError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Gap::absent("journald keeps no files on this host")
        }
        SdJournalError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Gap::denied("the journal may not be read", UNLOCK)
        }
        other => Gap::broken(format!("the journal: {other}")),
    }
}

fn events(scene: &Scene) -> Observed<JournalEvents> {
    scene.host.call("journal-events", || events_since(&folders(&scene.host), scene.now.plus_s(-EVENTS_S)))
}

fn events_since(folders: &[PathBuf], since: Timestamp) -> Observed<JournalEvents> {
    let journal = open(folders)?;
    let mut query = journal.query();
    let since_us = u64::try_from(since.unix()).unwrap_or(0).saturating_mul(1_000_000);
    query.since_realtime(since_us).seek_tail().limit(EVENTS_MAX + 1);
    for (id, _) in EventKind::IDS {
        query.or_group(|group| {
            group.match_exact("MESSAGE_ID", id.as_bytes());
        });
    }
    let mut found = JournalEvents { since_unix: since.unix(), ..JournalEvents::default() };
    for entry in query.iter().map_err(|error| gap(&error))? {
        // An entry that cannot be read is one of a file that journal.files tells of.
        let Ok(entry) = entry else { continue };
        if found.events.len() == EVENTS_MAX {
            found.completeness = Completeness::Cut;
            break;
        }
        found.events.extend(event(&entry));
    }
    Ok(found)
}

fn event(entry: &EntryRef) -> Option<JournalEvent> {
    let text = |field: &str| entry.get(field).map(|value| String::from_utf8_lossy(value).into_owned());
    let id = text("MESSAGE_ID")?;
    let (_, kind) = EventKind::IDS.into_iter().find(|(known, _)| *known == id)?;
    let message = text("MESSAGE").unwrap_or_default();
    let program = text("COREDUMP_EXE").filter(|_| kind == EventKind::CoreDump);
    let unit = match kind {
        EventKind::CoreDump => text("COREDUMP_UNIT"),
        // `Suppressed 1042 messages from iggy-server.service`
        EventKind::Suppressed => message.rsplit(' ').next().map(str::to_owned),
        _ => text("UNIT").or_else(|| text("USER_UNIT")),
    };
    Some(JournalEvent {
        at_unix: i64::try_from(entry.realtime_usec() / 1_000_000).ok()?,
        kind,
        unit,
        program: program.map(|program| (program, text("COREDUMP_SIGNAL_NAME").unwrap_or_default())),
        lost: text("N_DROPPED").and_then(|count| count.parse().ok()).unwrap_or(0),
        text: if kind == EventKind::CoreDump { frames(&message) } else { cut(message) },
    })
}

/// The first line and the topmost frames of a crash: the rest may quote memory.
fn frames(message: &str) -> String {
    let frames = message.lines().skip(1).map(str::trim).filter(|line| line.starts_with('#')).take(FRAMES_MAX);
    cut(message.lines().take(1).chain(frames).collect::<Vec<_>>().join("\n"))
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

/// Whether there is a journal that could be asked.
pub(super) fn folders(host: &Host) -> Vec<PathBuf> {
    FOLDERS.iter().filter(|(folder, _)| host.metadata(folder).is_ok()).map(|(folder, _)| folder.into()).collect()
}

#[cfg(test)]
#[path = "journal/tests.rs"]
mod tests;
