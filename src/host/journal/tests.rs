//! Reading a journal that `systemd-journal-remote` wrote (`tests/data/journal/make.sh`).

use std::io::Read;

use super::super::scene::testing::scene;
use super::*;
use crate::evidence::journal::FileState;

/// The recorded journal's bytes.
pub(super) fn fixture() -> Vec<u8> {
    let packed = include_bytes!("../../../tests/data/journal/system.journal.gz");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A folder with the recorded journal.
pub(super) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("system.journal"), fixture()).unwrap();
    folder
}

fn read(since_unix: i64) -> JournalEvents {
    let folder = folder();
    events_since(&[folder.path().into()], Timestamp::from_unix(since_unix)).unwrap()
}

#[test]
fn what_was_noted_comes_newest_first_and_without_secrets() {
    let found = read(1_800_000_000);
    let event = |after_s: i64, kind, unit: Option<&str>, text: &str| JournalEvent {
        at_unix: 1_800_000_000 + after_s,
        kind,
        unit: unit.map(str::to_owned),
        text: text.to_owned(),
        ..JournalEvent::default()
    };
    let server = Some("iggy-server.service");
    let expected = [
        event(1808, EventKind::ClockSet, None, "Time has been changed"),
        JournalEvent {
            lost: 1042,
            ..event(1807, EventKind::Suppressed, server, "Suppressed 1042 messages from iggy-server.service")
        },
        JournalEvent {
            program: Some(("/usr/bin/iggy-server".into(), "SIGSEGV".into())),
            ..event(1806, EventKind::CoreDump, server, "Process 812 (iggy-server) of user 1000 dumped core.")
        },
        event(1805, EventKind::Restart, server, "iggy-server.service: Scheduled restart job, restart counter is at 1."),
        event(1804, EventKind::Failed, server, "iggy-server.service: Failed with result 'exit-code'."),
    ];
    assert_eq!(found.events, expected);
    assert!(!format!("{found:?}").contains("hunter2"));
    assert_eq!(read(1_800_001_808).events.len(), 1);
    assert_eq!(read(1_800_001_809).events.len(), 0);
}

#[test]
fn frames_of_a_crash_are_kept_and_what_is_around_them_is_not() {
    let message = "Process 1 (x) dumped core.\n\nModule x\nStack trace of thread 1:\n  #0  0x1 panic (x + 0x1)\n  #1  0x2 main\nELF object";
    assert_eq!(frames(message), "Process 1 (x) dumped core.\n#0  0x1 panic (x + 0x1)\n#1  0x2 main");
}

#[test]
fn a_damaged_journal_never_panics_and_none_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("system.journal");
    let folders = [folder.path().to_path_buf()];
    assert_eq!(events_since(&folders, Timestamp::from_unix(0)).unwrap_err().reason, GapReason::Absent);
    let whole = fixture();
    // The hash tables and the first objects stand around these places.
    for place in [8, 12, 88, 104, 136, 176, 264, 272, 400, 5624, 3_727_000, 3_730_100, 3_740_000, 3_745_000] {
        let mut bytes = whole.clone();
        bytes[place..place + 8].fill(0xff);
        std::fs::write(&at, bytes).unwrap();
        let _ = events_since(&folders, Timestamp::from_unix(0));
        let limits = LineLimits { lines: 10, bytes: 1000, line_bytes: 100 };
        let _ = lines(&folders, "iggy-server.service", limits);
    }
    std::fs::write(&at, &whole[..4096]).unwrap();
    assert!(events_since(&folders, Timestamp::from_unix(0)).is_err());
}

#[test]
fn headers_of_a_recorded_tree_are_read() {
    let tree = tempfile::tempdir().unwrap();
    let machine = tree.path().join("var/log/journal/0123456789abcdef0123456789abcdef");
    std::fs::create_dir_all(&machine).unwrap();
    std::fs::write(machine.join("system.journal"), fixture()).unwrap();
    std::fs::write(machine.join("system@1.journal~"), "set aside").unwrap();
    std::fs::write(machine.join("user-1000.journal"), "short").unwrap();
    let found = files(&scene(Host::recorded(tree.path()).unwrap())).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].keeping, found[0].header.as_ref().unwrap().state), (Keeping::Persistent, FileState::Offline));
    assert_eq!(found[1].header, Err("it has 5 bytes, less than a header".into()));
}
