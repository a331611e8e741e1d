//! Whether the clock is right.

use super::super::figures::float;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::processes::{PROCESSES, Processes};
use crate::evidence::system::PLATFORM;
use crate::evidence::time::{KERNEL_CLOCK, KernelClock};

pub(super) const CHECK: Check = Check {
    id: "time.sync",
    title: "The clock is synchronised",
    category: Category::Time,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[KERNEL_CLOCK.source(), PROCESSES.source(), IGGY_CONFIG.source(), PLATFORM.source()],
    rule: "Fails when the offset that the kernel still has to work off is 500 ms or more, and when the kernel counts the clock of \
           a cluster's node as unsynchronised. Warns when it counts that of a single node so, when its largest possible error is 16 s or more, when the offset is above 50 ms, or \
           when two time services run. Passes otherwise. No time server is asked.",
    threshold_source: "TiUP fails at 500 ms; node_exporter's mixin warns at 50 ms and at a largest error of 16 s.",
    why: "Messages carry the server's time, retention deletes by it, and tokens and certificates expire by it.",
    remedy: "apt install chrony        # or: dnf install chrony\nsystemctl enable --now chrony   # its unit is chronyd on Red Hat and SUSE\nchronyc tracking\n# Another one beside it, if it is there:\nsystemctl disable --now systemd-timesyncd\n# In a container: the clock is its host's, do this there.",
    references: &["adjtimex(2)", "node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "offset_warn_ms",
            default: 50.0,
            min: 0.0,
            max: 60_000.0,
            help: "the largest offset that does not warn",
        },
        Setting {
            name: "offset_fail_ms",
            default: 500.0,
            min: 1.0,
            max: 60_000.0,
            help: "the smallest offset that fails",
        },
        Setting {
            name: "error_warn_s",
            default: 16.0,
            min: 0.001,
            max: 3600.0,
            help: "the smallest possible error that warns",
        },
    ],
    evaluate: sync,
};

/// Programs that discipline the clock: the name that the kernel keeps (at most 15 bytes) → the service.
const SERVICES: &[(&str, &str)] = &[
    ("chronyd", "chrony"),
    ("systemd-timesyn", "systemd-timesyncd"),
    ("ntpd", "ntpd"),
    ("ntpsec", "ntpd"),
    ("openntpd", "ntpd"),
    ("ptp4l", "linuxptp"),
    ("phc2sys", "linuxptp"),
];

/// A container has no clock of its own.
const OF_HOST: &str = "# The clock is that of the host on which this container runs. There:\nchronyc tracking || timedatectl\napt install chrony        # or: dnf install chrony";

fn sync(case: &Case<'_>) -> Result<Judgement, Gap> {
    let clock = case.read(KERNEL_CLOCK)?;
    let services = case.read(PROCESSES).map(services).unwrap_or_default();
    let offset_ms = float(clock.offset_us.unsigned_abs()) / 1000.0;
    let shown = |none: &str| if services.is_empty() { none.to_owned() } else { services.join(", ") };
    let facts = [
        ("Synchronised", if clock.synchronised { "yes" } else { "no" }.to_owned()),
        ("Offset left to work off", format!("{:.3} ms", float(clock.offset_us.unsigned_abs()) / 1000.0)),
        ("Largest possible error", format!("{:.3} s", seconds(clock.error_max_us))),
        ("Estimated error", format!("{:.3} s", seconds(clock.error_estimate_us))),
        ("Correction of speed", format!("{:.3} ppm", milli(clock.frequency_ppb))),
        ("Status bits", format!("{:#x}", clock.status)),
        ("Time services running", shown("none seen")),
    ];
    let clustered = case.read(IGGY_CONFIG).is_ok_and(|config| config.server.cluster.enabled == Some(true));
    let judged = judged(case, clock, offset_ms, &services, if clustered { Nodes::Several } else { Nodes::One });
    let contained = case.read(PLATFORM).is_ok_and(|platform| platform.container.is_some());
    let judged = if contained { judged.remedy(OF_HOST) } else { judged };
    // How far two nodes are apart takes both of them.
    let others = clustered.then(|| {
        Gap::not_applicable("how far the clocks of the cluster's other nodes are off is not seen from here")
            .unlocked_by("a snapshot of each node: compare their offsets")
    });
    let judged = others.into_iter().fold(judged, Judgement::gap);
    Ok(judged
        .measured(offset_ms, Unit::Milliseconds, format!("{offset_ms:.3} ms"))
        .expected(format!("synchronised, offset ≤ {} ms", case.setting("offset_warn_ms")))
        .proof(Proof::facts("The kernel's clock", facts)))
}

/// How many nodes must agree on the time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nodes {
    One,
    Several,
}

