//! Collector of the table of processes.

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scene::Scene;
use crate::evidence::Observed;
use crate::evidence::processes::{
    PROCESS_RATES, PROCESSES, Process, ProcessRate, ProcessRates, ProcessStat, Processes, Visibility,
};
use crate::evidence::samples::{SAMPLES, Samples};

pub(super) const COLLECTORS: &[&dyn Collect] =
    &[&Collector::new(PROCESSES, Stage::Facts, processes), &Collector::new(PROCESS_RATES, Stage::Rates, rates)];

/// Processes that are looked at at most: three small files each, about a third of the collector's limit.
pub(super) const PROCESSES_MAX: usize = 8_192;
/// Processes that wait for a device and are asked where.
const WAITING_MAX: usize = 256;
/// Bytes of a command line that are read: enough for any path, and the rest is not wanted.
const ARGV0_BYTES_MAX: usize = 4_096;
/// Ticks in a second as /proc shows them (`USER_HZ`), if the kernel does not say: 100 on every common architecture.
const TICKS_PER_S: u64 = 100;

/// The names in /proc that are process ids.
pub(super) fn pids(host: &Host) -> Observed<Vec<u32>> {
    let mut pids: Vec<u32> = host.list("/proc")?.iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    Ok(pids)
}

fn processes(scene: &Scene) -> Observed<Processes> {
    let host = &scene.host;
    let pids = pids(host)?;
    let dropped = pids.len().saturating_sub(PROCESSES_MAX) as u64;
    let processes: Vec<Process> = pids.iter().take(PROCESSES_MAX).filter_map(|pid| process(host, *pid)).collect();
    // Pid 1 belongs to somebody else on every host where we are not root, and root sees all.
    let visibility = if processes.iter().any(|one| one.pid == 1) { Visibility::All } else { Visibility::OwnOnly };
    let ticks_per_s = host.call("clock_ticks", || Ok(rustix::param::clock_ticks_per_second()));
    Ok(Processes { processes, dropped, visibility, ticks_per_s: ticks_per_s.unwrap_or(TICKS_PER_S).max(1) })
}

/// One process; `None` if it has ended since, or may not be seen.
fn process(host: &Host, pid: u32) -> Option<Process> {
    let stat = ProcessStat::parse(&host.text(&format!("/proc/{pid}/stat")).ok()?)?;
    let status = host.text(&format!("/proc/{pid}/status")).ok()?;
    let argv0 = host.first_word(&format!("/proc/{pid}/cmdline"), ARGV0_BYTES_MAX).ok();
    let kind = stat.kind();
    Some(Process {
        pid,
        parent: stat.parent,
        name: stat.name,
        argv0: argv0.filter(|word| !word.is_empty()),
        uid: status_field(&status, "Uid")?.split_ascii_whitespace().nth(1)?.parse().ok()?,
        state: stat.state,
        resident_bytes: status_bytes(&status, "VmRSS"),
        swapped_bytes: status_bytes(&status, "VmSwap"),
        threads: stat.threads,
        cpu_ticks: stat.cpu_ticks,
        started_ticks: stat.started_ticks,
        kind,
    })
}

fn rates(scene: &Scene) -> Observed<ProcessRates> {
    let samples = scene.evidence.read(SAMPLES)?;
    let ticks_per_s = scene.evidence.read(PROCESSES)?.ticks_per_s;
    let mut rates: Vec<ProcessRate> =
        samples.first.keys().filter_map(|path| rate(samples, path, ticks_per_s)).collect();
    for rate in rates.iter_mut().filter(|rate| rate.states == ['D', 'D']).take(WAITING_MAX) {
        // `0` where the kernel does not tell us.
        let function = scene.host.trimmed(&format!("/proc/{}/wchan", rate.pid)).ok();
        rate.waits_in = function.filter(|name| !name.is_empty() && name != "0");
    }
    rates.sort_by(|a, b| b.cpu_percent.total_cmp(&a.cpu_percent).then(a.pid.cmp(&b.pid)));
    Ok(ProcessRates { rates })
}

