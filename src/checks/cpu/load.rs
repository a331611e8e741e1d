//! Whether more wants to run than can.

use super::super::figures::{float, percent};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::cpu::{LOAD, Load, TOPOLOGY};

pub(super) const CHECK: Check = Check {
    id: "cpu.load",
    title: "Processors keep up with what wants to run",
    category: Category::Cpu,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[LOAD.source(), TOPOLOGY.source()],
    rule: "Fails when tasks waited for a processor during more than 60 % of the last minute (pressure, some). Warns above \
           25 %, when the load of the last minute is above 2 a processor, or when at both ends of the window more tasks \
           could run than there are processors and the load of the last minute says the same. Information otherwise.",
    threshold_source: "node_exporter's mixin: 2 a core; Brendan Gregg's USE method: more that can run than processors; the pressure figures are our own.",
    why: "A shard that waits for its processor answers late, and all clients of that shard with it.",
    remedy: "# Who runs, where, and in which unit?\nps -eo pid,psr,pcpu,stat,unit,comm --sort=-pcpu | head -20\n# Move what does not belong here to processors that no shard is pinned to (cpu.pinning names those of the shards):\nsystemctl set-property OTHER.service AllowedCPUs=CPUS\ntaskset -apc CPUS PID        # without systemd",
    references: &["Linux documentation: accounting/psi", "node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting { name: "load_warn", default: 2.0, min: 0.1, max: 1000.0, help: "load of the last minute a processor" },
        Setting { name: "pressure_warn_percent", default: 25.0, min: 0.1, max: 100.0, help: "pressure that warns" },
        Setting { name: "pressure_fail_percent", default: 60.0, min: 0.1, max: 100.0, help: "pressure that fails" },
    ],
    evaluate: load,
};

fn load(case: &Case<'_>) -> Result<Judgement, Gap> {
    let load = case.read(LOAD)?;
    let cpus = case.read(TOPOLOGY)?.online.count().max(1) as u64;
    let [one, five, fifteen] = load.averages;
    let each = one / float(cpus);
    let pressure = load.pressure.as_ref().ok().map(|pressure| pressure.some.average_60s);
    let facts = [
        ("Load over 1, 5, 15 minutes", format!("{one:.2}, {five:.2}, {fifteen:.2}")),
        ("Processors", cpus.to_string()),
        ("Could run, start and end of the window", format!("{}, {}", load.running[0], load.running[1])),
        ("Waited for a disk, start and end", format!("{}, {}", load.blocked[0], load.blocked[1])),
        ("Pressure over the last minute", pressure.map_or_else(|| "not known".to_owned(), percent)),
    ];
    let judged = saturation(case, load, cpus, each, pressure);
    let judged = judged.proof(Proof::facts("Run queue", facts));
    Ok(load.pressure.as_ref().err().cloned().into_iter().fold(judged, Judgement::gap))
}

fn saturation(case: &Case<'_>, load: &Load, cpus: u64, each: f64, pressure: Option<f64>) -> Judgement {
    let (warn, fail) = (case.setting("pressure_warn_percent"), case.setting("pressure_fail_percent"));
    let waited = |share: f64, limit: f64| {
        format!(
            "Tasks waited for a processor during {} of the last minute, more than {}.",
            percent(share),
            percent(limit)
        )
    };
    let of_pressure = |judged: Judgement, share: f64| {
        judged.measured(share, Unit::Percent, percent(share)).expected(format!("≤ {}", percent(warn)))
    };
    match pressure {
        Some(share) if share > fail => return of_pressure(Judgement::fail(waited(share, fail)), share),
        Some(share) if share > warn => return of_pressure(Judgement::warn(waited(share, warn)), share),
        _ => {}
    }
    let load_warn = case.setting("load_warn");
    let of_load = |judged: Judgement| {
        judged
            .measured(each, Unit::Count, format!("{each:.2} a processor"))
            .expected(format!("≤ {load_warn} a processor"))
    };
    // One busy instant is no saturation: the load of the minute must agree.
    let crowded = load.running.iter().all(|running| *running > cpus) && load.averages[0] > float(cpus);
    if each > load_warn {
        of_load(Judgement::warn(format!(
            "The load of the last minute is {each:.2} a processor, more than {load_warn}."
        )))
    } else if crowded {
        of_load(Judgement::warn(format!(
            "{} and {} tasks could run at the ends of the window, on {cpus} processors.",
            load.running[0], load.running[1]
        )))
    } else {
        of_load(Judgement::info(format!("The load of the last minute is {each:.2} a processor.")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cpu::{CpuList, Topology};
    use crate::evidence::pressure::{Pressure, Stall};

    #[test]
    fn saturation_is_judged_at_its_boundaries() {
        for (load, running, pressure, verdict) in [
            (0.5, [1, 1], Some(25.0), Verdict::Info),
            (0.5, [1, 1], Some(25.1), Verdict::Warn),
            (0.5, [1, 1], Some(60.0), Verdict::Warn),
            (0.5, [1, 1], Some(60.1), Verdict::Fail),
            (4.0, [1, 1], None, Verdict::Info),
            (4.1, [1, 1], None, Verdict::Warn),
            (2.1, [3, 3], Some(0.0), Verdict::Warn),
            (2.1, [3, 2], Some(0.0), Verdict::Info),
            (2.0, [3, 3], Some(0.0), Verdict::Info),
        ] {
            let some =
                |average_60s| Pressure { some: Stall { average_60s, ..Stall::default() }, ..Pressure::default() };
            let mut evidence = Evidence::default();
            evidence.put(TOPOLOGY, Ok(Topology { online: CpuList::parse("0-1"), ..Topology::default() }));
            evidence.put(
                LOAD,
                Ok(Load {
                    averages: [load, 0.0, 0.0],
                    running,
                    blocked: [0, 0],
                    pressure: pressure.map(some).ok_or_else(|| Gap::absent("/proc/pressure/cpu does not exist")),
                }),
            );
            let judged = judge_one("cpu.load", &evidence).unwrap();
            assert_eq!(judged.verdict, verdict, "{load} {running:?} {pressure:?}: {}", judged.summary);
            assert_eq!(judged.gaps.len(), usize::from(pressure.is_none()));
        }
    }
}