fn judged(case: &Case<'_>, clock: &KernelClock, offset_ms: f64, services: &[&str], nodes: Nodes) -> Judgement {
    let (warn_ms, fail_ms) = (case.setting("offset_warn_ms"), case.setting("offset_fail_ms"));
    let error_s = seconds(clock.error_max_us);
    let who = if services.is_empty() { "no time service was seen running" } else { "a time service runs" };
    if offset_ms >= fail_ms {
        Judgement::fail(format!("The clock is {offset_ms:.1} ms off; {fail_ms} ms is too much."))
    } else if !clock.synchronised && nodes == Nodes::Several {
        Judgement::fail(format!("The kernel counts the clock of this cluster's node as unsynchronised; {who}."))
    } else if !clock.synchronised {
        Judgement::warn(format!("The kernel counts its clock as unsynchronised; {who}."))
    } else if error_s >= case.setting("error_warn_s") {
        Judgement::warn(format!("The clock may be wrong by up to {error_s:.1} s: nobody has set it for long; {who}."))
    } else if offset_ms > warn_ms {
        Judgement::warn(format!("The clock is {offset_ms:.1} ms off, more than {warn_ms} ms."))
    } else if services.len() > 1 {
        Judgement::warn(format!("Two time services pull at the clock: {}.", services.join(" and ")))
            .remedy("# Keep one, for example chrony\nsystemctl disable --now systemd-timesyncd ntpd\nchronyc tracking")
    } else {
        Judgement::pass(format!("The clock is synchronised, {offset_ms:.1} ms off."))
    }
}

/// The time services that run, each once.
fn services(table: &Processes) -> Vec<&'static str> {
    let runs = |program: &str| table.processes.iter().any(|process| process.name == program);
    let mut running: Vec<&str> = SERVICES.iter().filter(|(program, _)| runs(program)).map(|(_, name)| *name).collect();
    running.dedup();
    // linuxptp sets the clock by hardware and stands beside nobody; a second service of the others does.
    running
}

#[expect(clippy::cast_precision_loss, reason = "shown with three decimals")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "shown with three decimals")]
fn milli(value: i64) -> f64 {
    value as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::config::IggyConfig;
    use crate::evidence::processes::Process;
    use crate::iggy::config::ServerConfig;

    fn verdict(clock: KernelClock, programs: &[&str]) -> (Verdict, String) {
        let process = |name: &&str| Process { name: (*name).into(), ..Process::default() };
        let mut evidence = Evidence::default();
        evidence.put(KERNEL_CLOCK, Ok(clock));
        evidence.put(
            PROCESSES,
            Ok(Processes { processes: programs.iter().map(process).collect(), ..Processes::default() }),
        );
        let judged = judge_one("time.sync", &evidence).unwrap();
        (judged.verdict, judged.summary)
    }

    const GOOD: KernelClock = KernelClock {
        synchronised: true,
        status: 0x2001,
        offset_us: 12,
        error_max_us: 5_000,
        error_estimate_us: 100,
        frequency_ppb: 1_500,
    };

    #[test]
    fn the_clock_is_judged_at_its_boundaries() {
        for (clock, expected) in [
            (GOOD, Verdict::Pass),
            (KernelClock { offset_us: 50_000, ..GOOD }, Verdict::Pass),
            (KernelClock { offset_us: -50_001, ..GOOD }, Verdict::Warn),
            (KernelClock { offset_us: 499_999, ..GOOD }, Verdict::Warn),
            (KernelClock { offset_us: -500_000, ..GOOD }, Verdict::Fail),
            (KernelClock { error_max_us: 15_999_999, ..GOOD }, Verdict::Pass),
            (KernelClock { error_max_us: 16_000_000, ..GOOD }, Verdict::Warn),
            (KernelClock { synchronised: false, ..GOOD }, Verdict::Warn),
        ] {
            assert_eq!(verdict(clock, &["chronyd"]).0, expected, "{clock:?}");
        }
    }

    #[test]
    fn two_services_are_too_many_and_two_processes_of_one_are_not() {
        assert_eq!(verdict(GOOD, &["chronyd", "chronyd"]).0, Verdict::Pass);
        assert_eq!(verdict(GOOD, &["ptp4l", "phc2sys"]).0, Verdict::Pass);
        let (verdict, summary) = verdict(GOOD, &["chronyd", "systemd-timesyn"]);
        assert_eq!(
            (verdict, summary.as_str()),
            (Verdict::Warn, "Two time services pull at the clock: chrony and systemd-timesyncd.")
        );
    }

    #[test]
    fn the_nodes_of_a_cluster_must_agree() {
        for (enabled, expected) in [(true, Verdict::Fail), (false, Verdict::Warn)] {
            let server =
                ServerConfig::parse(&format!("[tcp]\nenabled = true\n[cluster]\nenabled = {enabled}\n")).unwrap();
            let mut evidence = Evidence::default();
            evidence.put(KERNEL_CLOCK, Ok(KernelClock { synchronised: false, ..GOOD }));
            evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
            let judged = judge_one("time.sync", &evidence).unwrap();
            assert_eq!((judged.verdict, judged.gaps.len()), (expected, usize::from(enabled)));
        }
    }
}
