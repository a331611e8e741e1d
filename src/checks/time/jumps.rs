//! Whether somebody set the clock.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::boot::BOOT;
use crate::evidence::clock_steps::{CLOCK_DISTANCE, CLOCK_DISTANCE_LATER, CLOCK_NOTES, ClockNote};
use crate::evidence::journal::{EventKind, JOURNAL_EVENTS, JournalEvents};

pub(super) const CHECK: Check = Check {
    id: "time.jumps",
    title: "The clock does not jump",
    category: Category::Time,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[
        CLOCK_DISTANCE.source(),
        CLOCK_DISTANCE_LATER.source(),
        CLOCK_NOTES.source(),
        JOURNAL_EVENTS.source(),
        BOOT.source(),
    ],
    rule: "Warns when the clock was set by more than 1 s (step_warn_s) while this snapshot was taken, or when a time service or systemd noted such a jump in the last 24 hours (hours_max); systemd does not say by how much. A change of the time zone is none. A jump in the first ten minutes after boot does not count: that is when time services set the clock. Information when only smaller jumps are noted, and when no log tells of the time before; passes otherwise.",
    threshold_source: "systemd's catalogue has a message for it; the figures are our own judgement.",
    why: "A clock that jumps puts messages into the wrong order of time, expires tokens and segments early, and makes time-outs fire or hang.",
    remedy: "chronyc tracking; chronyc sources\n# Let it be slewed once it runs: in chrony.conf\nmakestep 1 3\n# In a virtual machine: is the hypervisor setting it too, on resume or migration?\nsystemctl status chronyd systemd-timesyncd ntpd --no-pager",
    references: &["chrony.conf(5), makestep", "systemd: SD_MESSAGE_TIME_CHANGE"],
    privilege: "any user; the groups systemd-journal and adm for the logs",
    settings: &[
        Setting {
            name: "step_warn_s",
            default: 1.0,
            min: 0.001,
            max: 3600.0,
            help: "the smallest jump that warns, seconds",
        },
        Setting { name: "hours_max", default: 24.0, min: 1.0, max: 8760.0, help: "how far back notes count, hours" },
    ],
    evaluate: jumps,
};

/// Time services set the clock when they start, seconds after boot.
const BOOT_S: i64 = 600;

fn jumps(case: &Case<'_>) -> Result<Judgement, Gap> {
    let moved_ms = case.read(CLOCK_DISTANCE_LATER)?.saturating_sub(*case.read(CLOCK_DISTANCE)?);
    let (notes, journal) = (case.read(CLOCK_NOTES), case.read(JOURNAL_EVENTS));
    let uptime_s = case.read(BOOT).map_or(0, |boot| i64::try_from(boot.uptime_s).unwrap_or(i64::MAX));
    let settled = case.now.unix().saturating_sub(uptime_s).saturating_add(BOOT_S);
    let hours_max = case.setting("hours_max");
    let mut young: Vec<ClockNote> = notes.as_ref().map_or_else(|_| Vec::new(), |notes| notes.notes.clone());
    young.extend(journal.iter().flat_map(|journal| noted(journal)));
    young.retain(|note| note.at_unix >= settled && age_hours(case.now, note.at_unix) <= hours_max);
    young.sort_by_key(|note| note.at_unix);
    let past = if notes.is_ok() || journal.is_ok() { Past::Told } else { Past::Unknown };
    let mut judged = judged(moved_ms, &young, case.setting("step_warn_s"), past);
    if !young.is_empty() {
        let row = |note: &ClockNote| {
            let when = Timestamp::from_unix(note.at_unix).to_string();
            vec![when.into(), note.source.as_str().into(), note.text.as_str().into()]
        };
        let columns = ["When", "Where", "What"].map(Column::text).to_vec();
        judged = judged.proof(Proof::table("Notes about the clock", columns, young.iter().map(row).collect()));
    }
    // Either tells: a host has a journal or logs of text, and the one that it lacks is no loss.
    let closed = |gap: &Gap| gap.reason != GapReason::Absent || past == Past::Unknown;
    let lost = notes.as_ref().err().into_iter().chain(journal.as_ref().err()).filter(|gap| closed(gap)).cloned();
    let partly = notes.as_ref().map_or_else(|_| Vec::new(), |notes| notes.gaps.clone());
    Ok(lost.chain(partly).fold(judged, Judgement::gap))
}

/// What systemd noted of the clock.
fn noted(journal: &JournalEvents) -> impl Iterator<Item = ClockNote> {
    let set = |event: &&crate::evidence::journal::JournalEvent| {
        event.kind == EventKind::ClockSet && !event.text.to_ascii_lowercase().contains("zone")
    };
    let note = |event: &crate::evidence::journal::JournalEvent| ClockNote {
        at_unix: event.at_unix,
        by_ms: None,
        source: "journal".to_owned(),
        text: event.text.clone(),
    };
    journal.events.iter().filter(set).map(note)
}

#[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
fn age_hours(now: Timestamp, at_unix: i64) -> f64 {
    now.unix().saturating_sub(at_unix) as f64 / 3600.0
}

/// Whether any log tells of the time before the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    Told,
    Unknown,
}

