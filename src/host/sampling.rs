//! The sampling window: counter files read at its start and at its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::root::{Host, Reading};
use super::{block, cpu, memory, network, processes};
use crate::evidence::Observed;
use crate::evidence::samples::Samples;

/// The counter files of all areas.
const SAMPLED: &[&[&str]] = &[block::SAMPLED, cpu::SAMPLED, memory::SAMPLED, network::SAMPLED];

/// The first reading, and when it was made.
pub(super) struct Window {
    started: Instant,
    first: BTreeMap<String, Observed<String>>,
    /// When each file was read.
    times: BTreeMap<String, Instant>,
    length: Duration,
}

impl Window {
    /// Opens the window: reads the counters for the first time.
    pub(super) fn open(host: &Host, length: Duration) -> Self {
        let started = Instant::now();
        let mut paths: Vec<String> = SAMPLED.iter().copied().flatten().map(|path| (*path).to_owned()).collect();
        let pids = processes::pids(host).unwrap_or_default();
        paths.extend(pids.iter().take(processes::PROCESSES_MAX).map(|pid| format!("/proc/{pid}/stat")));
        let mut window = Self { started, first: BTreeMap::new(), times: BTreeMap::new(), length };
        for path in paths {
            let read = host.sample(Reading::First, &path);
            window.times.insert(path.clone(), Instant::now());
            window.first.insert(path, read);
        }
        window
    }

    /// Waits for the window's end and reads the counters again. A recorded tree is not waited for.
    pub(super) fn close(self, host: &Host) -> Samples {
        if host.is_live() {
            std::thread::sleep(self.length.saturating_sub(self.started.elapsed()));
        }
        let elapsed = self.started.elapsed();
        let (mut second, mut spans_ms) = (BTreeMap::new(), BTreeMap::new());
        for (path, time) in &self.times {
            second.insert(path.clone(), host.sample(Reading::Second, path));
            // Without a free processor a reading may come seconds after the one before it.
            if host.is_live() {
                spans_ms.insert(path.clone(), millis(time.elapsed()));
            }
        }
        let window_ms = host.call("window_ms", || Ok(millis(elapsed))).unwrap_or(millis(self.length));
        Samples { window_ms, first: self.first, second, spans_ms }
    }
}

/// Milliseconds of a duration; more than 64 bits hold is cut.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
