//! Runs the collectors: stage after stage, several at a time, each under its deadline.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::collector::{Collect, Stage};
use super::root::Host;
use super::sampling::Window;
use super::scene::{Request, Scene};
use crate::domain::gap::Gap;
use crate::domain::time::Timestamp;
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
/// All collectors together, the sampling window aside: past it, what is not there yet is a gap.
const ALL_MAX: Duration = Duration::from_secs(30);

/// How long a source took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceTiming {
    /// The source.
    pub source: String,
    /// Microseconds of wall time.
    pub wall_us: u64,
}

/// What was observed, and what that cost.
#[derive(Debug)]
pub struct Observation {
    /// The evidence.
    pub evidence: Evidence,
    /// Wall time of each source.
    pub timings: Vec<SourceTiming>,
    /// When it began, by the host's own clock.
    pub now: Timestamp,
}

/// Observes a host. `progress` is told how many sources of how many are done.
pub fn observe(host: &Arc<Host>, request: &Request, progress: &mut dyn FnMut(u64, u64)) -> Observation {
    let collectors: Vec<&'static dyn Collect> = COLLECTORS.iter().copied().flatten().copied().collect();
    let total = collectors.len() as u64;
    let live_now = jiff::Timestamp::now().as_second();
    let now = Timestamp::from_unix(host.call("now_unix", || Ok(live_now)).unwrap_or(live_now));
    let mut run = Run { deadline: Instant::now() + ALL_MAX, done: 0, total, timings: Vec::new(), progress };
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
    Observation { evidence, timings: run.timings, now }
}

struct Run<'a> {
    deadline: Instant,
    done: u64,
    total: u64,
    timings: Vec<SourceTiming>,
    progress: &'a mut dyn FnMut(u64, u64),
}

/// A collector under way.
struct Running {
    source: Source,
    started: Instant,
    until: Instant,
}

/// A collector that has come back.
struct Done {
    source: Source,
    observed: Observed<Opaque>,
    wall: Duration,
}

impl Run<'_> {
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
                let (source, started) = (collector.source(), Instant::now());
                match start(collector, &scene, &sender) {
                    Ok(()) => {
                        running.push(Running {
                            source,
                            started,
                            until: self.deadline.min(started + collector.limit()),
                        });
                    }
                    Err(gap) => self.finish(&mut evidence, Done { source, observed: Err(gap), wall: Duration::ZERO }),
                }
            }
            let Some(soonest) = running.iter().map(|one| one.until).min() else { break };
            if let Ok(done) = receiver.recv_timeout(soonest.saturating_duration_since(Instant::now())) {
                // One that comes after its deadline was already counted as a gap.
                if let Some(at) = running.iter().position(|one| one.source == done.source) {
                    running.swap_remove(at);
                    self.finish(&mut evidence, done);
                }
                continue;
            }
            let now = Instant::now();
            for late in running.extract_if(.., |one| one.until <= now) {
                let gap = Gap::timeout(format!("`{}` did not answer within its limit", late.source.0));
                self.finish(&mut evidence, Done { source: late.source, observed: Err(gap), wall: now - late.started });
            }
        }
        evidence
    }

    fn finish(&mut self, evidence: &mut Evidence, done: Done) {
        self.done += 1;
        self.timings.push(SourceTiming {
            source: done.source.0.to_owned(),
            wall_us: u64::try_from(done.wall.as_micros()).unwrap_or(u64::MAX),
        });
        evidence.put_opaque(done.source, done.observed);
        (self.progress)(self.done, self.total);
    }
}

fn start(collector: &'static dyn Collect, scene: &Arc<Scene>, sender: &mpsc::Sender<Done>) -> Result<(), Gap> {
    let (scene, sender) = (Arc::clone(scene), sender.clone());
    let work = move || {
        let started = Instant::now();
        let observed = catch_unwind(AssertUnwindSafe(|| collector.collect(&scene)))
            .unwrap_or_else(|_| Err(Gap::broken("observing it failed; this is a bug in snapvisor")));
        // Nobody listens any more when this came too late.
        let _ = sender.send(Done { source: collector.source(), observed, wall: started.elapsed() });
    };
    let name = collector.source().0.to_owned();
    thread::Builder::new()
        .name(name)
        .spawn(work)
        .map(drop)
        .map_err(|error| Gap::broken(format!("no thread could be started: {error}")))
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

    #[test]
    fn a_source_that_hangs_or_panics_costs_itself_alone() {
        static HANGING: Collector<u8> = Collector { key: HANGS, stage: Stage::Facts, limit: SOON, run: hang };
        static PANICKING: Collector<u8> = Collector::new(PANICS, Stage::Facts, |_| panic!("a bug"));
        static WORKING: Collector<u8> = Collector::new(GOOD, Stage::Facts, |_| Ok(7));
        let scene = scene(Host::live());
        let mut seen = Vec::new();
        let mut progress = |done, total| seen.push((done, total));
        let deadline = Instant::now() + ALL_MAX;
        let mut run = Run { deadline, done: 0, total: 3, timings: Vec::new(), progress: &mut progress };
        let evidence = run.stage(vec![&HANGING, &PANICKING, &WORKING], scene);
        assert_eq!(evidence.read(GOOD), Ok(&7));
        assert_eq!(evidence.read(HANGS).unwrap_err().reason, GapReason::Timeout);
        assert_eq!(evidence.read(PANICS).unwrap_err().reason, GapReason::Broken);
        assert_eq!(seen, [(1, 3), (2, 3), (3, 3)]);
    }
}