#[expect(clippy::cast_precision_loss, reason = "a jump in milliseconds")]
fn judged(moved_ms: i64, notes: &[ClockNote], step_warn_s: f64, past: Past) -> Judgement {
    let set_by_s = moved_ms as f64 / 1000.0;
    let of_window = |judged: Judgement| {
        judged.measured(set_by_s, Unit::Seconds, format!("{set_by_s:.3} s")).expected(format!("≤ {step_warn_s} s"))
    };
    if set_by_s.abs() > step_warn_s {
        return of_window(Judgement::warn(format!(
            "The clock was set by {set_by_s:+.3} s while this snapshot was taken."
        )));
    }
    // A service that finds the clock set does not say by how much; it would not notice a small one.
    let large = |note: &&ClockNote| note.by_ms.is_none_or(|by| by.abs() as f64 / 1000.0 > step_warn_s);
    let steps: Vec<&ClockNote> = notes.iter().filter(large).collect();
    let times = |count: usize| counted(count, "time", "times");
    match (steps.last(), notes.last(), past) {
        (Some(last), ..) => Judgement::warn(format!(
            "The clock jumped {}, last at {}: {}",
            times(steps.len()),
            Timestamp::from_unix(last.at_unix),
            last.text
        )),
        (None, Some(_), _) => {
            Judgement::info(format!("The clock was set {}, by little each time.", times(notes.len())))
        }
        (None, None, Past::Unknown) => of_window(Judgement::info(
            "The clock did not jump while this snapshot was taken; no log tells of the time before.",
        )),
        (None, None, Past::Told) => {
            of_window(Judgement::pass("The clock did not jump, and no time service noted that it did."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Settings, find};
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::boot::Boot;
    use crate::evidence::clock_steps::ClockNotes;
    use crate::evidence::journal::JournalEvent;

    const NOW: i64 = 1_790_000_000;

    fn seen(
        moved_ms: i64,
        notes: Result<Vec<(i64, Option<i64>)>, Gap>,
        journal: Option<Vec<JournalEvent>>,
        uptime_s: u64,
    ) -> Judgement {
        let note = |(age_s, by_ms): (i64, Option<i64>)| ClockNote {
            at_unix: NOW - age_s,
            by_ms,
            source: "/var/log/syslog".into(),
            text: "System clock was stepped".into(),
        };
        let notes =
            notes.map(|notes| ClockNotes { notes: notes.into_iter().map(note).collect(), ..ClockNotes::default() });
        let boot = Boot {
            uptime_s,
            command_line: Vec::new(),
            running: String::new(),
            installed: Ok(Vec::new()),
            reboot_wanted: None,
        };
        let mut evidence = Evidence::default();
        evidence.put(CLOCK_DISTANCE, Ok(5_000));
        evidence.put(CLOCK_DISTANCE_LATER, Ok(5_000 + moved_ms));
        evidence.put(CLOCK_NOTES, notes);
        let events = journal.map(|events| JournalEvents { events, ..JournalEvents::default() });
        evidence.put(JOURNAL_EVENTS, events.ok_or_else(|| Gap::absent("no journal")));
        evidence.put(BOOT, Ok(boot));
        let (check, settings) = (find("time.jumps").unwrap(), Settings::default());
        let now = Timestamp::from_unix(NOW);
        jumps(&Case { evidence: &evidence, now, findings: &[], check, settings: &settings }).unwrap()
    }

    #[test]
    fn jumps_are_judged_by_size_and_age() {
        const LONG: u64 = 1_000_000;
        for (moved_ms, notes, uptime_s, expected) in [
            (0, vec![], LONG, Verdict::Pass),
            (1_000, vec![], LONG, Verdict::Pass),
            (-1_001, vec![], LONG, Verdict::Warn),
            (0, vec![(3_600, Some(1_001))], LONG, Verdict::Warn),
            (0, vec![(3_600, Some(-1_000))], LONG, Verdict::Info),
            (0, vec![(3_600, None)], LONG, Verdict::Warn),
            (0, vec![(86_400, Some(5_000))], LONG, Verdict::Warn),
            (0, vec![(86_401, Some(5_000))], LONG, Verdict::Pass),
            (0, vec![(3_001, Some(5_000))], 3_600, Verdict::Pass),
            (0, vec![(3_000, Some(5_000))], 3_600, Verdict::Warn),
        ] {
            let judged = seen(moved_ms, Ok(notes.clone()), None, uptime_s);
            assert_eq!(judged.verdict, expected, "{moved_ms} {notes:?} {uptime_s}: {}", judged.summary);
        }
    }

    #[test]
    fn the_journal_or_a_log_tells_and_one_of_them_is_enough() {
        let event = |text: &str| JournalEvent {
            at_unix: NOW - 3_600,
            kind: EventKind::ClockSet,
            text: text.into(),
            ..JournalEvent::default()
        };
        let absent = || Err(Gap::absent("no system log"));
        for (journal, expected, gaps) in [
            (Some(vec![]), Verdict::Pass, 0),
            (Some(vec![event("System clock changed to Tue")]), Verdict::Warn, 0),
            (Some(vec![event("Time zone change to Europe/Berlin")]), Verdict::Pass, 0),
            (None, Verdict::Info, 2),
        ] {
            let judged = seen(0, absent(), journal.clone(), 1_000_000);
            assert_eq!((judged.verdict, judged.gaps.len()), (expected, gaps), "{journal:?}: {}", judged.summary);
        }
    }
}
