//! Runs the collectors: stage after stage, several at a time, each under its deadline.
//!
//! A deadline does not count the time in which a collector could have run and had no processor ([`super::turn`]); one hard
//! limit for all of them does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::collector::{Collect, Stage};
use super::root::Host;
use super::sampling::Window;
use super::scene::{Request, Scene};
use super::turn::{Patience, Standing, Turns};
use crate::domain::gap::Gap;
use crate::domain::time::Timestamp;
use crate::evidence::own::{SourceTiming, TIMINGS};
use crate::evidence::samples::SAMPLES;
use crate::evidence::{Evidence, Observed, Opaque, Source};

/// The collectors of all areas.
const COLLECTORS: &[&[&dyn Collect]] = &[
    super::mounts::COLLECTORS,
    super::memory::COLLECTORS,
    super::block::COLLECTORS,
    super::nvme::COLLECTORS,
    super::drbd::COLLECTORS,
    super::trim::COLLECTORS,
    super::deleted_files::COLLECTORS,
    super::data_dir::COLLECTORS,
    super::damage::COLLECTORS,
    super::tls::COLLECTORS,
    super::network::COLLECTORS,
    super::processes::COLLECTORS,
    super::units::COLLECTORS,
    super::systemd::COLLECTORS,
    super::iggy::COLLECTORS,
    super::journal::COLLECTORS,
    super::kernel_log::COLLECTORS,
    super::runtime_logs::COLLECTORS,
    super::system::COLLECTORS,
    super::cgroup::COLLECTORS,
    super::uring::COLLECTORS,
    super::cpu::COLLECTORS,
    super::frequency::COLLECTORS,
    super::clock::COLLECTORS,
    super::zone::COLLECTORS,
    super::limits::COLLECTORS,
    super::own::COLLECTORS,
];

/// Collectors that run at a time. More would not help: they wait for the kernel, not for each other.
const RUNNING_MAX: usize = 4;
/// All collectors together, the sampling window and waits for a processor aside: past it, what is not there yet is a gap.
const ALL_MAX: Duration = Duration::from_secs(30);
/// The same with those waits, however busy the host is.
const STARVED_MAX: Duration = Duration::from_mins(3);
/// The share of the snapshot's own deadline that may pass with them: what was observed is still to be told.
const STARVED_SHARE: u64 = 3;

/// What was observed.
#[derive(Debug)]
pub struct Observation {
    /// The evidence.
    pub evidence: Evidence,
    /// When it began, by the host's own clock.
    pub now: Timestamp,
}

/// Observes a host. `progress` is told how many sources of how many are done.
pub fn observe(host: &Arc<Host>, request: &Request, progress: &mut dyn FnMut(u64, u64)) -> Observation {
    let collectors: Vec<&'static dyn Collect> = COLLECTORS.iter().copied().flatten().copied().collect();
    let live_now = jiff::Timestamp::now().as_second();
    let now = Timestamp::from_unix(host.call("now_unix", || Ok(live_now)).unwrap_or(live_now));
    let mut run = Run::new(collectors.len() as u64, Duration::from_secs(request.deadline_s / STARVED_SHARE), progress);
    let mut evidence = Evidence::default();

    let window = Window::open(host, Duration::from_millis(request.window_ms));
    let mut stage = |stage: Stage, evidence: Evidence| {
        let chosen = collectors.iter().copied().filter(|collector| collector.stage() == stage).collect();
        run.stage(chosen, Scene { host: Arc::clone(host), request: request.clone(), evidence, now })
    };
    for before in Stage::BEFORE_THE_WINDOW_CLOSES {
        evidence = stage(before, evidence);
    }
    evidence.put(SAMPLES, Ok(window.close(host)));
    evidence = stage(Stage::Rates, evidence);
    // A recorded tree says nothing of how long its sources took then.
    if host.is_live() {
        evidence.put(TIMINGS, Ok(run.timings));
    }
    Observation { evidence, now }
}

