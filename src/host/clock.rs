//! Collectors of the host's clock.

use super::collector::{Collect, Collector, Stage};
use super::scene::Scene;
use super::sys;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::clock_steps::{CLOCK_DISTANCE, CLOCK_DISTANCE_LATER, CLOCK_NOTES, ClockNotes, note};
use crate::evidence::time::{KERNEL_CLOCK, KernelClock};

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(KERNEL_CLOCK, Stage::Facts, clock),
    &Collector::new(CLOCK_DISTANCE, Stage::Facts, |scene| scene.host.call("clock-distance", distance)),
    &Collector::new(CLOCK_NOTES, Stage::Facts, notes),
    &Collector::new(CLOCK_DISTANCE_LATER, Stage::Rates, |scene| scene.host.call("clock-distance-later", distance)),
];

/// Where time services write, when there is no journal.
const LOGS: &[&str] = &["/var/log/syslog", "/var/log/messages", "/var/log/daemon.log", "/var/log/ntpd.log"];
/// Bytes of one log that are read, its newest.
const LOG_BYTES_MAX: usize = 1 << 20;
/// Notes of one log that are kept, its newest.
const NOTES_MAX: usize = 100;

fn clock(scene: &Scene) -> Observed<KernelClock> {
    scene.host.call("adjtimex", sys::kernel_clock)
}

/// The clock minus the time since boot, milliseconds: it changes only when somebody sets the clock.
#[expect(clippy::unnecessary_wraps, reason = "a live call gives what was observed")]
fn distance() -> Observed<i64> {
    use rustix::time::{ClockId, clock_gettime};
    let millis = |clock| {
        let time = clock_gettime(clock);
        time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
    };
    Ok(millis(ClockId::Realtime).saturating_sub(millis(ClockId::Boottime)))
}

fn notes(scene: &Scene) -> Observed<ClockNotes> {
    // Lines of other programs may hold secrets: only the notes leave this call.
    scene.host.call("clock-notes", || {
        let mut found = ClockNotes::default();
        for log in LOGS {
            let file = match scene.host.open(log) {
                Ok(file) => file,
                Err(gap) if gap.reason == GapReason::Absent => continue,
                Err(gap) => {
                    found.gaps.push(gap.unlocked_by("the group adm, or CAP_DAC_READ_SEARCH"));
                    continue;
                }
            };
            match super::file::tail(file, log, LOG_BYTES_MAX) {
                Ok(read) => {
                    let text = String::from_utf8_lossy(&read.bytes);
                    let notes: Vec<_> = text.lines().filter_map(|line| note(line, scene.now, log)).collect();
                    let newest = notes.len().saturating_sub(NOTES_MAX);
                    found.notes.extend(notes.into_iter().skip(newest));
                    found.sources.push((*log).to_owned());
                }
                Err(gap) => found.gaps.push(gap),
            }
        }
        found.notes.sort_by_key(|note| note.at_unix);
        match (found.sources.is_empty(), found.gaps.first()) {
            (true, Some(gap)) => Err(gap.clone()),
            (true, None) => Err(Gap::absent("no system log of the kind that time services write to is kept as text")),
            (false, _) => Ok(found),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_stays_while_nobody_sets_the_clock() {
        let (first, second) = (distance().unwrap(), distance().unwrap());
        assert!((first - second).abs() <= 1, "{first} {second}");
    }
}
