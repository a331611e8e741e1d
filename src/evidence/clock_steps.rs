//! Jumps of the clock: what this snapshot saw itself, and what time services wrote about them.

use serde::{Deserialize, Serialize};

use super::Key;
use crate::domain::gap::Gap;
use crate::domain::time::Timestamp;

/// The distance between the clock and the time since boot, at the snapshot's start, milliseconds.
pub const CLOCK_DISTANCE: Key<i64> = Key::new("time.distance");
/// The same after the sampling window.
pub const CLOCK_DISTANCE_LATER: Key<i64> = Key::new("time.distance-later");
/// What time services wrote.
pub const CLOCK_NOTES: Key<ClockNotes> = Key::new("time.notes");

/// What time services wrote about jumps, in the system's logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockNotes {
    /// The notes, oldest first.
    pub notes: Vec<ClockNote>,
    /// The logs that were read.
    pub sources: Vec<String>,
    /// Logs that exist and could not be read.
    pub gaps: Vec<Gap>,
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockNote {
    /// When, by the log's own stamp.
    pub at_unix: i64,
    /// By how much the clock jumped, milliseconds, where the note says so.
    pub by_ms: Option<i64>,
    /// The log.
    pub source: String,
    /// The message.
    pub text: String,
}

/// What a time service writes when it sets the clock or finds it set, and whether an amount in seconds follows.
const MESSAGES: &[(&str, Option<&str>)] = &[
    ("System clock was stepped by ", Some("stepped by ")),
    ("time reset ", Some("time reset ")),
    ("CLOCK: time stepped by ", Some("stepped by ")),
    ("Forward time jump detected", None),
    ("Backward time jump detected", None),
    ("System clock time unset or jumped backwards", None),
    ("clockcheck: clock jumped", None),
];

/// The jump that a line of a log tells of. `now` gives the year of stamps that have none.
#[must_use]
pub fn note(line: &str, now: Timestamp, source: &str) -> Option<ClockNote> {
    let (start, amount) = MESSAGES.iter().find_map(|(text, amount)| Some((line.find(text)?, amount)))?;
    let by_ms = amount.and_then(|before| {
        let number = line.split_once(before)?.1.split_ascii_whitespace().next()?;
        millis(number.trim_end_matches('s'))
    });
    let text = line.get(start..)?.trim().to_owned();
    Some(ClockNote { at_unix: stamp(line, now)?, by_ms, source: source.to_owned(), text })
}

/// `-1.234567` as milliseconds.
fn millis(number: &str) -> Option<i64> {
    let seconds: f64 = number.parse().ok()?;
    let millis = (seconds * 1000.0).round();
    // Beyond a century nobody meant it.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (millis.abs() < 4e12).then_some(millis as i64)
}

/// When a line was written: RFC 3339, or the older `Nov 24 13:00:00`, whose time zone and year are not told; it is taken
/// for UTC and for the last such day.
fn stamp(line: &str, now: Timestamp) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = line.split_ascii_whitespace();
    let first = words.next()?;
    if let Ok(time) = first.parse::<Timestamp>() {
        return Some(time.unix());
    }
    let month = MONTHS.iter().position(|month| *month == first)? + 1;
    let (day, clock) = (words.next()?.parse::<u8>().ok()?, words.next()?);
    let year: i64 = now.to_string().get(..4)?.parse().ok()?;
    let at = |year: i64| format!("{year:04}-{month:02}-{day:02}T{clock}Z").parse::<Timestamp>().ok();
    // A stamp from the future is last year's; half a day is left for time zones.
    let this = at(year)?;
    let time = if this.unix() > now.unix() + 12 * 3600 { at(year - 1)? } else { this };
    Some(time.unix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_every_service_are_read() {
        let now: Timestamp = "2026-11-24T14:00:00Z".parse().unwrap();
        for (line, at, by_ms) in [
            (
                "2026-11-24T13:00:00.5+00:00 n chronyd[1]: System clock was stepped by -1.234567 seconds",
                "2026-11-24T13:00:00Z",
                Some(-1235),
            ),
            ("Nov 24 13:00:00 n ntpd[7]: time reset +2.5 s", "2026-11-24T13:00:00Z", Some(2500)),
            ("Dec 31 23:00:00 n ntpd[7]: CLOCK: time stepped by 1.0", "2025-12-31T23:00:00Z", Some(1000)),
            ("Nov  4 01:02:03 n chronyd[1]: Forward time jump detected!", "2026-11-04T01:02:03Z", None),
        ] {
            let note = note(line, now, "/var/log/syslog").unwrap();
            assert_eq!(Timestamp::from_unix(note.at_unix).to_string(), at, "{line}");
            assert_eq!(note.by_ms, by_ms, "{line}");
            assert!(line.ends_with(&note.text));
        }
        for line in ["Nov 24 13:00:00 n chronyd[1]: Selected source 10.0.0.1", "x: time reset 1 s", ""] {
            assert_eq!(note(line, now, "x"), None, "{line}");
        }
    }
}
