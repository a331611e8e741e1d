//! Collectors of processors.

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::cpu::{CLOCK_SOURCE, ClockSource, CpuList, LOAD, Load, Shares, TOPOLOGY, Topology, USE, Use};
use crate::evidence::samples::SAMPLES;

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(TOPOLOGY, Stage::Facts, topology),
    &Collector::new(CLOCK_SOURCE, Stage::Facts, clock_source),
    &Collector::new(LOAD, Stage::Rates, load),
    &Collector::new(USE, Stage::Rates, usage),
];

/// Counter files of the sampling window.
pub(super) const SAMPLED: &[&str] = &["/proc/stat", "/proc/loadavg"];

/// Memory nodes that are looked at at most.
const NODES_MAX: usize = 1_024;

fn topology(scene: &Scene) -> Observed<Topology> {
    const FOLDER: &str = "/sys/devices/system/cpu";
    let host = &scene.host;
    let list = |name: &str| host.text(&format!("{FOLDER}/{name}")).map(|text| CpuList::parse(&text));
    let online = list("online")?;
    let status = host.call("cpus_allowed", || {
        let status = Host::live().text("/proc/self/status")?;
        Ok(super::processes::status_field(&status, "Cpus_allowed_list").unwrap_or_default().to_owned())
    });
    let cpuinfo = host.bounded("/proc/cpuinfo", 16 * 1024).map(|read| read.bytes).unwrap_or_default();
    let model = String::from_utf8_lossy(&cpuinfo).lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "model name").then(|| value.trim().to_owned())
    });
    Ok(Topology {
        present: list("present").unwrap_or_else(|_| online.clone()),
        isolated: list("isolated").unwrap_or_default(),
        threading: host.trimmed(&format!("{FOLDER}/smt/control")).ok(),
        nodes: nodes(host),
        allowed: status.map_or_else(|_| online.clone(), |text| CpuList::parse(&text)),
        model,
        online,
    })
}

fn nodes(host: &Host) -> Vec<(u32, CpuList)> {
    const FOLDER: &str = "/sys/devices/system/node";
    let names = host.list(FOLDER).unwrap_or_default();
    let mut numbers: Vec<u32> =
        names.iter().filter_map(|name| name.strip_prefix("node")?.parse().ok()).take(NODES_MAX).collect();
    numbers.sort_unstable();
    let cpus = |node: u32| host.text(&format!("{FOLDER}/node{node}/cpulist")).map(|text| CpuList::parse(&text));
    numbers.into_iter().map(|node| (node, cpus(node).unwrap_or_default())).collect()
}

fn clock_source(scene: &Scene) -> Observed<ClockSource> {
    const FOLDER: &str = "/sys/devices/system/clocksource/clocksource0";
    let available = scene.host.text(&format!("{FOLDER}/available_clocksource")).unwrap_or_default();
    Ok(ClockSource {
        current: scene.host.trimmed(&format!("{FOLDER}/current_clocksource"))?,
        available: available.split_ascii_whitespace().map(str::to_owned).collect(),
    })
}

fn load(scene: &Scene) -> Observed<Load> {
    let samples = scene.evidence.read(SAMPLES)?;
    // The first reading: our own work is not in it yet.
    let (averages, _) = samples.pair("/proc/loadavg")?;
    let (first, second) = samples.pair("/proc/stat")?;
    let broken = || Gap::broken("/proc/stat holds no counts of tasks");
    let tasks = |text: &str, name: &str| super::scalar::counter(text, name).ok_or_else(broken);
    let ours = |running: u64| running.saturating_sub(1);
    Ok(Load {
        averages: averages_of(averages).ok_or_else(|| Gap::broken("/proc/loadavg holds no load averages"))?,
        running: [ours(tasks(first, "procs_running")?), ours(tasks(second, "procs_running")?)],
        blocked: [tasks(first, "procs_blocked")?, tasks(second, "procs_blocked")?],
        pressure: super::pressure(&scene.host, "/proc/pressure/cpu"),
    })
}