struct Run<'a> {
    started: Instant,
    /// When it ends at the latest.
    hard: Instant,
    done: u64,
    total: u64,
    timings: Vec<SourceTiming>,
    progress: &'a mut dyn FnMut(u64, u64),
}

/// A collector under way.
struct Running {
    source: Source,
    limit: Duration,
    started: Instant,
    /// When it is looked at next.
    look: Instant,
    /// Its thread's id; 0 until it has one.
    thread: Arc<AtomicU32>,
    patience: Patience,
}

/// A collector that has come back.
struct Done {
    source: Source,
    observed: Observed<Opaque>,
    wall: Duration,
    waited: Duration,
}

impl<'a> Run<'a> {
    /// `starved_max`: how long it may take in all on a host without a free processor.
    fn new(total: u64, starved_max: Duration, progress: &'a mut dyn FnMut(u64, u64)) -> Self {
        let started = Instant::now();
        let hard = started + starved_max.clamp(ALL_MAX, STARVED_MAX);
        Self { started, hard, done: 0, total, timings: Vec::new(), progress }
    }

    /// Runs one stage and gives the scene's evidence with its own added. A thread that does not come back in time is
    /// left behind: it holds nothing that others wait for, and this process ends soon after.
    fn stage(&mut self, mut waiting: Vec<&'static dyn Collect>, scene: Scene) -> Evidence {
        waiting.reverse();
        let mut evidence = scene.evidence.clone();
        let scene = Arc::new(scene);
        let (sender, receiver) = mpsc::channel::<Done>();
        let mut running: Vec<Running> = Vec::new();
        loop {
            while running.len() < RUNNING_MAX
                && let Some(collector) = waiting.pop()
            {
                match start(collector, &scene, &sender) {
                    Ok(mut begun) => {
                        begun.look = begun.look.min(self.end(Duration::ZERO));
                        running.push(begun);
                    }
                    Err(gap) => self.finish(&mut evidence, Done::without(collector.source(), gap, Duration::ZERO)),
                }
            }
            let Some(soonest) = running.iter().map(|one| one.look).min() else { break };
            if let Ok(done) = receiver.recv_timeout(soonest.saturating_duration_since(Instant::now())) {
                // One that comes after its deadline was already counted as a gap.
                if let Some(at) = running.iter().position(|one| one.source == done.source) {
                    running.swap_remove(at);
                    self.finish(&mut evidence, done);
                }
                continue;
            }
            let now = Instant::now();
            let late: Vec<Running> = running.extract_if(.., |one| one.look <= now && self.is_late(one, now)).collect();
            for late in late {
                let gap = self.late(&late, now);
                self.finish(&mut evidence, Done::without(late.source, gap, now - late.started));
            }
        }
        evidence
    }

    /// When all collectors must have come back, if one of them has waited this long besides those that are done.
    fn end(&self, waits: Duration) -> Instant {
        let waited: Duration = self.timings.iter().map(|timing| Duration::from_micros(timing.waited_us)).sum();
        self.hard.min(self.started + ALL_MAX + waited + waits)
    }

    /// Whether a collector has had its time; if not, it is looked at again later.
    fn is_late(&self, one: &mut Running, now: Instant) -> bool {
        let standing = Standing::of(one.thread.load(Ordering::Acquire));
        let Some(left) = one.patience.left(one.limit, now - one.started, standing) else { return true };
        // What could run and does not get to is not held up by what it asks.
        let end = if matches!(standing, Standing::Held(_)) { self.end(standing.waited()) } else { self.hard };
        one.look = end.min(now + left);
        end <= now
    }

    fn late(&self, late: &Running, now: Instant) -> Gap {
        let source = late.source.0;
        if now < self.hard {
            return Gap::timeout(format!("`{source}` did not answer within its limit"));
        }
        let seconds = (now - self.started).as_secs();
        Gap::timeout(format!("`{source}` was not reached in {seconds} s: this host's processors are all taken"))
            .unlocked_by("a free processor, or a longer snapshot.deadline_s")
    }

