//! The newest lines of one unit.

use std::path::PathBuf;

use super::{gap, open};
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::evidence::Observed;
use crate::iggy::log_line::{LogLine, without_colours};

/// The newest lines of a unit, oldest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::host) struct UnitLines {
    pub(in crate::host) lines: Vec<String>,
    /// Lines that were cut for their length.
    pub(in crate::host) lines_cut: u64,
    /// Whether there were more.
    pub(in crate::host) more: More,
}

/// Whether a unit wrote more than was kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::host) enum More {
    #[default]
    No,
    Yes,
}

/// The most that is kept of one unit.
#[derive(Debug, Clone, Copy)]
pub(in crate::host) struct LineLimits {
    /// Lines of the unit.
    pub(in crate::host) lines: usize,
    /// Bytes of them all.
    pub(in crate::host) bytes: usize,
    /// Bytes of one.
    pub(in crate::host) line_bytes: usize,
}

/// The newest lines that this unit wrote.
pub(in crate::host) fn lines(folders: &[PathBuf], unit: &str, limits: LineLimits) -> Observed<UnitLines> {
    let journal = open(folders)?;
    let mut query = journal.query();
    query.match_exact("_SYSTEMD_UNIT", unit.as_bytes()).seek_tail().limit(limits.lines + 1);
    let (mut found, mut bytes) = (UnitLines::default(), 0);
    for entry in query.iter().map_err(|error| gap(&error))? {
        let Ok(entry) = entry else { continue };
        let Some(message) = entry.get("MESSAGE") else { continue };
        if found.lines.len() == limits.lines || bytes >= limits.bytes {
            found.more = More::Yes;
            break;
        }
        let priority = entry.get("PRIORITY").and_then(|priority| priority.first().copied()).unwrap_or(b'6');
        let mut line = line(&String::from_utf8_lossy(message), entry.realtime_usec(), priority);
        if line.len() > limits.line_bytes {
            line.truncate(line.floor_char_boundary(limits.line_bytes));
            line.push_str(" … (cut)");
            found.lines_cut += 1;
        }
        bytes += line.len() + 1;
        found.lines.push(line);
    }
    found.lines.reverse();
    Ok(found)
}

/// A message as a line of a log: as it is when it tells its time and level itself, else with those of the journal.
fn line(message: &str, realtime_us: u64, priority: u8) -> String {
    let plain = without_colours(message);
    let read = LogLine::read(&plain);
    if read.time.is_some() && read.level != Level::Other {
        return plain;
    }
    let time = Timestamp::from_unix(i64::try_from(realtime_us / 1_000_000).unwrap_or(i64::MAX));
    let level = match (read.level, priority) {
        // Its own word comes first.
        (Level::Error | Level::Warn | Level::Info | Level::Debug, _) => return format!("{time} {plain}"),
        (Level::Other, b'0'..=b'3') => "ERROR",
        (Level::Other, b'4') => " WARN",
        (Level::Other, b'7') => "DEBUG",
        (Level::Other, _) => " INFO",
    };
    format!("{time} {level} {plain}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::folder;
    use super::*;

    const LIMITS: LineLimits = LineLimits { lines: 5, bytes: 1 << 20, line_bytes: 4096 };

    #[test]
    fn the_newest_lines_of_one_unit_are_given_oldest_first() {
        let folder = folder();
        let read = |unit, limits| lines(&[folder.path().into()], unit, limits).unwrap();
        let found = read("iggy-connectors.service", LIMITS);
        assert_eq!(found.more, More::Yes);
        assert_eq!(
            found.lines[3..],
            [
                "2027-01-15T08:29:00Z  INFO sent batch 29 of 100 messages",
                "2027-01-15T08:30:01Z ERROR sink stdout failed: connection refused",
            ]
        );
        let all = read("iggy-connectors.service", LineLimits { lines: 31, ..LIMITS });
        assert_eq!((all.lines.len(), all.more), (31, More::No));
        assert_eq!(read("other.service", LIMITS), UnitLines::default());
    }

    #[test]
    fn a_line_that_tells_its_time_stays_and_a_long_one_is_cut() {
        let folder = folder();
        let limits = LineLimits { line_bytes: 100, ..LIMITS };
        let found = lines(&[folder.path().into()], "iggy-server.service", limits).unwrap();
        assert_eq!(found.lines[0], "2027-01-15T08:30:02.000001Z  INFO main server: started");
        assert_eq!((found.lines[1].ends_with("x … (cut)"), found.lines_cut), (true, 1));
        let few = lines(&[folder.path().into()], "iggy-server.service", LineLimits { bytes: 10, ..LIMITS }).unwrap();
        assert_eq!((few.lines.len(), few.more), (1, More::Yes));
    }

    #[test]
    fn the_journals_priority_counts_where_the_line_has_no_level() {
        for (message, priority, expected) in [
            ("x", b'2', "1970-01-01T00:00:01Z ERROR x"),
            ("x", b'4', "1970-01-01T00:00:01Z  WARN x"),
            ("x", b'5', "1970-01-01T00:00:01Z  INFO x"),
            ("x", b'7', "1970-01-01T00:00:01Z DEBUG x"),
            ("WARN x", b'6', "1970-01-01T00:00:01Z WARN x"),
            ("\u{1b}[31mx\u{1b}[0m", b'6', "1970-01-01T00:00:01Z  INFO x"),
        ] {
            assert_eq!(line(message, 1_000_000, priority), expected);
        }
    }
}