fn averages_of(text: &str) -> Option<[f64; 3]> {
    let mut words = text.split_ascii_whitespace().map(|word| word.parse::<f64>().ok());
    Some([words.next()??, words.next()??, words.next()??])
}

fn usage(scene: &Scene) -> Observed<Use> {
    let (first, second) = scene.evidence.read(SAMPLES)?.pair("/proc/stat")?;
    let (before, after) = (Ticks::table(first), Ticks::table(second));
    let shares = |cpu: Option<u32>| {
        let ticks =
            |table: &[(Option<u32>, Ticks)]| table.iter().find(|(known, _)| *known == cpu).map(|(_, ticks)| *ticks);
        Some(ticks(&after)?.since(ticks(&before)?))
    };
    let each = after.iter().filter_map(|(cpu, _)| Some(((*cpu)?, shares(*cpu)?))).collect();
    Ok(Use { all: shares(None).ok_or_else(|| Gap::broken("/proc/stat holds no processor times"))?, each })
}

/// Ticks of a line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. Guest time is part of user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ticks([u64; 8]);

impl Ticks {
    /// All lines of processors; `None` is the sum of all.
    fn table(text: &str) -> Vec<(Option<u32>, Self)> {
        let line = |line: &str| {
            let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
            let cpu = if line.starts_with("cpu ") { None } else { Some(words.next()?.parse().ok()?) };
            let mut ticks = [0; 8];
            for (tick, word) in ticks.iter_mut().zip(words) {
                *tick = word.parse().ok()?;
            }
            Some((cpu, Self(ticks)))
        };
        text.lines().filter_map(line).collect()
    }

    /// Shares of the time since `earlier`. The counters of idle and iowait may go back; that counts as none.
    #[expect(clippy::cast_precision_loss, reason = "ticks of a window of seconds")]
    fn since(self, earlier: Self) -> Shares {
        let mut delta = [0; 8];
        for (delta, (now, then)) in delta.iter_mut().zip(self.0.into_iter().zip(earlier.0)) {
            *delta = now.saturating_sub(then);
        }
        let total = delta.iter().sum::<u64>().max(1) as f64;
        let share = |ticks: u64| ticks as f64 * 100.0 / total;
        let [user, nice, system, idle, waiting, irq, softirq, stolen] = delta;
        Shares {
            busy: share(delta.iter().sum::<u64>() - idle - waiting),
            user: share(user + nice),
            system: share(system + irq + softirq),
            waiting: share(waiting),
            stolen: share(stolen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_between_the_readings() {
        let first = "cpu  100 0 50 1000 10 0 0 0 0 0\ncpu0 100 0 50 1000 10 0 0 0 0 0\nintr 5\n";
        let second = "cpu  150 10 60 1100 20 5 5 20 40 0\ncpu0 150 10 60 1100 20 5 5 20 40 0\nintr 6\n";
        let (before, after) = (Ticks::table(first), Ticks::table(second));
        assert_eq!(before.len(), 2);
        let expected = Shares { busy: 47.619, user: 28.571, system: 9.524, waiting: 4.762, stolen: 9.524 };
        let shares = after[1].1.since(before[1].1);
        for (got, wanted) in [
            (shares.busy, expected.busy),
            (shares.user, expected.user),
            (shares.system, expected.system),
            (shares.waiting, expected.waiting),
            (shares.stolen, expected.stolen),
        ] {
            assert!((got - wanted).abs() < 0.001, "{shares:?}");
        }
        // A counter that goes back, and a window without a tick.
        assert_eq!(before[0].1.since(after[0].1), Shares::default());
        assert_eq!(before[0].1.since(before[0].1), Shares::default());
    }

    #[test]
    fn load_averages_are_three_numbers() {
        assert_eq!(averages_of("1.50 0.75 0.25 2/345 6789\n"), Some([1.5, 0.75, 0.25]));
        assert_eq!(averages_of("1.50 x"), None);
    }
}