    fn finish(&mut self, evidence: &mut Evidence, done: Done) {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.done += 1;
        self.timings.push(SourceTiming {
            source: done.source.0.to_owned(),
            wall_us: micros(done.wall),
            waited_us: micros(done.waited),
        });
        evidence.put_opaque(done.source, done.observed);
        (self.progress)(self.done, self.total);
    }
}

impl Done {
    /// One of which nothing came.
    fn without(source: Source, gap: Gap, wall: Duration) -> Self {
        Self { source, observed: Err(gap), wall, waited: Duration::ZERO }
    }
}

fn start(collector: &'static dyn Collect, scene: &Arc<Scene>, sender: &mpsc::Sender<Done>) -> Result<Running, Gap> {
    let (source, started) = (collector.source(), Instant::now());
    let (scene, sender) = (Arc::clone(scene), sender.clone());
    let thread = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&thread);
    let work = move || {
        told.store(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs(), Ordering::Release);
        let observed = catch_unwind(AssertUnwindSafe(|| collector.collect(&scene)))
            .unwrap_or_else(|_| Err(Gap::broken("observing it failed; this is a bug in snapvisor")));
        // Nobody listens any more when this came too late.
        let _ = sender.send(Done { source, observed, wall: started.elapsed(), waited: Turns::own().waited });
    };
    thread::Builder::new()
        .name(source.0.to_owned())
        .spawn(work)
        .map_err(|error| Gap::broken(format!("no thread could be started: {error}")))?;
    let limit = collector.limit();
    Ok(Running { source, limit, started, look: started + limit, thread, patience: Patience::default() })
}

#[cfg(test)]
mod tests {
    use super::super::collector::Collector;
    use super::super::scene::testing::scene;
    use super::*;
    use crate::domain::gap::GapReason;
    use crate::evidence::Key;

    const GOOD: Key<u8> = Key::new("test.good");
    const HANGS: Key<u8> = Key::new("test.hangs");
    const PANICS: Key<u8> = Key::new("test.panics");
    const SOON: Duration = Duration::from_millis(50);

    fn hang(_: &Scene) -> Observed<u8> {
        loop {
            thread::park();
        }
    }

    /// Computes without an end, and so never waits for anything but its turn.
    fn spin(_: &Scene) -> Observed<u8> {
        loop {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_source_that_computes_for_ever_is_left_behind_too() {
        static SPINNING: Collector<u8> = Collector { key: HANGS, stage: Stage::Facts, limit: SOON, run: spin };
        let mut progress = |_, _| ();
        let mut run = Run::new(1, ALL_MAX, &mut progress);
        let evidence = run.stage(vec![&SPINNING], scene(Host::live()));
        assert_eq!(evidence.read(HANGS).unwrap_err().reason, GapReason::Timeout);
    }

    #[test]
    fn a_source_that_hangs_or_panics_costs_itself_alone() {
        static HANGING: Collector<u8> = Collector { key: HANGS, stage: Stage::Facts, limit: SOON, run: hang };
        static PANICKING: Collector<u8> = Collector::new(PANICS, Stage::Facts, |_| panic!("a bug"));
        static WORKING: Collector<u8> = Collector::new(GOOD, Stage::Facts, |_| Ok(7));
        let scene = scene(Host::live());
        let mut seen = Vec::new();
        let mut progress = |done, total| seen.push((done, total));
        let mut run = Run::new(3, ALL_MAX, &mut progress);
        let evidence = run.stage(vec![&HANGING, &PANICKING, &WORKING], scene);
        assert_eq!(evidence.read(GOOD), Ok(&7));
        assert_eq!(evidence.read(HANGS).unwrap_err().reason, GapReason::Timeout);
        assert_eq!(evidence.read(PANICS).unwrap_err().reason, GapReason::Broken);
        assert_eq!(seen, [(1, 3), (2, 3), (3, 3)]);
    }
}
