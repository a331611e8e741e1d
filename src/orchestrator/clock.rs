//! Clocks: the system's, and the one by which snapshots expire.
//!
//! A system clock may jump: a virtual machine wakes up in the year 2038, somebody types a wrong date. Snapshots that
//! expire by it would all be gone at once. So they expire by a clock of their own, which equals the system's as long as
//! that runs evenly, and follows a jump ahead only at a limited pace; set back, it follows at once.

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::plan::DAY_S;
use crate::domain::time::Timestamp;

/// Where time comes from; tests have their own.
pub trait Clock: Debug + Send + Sync {
    /// What the system's clock shows.
    fn now(&self) -> Timestamp;
    /// Time since the machine started, suspended or not: it never jumps.
    fn since_boot(&self) -> Duration;
}

/// The system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn since_boot(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// Seconds that retention may move on in one second: an hour's jump is caught up with in a minute, a month's in half a
/// day, ten years' in two months. Whoever sets the clock right within a day loses no more than two months of retention.
const PACE_MAX: u64 = 60;
/// How far the clock may have moved while the appliance was not running and still be believed at once: less than half of
/// the shortest built-in retention.
const START_JUMP_MAX_S: i64 = 3 * DAY_S;

/// The clock by which snapshots expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionClock {
    now: Timestamp,
    /// Time since boot at which it last moved.
    moved_at: Duration,
}

impl RetentionClock {
    /// The clock after a start; `kept` is what it showed when it was last written down.
    #[must_use]
    pub fn starting(kept: Timestamp, clock: &dyn Clock) -> Self {
        Self { now: clock.now().min(kept.plus_s(START_JUMP_MAX_S)), moved_at: clock.since_boot() }
    }

    /// Moves it on and shows it.
    pub fn advance(&mut self, clock: &dyn Clock) -> Timestamp {
        let (wall, since_boot) = (clock.now(), clock.since_boot());
        let elapsed_ms = u64::try_from(since_boot.saturating_sub(self.moved_at).as_millis()).unwrap_or(u64::MAX);
        let reach_s = i64::try_from(elapsed_ms.saturating_mul(PACE_MAX) / 1000).unwrap_or(i64::MAX);
        let next = wall.min(self.now.plus_s(reach_s));
        if next != self.now {
            *self = Self { now: next, moved_at: since_boot };
        } else if wall == self.now {
            // Within a second it stays; more than that second must not be saved up for a jump.
            self.moved_at = self.moved_at.max(since_boot.saturating_sub(Duration::from_secs(1)));
        }
        next
    }
}

/// A clock that a test sets.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct FakeClock {
    state: std::sync::Mutex<(i64, Duration)>,
}

#[cfg(test)]
impl FakeClock {
    /// One that shows this time, a minute after boot.
    pub fn at(now: Timestamp) -> Self {
        Self { state: std::sync::Mutex::new((now.unix(), Duration::from_mins(1))) }
    }

    /// Lets time pass evenly.
    pub fn pass(&self, time: Duration) {
        let mut state = self.state.lock().unwrap();
        state.0 += i64::try_from(time.as_secs()).unwrap();
        state.1 += time;
    }

    /// Sets the system's clock this many seconds ahead, or back.
    pub fn jump_s(&self, seconds: i64) {
        self.state.lock().unwrap().0 += seconds;
    }
}

#[cfg(test)]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.state.lock().unwrap().0)
    }

    fn since_boot(&self) -> Duration {
        self.state.lock().unwrap().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix(1_780_309_800);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_shows_the_systems_time_as_long_as_that_runs_evenly() {
        let clock = FakeClock::at(START);
        let mut retention = RetentionClock::starting(START, &clock);
        for _ in 0..1000 {
            clock.pass(Duration::from_hours(1));
            assert_eq!(retention.advance(&clock), clock.now());
        }
    }

    #[test]
    fn it_moves_on_however_often_it_is_asked() {
        let clock = FakeClock::at(START);
        let mut retention = RetentionClock::starting(START, &clock);
        for second in 1..10 {
            for _ in 0..1000 {
                clock.state.lock().unwrap().1 += Duration::from_millis(1);
                retention.advance(&clock);
            }
            clock.jump_s(1);
            assert_eq!(retention.advance(&clock), START.plus_s(second));
        }
    }

    #[test]
    fn a_jump_ahead_is_followed_at_a_limited_pace_and_a_jump_back_at_once() {
        let clock = FakeClock::at(START);
        let mut retention = RetentionClock::starting(START, &clock);
        clock.jump_s(3650 * DAY_S);
        assert_eq!(retention.advance(&clock), START);
        for second in 1..=3600 {
            clock.pass(SECOND);
            assert_eq!(retention.advance(&clock), START.plus_s(60 * second));
        }
        clock.jump_s(-3650 * DAY_S);
        assert_eq!(retention.advance(&clock), START.plus_s(3600));
        clock.jump_s(-DAY_S);
        assert_eq!(retention.advance(&clock), START.plus_s(3600 - DAY_S));
    }

    #[test]
    fn a_small_jump_is_caught_up_with_soon() {
        let clock = FakeClock::at(START);
        let mut retention = RetentionClock::starting(START, &clock);
        clock.jump_s(3600);
        for _ in 0..62 {
            clock.pass(SECOND);
            retention.advance(&clock);
        }
        assert_eq!(retention.advance(&clock), clock.now());
    }

    #[test]
    fn after_a_start_a_few_days_are_believed_and_years_are_not() {
        for (off_s, believed_s) in [
            (0, 0),
            (2 * DAY_S, 2 * DAY_S),
            (3 * DAY_S, 3 * DAY_S),
            (30 * DAY_S, 3 * DAY_S),
            (3650 * DAY_S, 3 * DAY_S),
            (-3650 * DAY_S, -3650 * DAY_S),
        ] {
            let clock = FakeClock::at(START.plus_s(off_s));
            let mut retention = RetentionClock::starting(START, &clock);
            assert_eq!(retention.advance(&clock), START.plus_s(believed_s), "{off_s}");
        }
    }
}