/// What one process used; `None` if it was not there at both ends of the window.
#[expect(clippy::cast_precision_loss, reason = "ticks of a window of seconds")]
fn rate(samples: &Samples, path: &str, ticks_per_s: u64) -> Option<ProcessRate> {
    let pid = path.strip_prefix("/proc/")?.strip_suffix("/stat")?.parse().ok()?;
    let (first, second) = samples.pair(path).ok()?;
    let (first, second) = (ProcessStat::parse(first)?, ProcessStat::parse(second)?);
    let ticks = second.cpu_ticks.saturating_sub(first.cpu_ticks) as f64;
    // A pid that was given to another process in between.
    (first.started_ticks == second.started_ticks).then(|| ProcessRate {
        pid,
        cpu_percent: ticks * 100.0 / ticks_per_s as f64 / samples.span_s(path),
        last_cpu: second.last_cpu,
        states: [first.state, second.state],
        waits_in: None,
    })
}

/// The value of a line of /proc/PID/status.
pub(super) fn status_field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

/// A size of /proc/PID/status, which counts in kibibytes; 0 where there is none (kernel threads).
fn status_bytes(status: &str, name: &str) -> u64 {
    let number = status_field(status, name).and_then(|value| value.split_ascii_whitespace().next()?.parse().ok());
    number.unwrap_or(0_u64).saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::super::scene::testing::{scene, write};
    use super::*;
    use crate::evidence::processes::ProcessKind;

    #[test]
    fn arguments_never_become_evidence() {
        let tree = tempfile::tempdir().unwrap();
        let stat = b"7 (iggy-server) S 1 7 7 0 -1 4194560 1 2 3 4 70 30 5 6 20 0 11 0 12345 1 2 3";
        write(tree.path(), "proc/7/stat", stat);
        write(
            tree.path(),
            "proc/7/status",
            b"Name:\tiggy-server\nUid:\t0\t1000\t0\t0\nVmRSS:\t    2048 kB\nVmSwap:\t 4 kB\n",
        );
        write(tree.path(), "proc/7/cmdline", b"/opt/iggy/iggy-server\0--password\0hunter2\0");
        write(tree.path(), "proc/8/stat", b"gone");
        write(tree.path(), "proc/sys/x", b"");
        let seen = processes(&scene(Host::recorded(tree.path()).unwrap())).unwrap();
        let expected = Process {
            pid: 7,
            parent: 1,
            name: "iggy-server".into(),
            argv0: Some("/opt/iggy/iggy-server".into()),
            uid: 1000,
            state: 'S',
            resident_bytes: 2 << 20,
            swapped_bytes: 4096,
            threads: 11,
            cpu_ticks: 100,
            started_ticks: 12_345,
            kind: ProcessKind::Program,
        };
        let visibility = Visibility::OwnOnly;
        assert_eq!(seen, Processes { processes: vec![expected], dropped: 0, visibility, ticks_per_s: 100 });
    }

    #[test]
    fn a_rate_is_of_one_process_over_the_window() {
        let stat = |ticks: u64, started: u64| {
            let tail = "23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 1 40";
            Ok(format!("7 (x) R 1 7 7 0 -1 0 1 2 3 4 {ticks} 0 5 6 20 0 1 0 {started} {tail}"))
        };
        let samples = |started: [u64; 2]| Samples {
            window_ms: 2000,
            first: [("/proc/7/stat".to_owned(), stat(100, started[0]))].into(),
            second: [("/proc/7/stat".to_owned(), stat(150, started[1]))].into(),
            ..Samples::default()
        };
        let expected = ProcessRate { pid: 7, cpu_percent: 25.0, last_cpu: Some(1), states: ['R', 'R'], waits_in: None };
        assert_eq!(rate(&samples([5, 5]), "/proc/7/stat", 100), Some(expected));
        assert_eq!(rate(&samples([5, 6]), "/proc/7/stat", 100), None);
    }

    #[test]
    fn this_machine_has_this_process() {
        let seen = processes(&scene(Host::live())).unwrap();
        let own = seen.find(std::process::id()).unwrap();
        assert_eq!(own.uid, rustix::process::geteuid().as_raw());
        assert!(own.resident_bytes > 0 && own.threads > 0 && own.started_ticks > 0, "{own:?}");
    }
}
