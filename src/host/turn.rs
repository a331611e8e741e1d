//! Whether a thread of ours gets its turn on a processor.
//!
//! A snapshot runs at the lowest priority. On a host whose processors are all taken it waits far longer for its turn than
//! for anything that it asks, and a limit that counts that wait says of a healthy disk or server that it does not answer.
//! What the scheduler itself counts of a thread (`/proc/PID/task/TID/schedstat`) tells the two apart. It refuses to
//! guess: where the kernel does not count, no wait is known and every limit is of wall time, as before.

use std::fs;
use std::time::{Duration, Instant};

/// What the scheduler has counted of a thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Turns {
    /// Time on a processor.
    pub(super) ran: Duration,
    /// Time that it could have run and did not get to. A wait that is under way is counted when it is over.
    pub(super) waited: Duration,
}

impl Turns {
    fn parse(schedstat: &str) -> Option<Self> {
        let mut fields = schedstat.split_ascii_whitespace().map(|field| field.parse().map(Duration::from_nanos));
        Some(Self { ran: fields.next()?.ok()?, waited: fields.next()?.ok()? })
    }

    /// Of the thread that asks.
    pub(super) fn own() -> Self {
        let read = fs::read_to_string("/proc/thread-self/schedstat");
        read.ok().and_then(|text| Self::parse(&text)).unwrap_or_default()
    }

    /// Of another thread of this process; `None` when it is over.
    fn of(thread: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?)
    }

    /// What came to these since the others were counted.
    pub(super) fn since(self, before: Self) -> Self {
        Self { ran: self.ran.saturating_sub(before.ran), waited: self.waited.saturating_sub(before.waited) }
    }
}

/// Measures how long something takes its own thread, the wait for a processor aside.
pub(super) struct Watch {
    started: Instant,
    before: Turns,
}

impl Watch {
    pub(super) fn start() -> Self {
        let before = Turns::own();
        Self { started: Instant::now(), before }
    }

    /// What passed without the wait for a processor.
    pub(super) fn elapsed(&self) -> Duration {
        let passed = self.started.elapsed();
        passed.saturating_sub(Turns::own().since(self.before).waited)
    }

    /// Whether most of what passed was a wait for a processor.
    fn was_starved(&self) -> bool {
        self.elapsed() < self.started.elapsed() / 2
    }
}

/// Tries something that has a limit of wall time, and tries it again while it fails for want of a processor.
pub(super) fn patiently<T, E>(mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    /// Attempts that are made.
    const ATTEMPTS_MAX: usize = 5;
    for _ in 1..ATTEMPTS_MAX {
        let watch = Watch::start();
        match attempt() {
            Err(_) if watch.was_starved() => {}
            outcome => return outcome,
        }
    }
    attempt()
}

/// How another thread of this process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It did not have a turn yet.
    NotBegun,
    /// It is over, or cannot be seen.
    Gone,
    /// It sleeps, or waits for a device.
    Held(Turns),
    /// It is on a processor, or could be.
    Runnable(Turns),
}

impl Standing {
    /// Of the thread with this id; 0 stands for one that has not told its id yet.
    pub(super) fn of(thread: u32) -> Self {
        if thread == 0 {
            return Self::NotBegun;
        }
        let state = || {
            let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).ok()?;
            stat.rsplit_once(')')?.1.trim_start().chars().next()
        };
        match (Turns::of(thread), state()) {
            (Some(turns), Some('R')) => Self::Runnable(turns),
            (Some(turns), Some(_)) => Self::Held(turns),
            _ => Self::Gone,
        }
    }

    pub(super) fn waited(self) -> Duration {
        match self {
            Self::NotBegun | Self::Gone => Duration::ZERO,
            Self::Held(turns) | Self::Runnable(turns) => turns.waited,
        }
    }
}

/// How often it is looked after a thread that may be waiting for its turn.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a thread is still waited for.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// What it had run when it was last looked at, past its limit.
    ran: Option<Duration>,
}

impl Patience {
    /// How long after now it is worth another look; `None`: it has had its time.
    ///
    /// `spent` is wall time since it was started, `limit` what it may take. A thread that is past its limit and could run
    /// is looked at twice: one that computes has moved on meanwhile, one that waits has not.
    pub(super) fn left(&mut self, limit: Duration, spent: Duration, standing: Standing) -> Option<Duration> {
        let turns = match standing {
            Standing::NotBegun => return Some(LOOK_EVERY),
            Standing::Gone => return None,
            Standing::Held(turns) | Standing::Runnable(turns) => turns,
        };
        let left = limit.saturating_sub(spent.saturating_sub(turns.waited));
        if !left.is_zero() {
            return Some(left);
        }
        if turns.ran >= limit || matches!(standing, Standing::Held(_)) {
            return None;
        }
        let moved_on =
            self.ran.replace(turns.ran).is_some_and(|before| turns.ran.saturating_sub(before) > LOOK_EVERY / 2);
        (!moved_on).then_some(LOOK_EVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    const fn turns(ran: u64, waited: u64) -> Turns {
        Turns { ran: ms(ran), waited: ms(waited) }
    }

    #[test]
    fn a_wait_for_a_processor_is_not_charged() {
        let limit = ms(2_000);
        for (spent, standing, left) in [
            (ms(500), Standing::Held(turns(1, 0)), Some(ms(1_500))),
            (ms(2_000), Standing::Held(turns(1, 0)), None),
            (ms(2_000), Standing::Held(turns(1, 1_200)), Some(ms(1_200))),
            (ms(9_000), Standing::Held(turns(1, 7_000)), None),
            (ms(9_000), Standing::NotBegun, Some(LOOK_EVERY)),
            (ms(2_000), Standing::Gone, None),
            (ms(9_000), Standing::Runnable(turns(1, 100)), Some(LOOK_EVERY)),
            (ms(9_000), Standing::Runnable(turns(2_000, 100)), None),
        ] {
            assert_eq!(Patience::default().left(limit, spent, standing), left, "{spent:?} {standing:?}");
        }
    }

    #[test]
    fn one_that_computes_is_told_from_one_that_waits() {
        let mut patience = Patience::default();
        let mut look = |spent, ran| patience.left(ms(2_000), ms(spent), Standing::Runnable(turns(ran, 0)));
        assert_eq!(look(2_000, 10), Some(LOOK_EVERY));
        assert_eq!(look(2_100, 20), Some(LOOK_EVERY), "it waits");
        assert_eq!(look(2_200, 110), None, "it computes");
    }

    #[test]
    fn this_kernel_counts_the_turns_of_a_thread() {
        let watch = Watch::start();
        let mut sum = 0_u64;
        while Turns::own().since(watch.before).ran < ms(5) && watch.started.elapsed() < ms(60_000) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(Turns::own().since(watch.before).ran >= ms(5));
        assert!(watch.elapsed() <= watch.started.elapsed());
        assert!(matches!(
            Standing::of(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()),
            Standing::Runnable(_)
        ));
        assert_eq!((Standing::of(0), Standing::of(u32::MAX)), (Standing::NotBegun, Standing::Gone));
    }

    #[test]
    fn what_fails_by_itself_is_tried_once() {
        let mut attempts = 0;
        let outcome: Result<(), &str> = patiently(|| {
            attempts += 1;
            std::thread::sleep(ms(20));
            Err("refused")
        });
        assert_eq!((outcome, attempts), (Err("refused"), 1));
    }
}
