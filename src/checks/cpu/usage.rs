//! What the processors did.

use super::super::figures::percent;
use super::super::processes::servers;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{ChartKind, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::cpu::{LOAD, Shares, TOPOLOGY, USE, Use};
use crate::evidence::processes::{PROCESS_RATES, PROCESSES};

pub(super) const CHECK: Check = Check {
    id: "cpu.use",
    title: "Processor time: busy, stolen, waiting",
    category: Category::Cpu,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[USE.source(), LOAD.source(), TOPOLOGY.source(), PROCESSES.source(), PROCESS_RATES.source()],
    rule: "Over the sampling window: fails when the hypervisor stole more than 20 %; warns above 5 %, when more than 30 % \
           waited for disks, when all processors together were more than 90 % busy and the load of the last minute is at \
           least one a processor, or when one processor was 98 % busy while the mean is below 50 % and an Iggy server used \
           at least half a processor (a hot shard). Information otherwise.",
    threshold_source: "node_exporter's mixin: 90 % busy; Brendan Gregg's mpstat step; the figures for stolen time and hot processors are our own.",
    why: "Stolen time cannot be seen by Iggy and looks like a slow disk; a hot shard is a partition in the wrong place.",
    remedy: "# Which threads run where?\ntop -H -b -n 1 | head -40\n# Stolen time: ask the owner of the hypervisor, or take a machine with processors of its own.\n# A hot shard: spread its topics over more partitions.",
    references: &["proc_stat(5)", "node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting { name: "busy_warn_percent", default: 90.0, min: 1.0, max: 100.0, help: "busy time of all processors" },
        Setting { name: "stolen_warn_percent", default: 5.0, min: 0.1, max: 100.0, help: "stolen time that warns" },
        Setting { name: "stolen_fail_percent", default: 20.0, min: 0.1, max: 100.0, help: "stolen time that fails" },
        Setting {
            name: "waiting_warn_percent",
            default: 30.0,
            min: 0.1,
            max: 100.0,
            help: "time spent waiting for disks",
        },
    ],
    evaluate: usage,
};

/// A processor this busy is hot,
const HOT_PERCENT: f64 = 98.0;
/// if all together are less busy than this,
const HOT_MEAN_PERCENT: f64 = 50.0;
/// and an Iggy server used at least this much of one processor.
const SERVER_PERCENT: f64 = 50.0;

fn usage(case: &Case<'_>) -> Result<Judgement, Gap> {
    let usage = case.read(USE)?;
    let judged = judged(case, usage);
    let columns =
        ["Busy", "User", "System", "Waiting for disks", "Stolen"].map(|name| Column::number(name, Unit::Percent));
    let columns = std::iter::once(Column::text("Processor")).chain(columns).collect();
    let one_decimal = |share: f64| crate::domain::finding::Cell::Number((share * 10.0).round() / 10.0);
    let row = |name: String, shares: &Shares| {
        let cells = [shares.busy, shares.user, shares.system, shares.waiting, shares.stolen].map(one_decimal);
        std::iter::once(name.into()).chain(cells).collect::<Vec<_>>()
    };
    let each = usage.each.iter().map(|(cpu, shares)| row(cpu.to_string(), shares));
    let rows = std::iter::once(row("all".into(), &usage.all)).chain(each).collect();
    let bars = usage.each.iter().map(|(cpu, shares)| (format!("CPU {cpu}"), shares.busy));
    Ok(judged
        .proof(Proof::chart("Busy time of each processor", ChartKind::Bars, Unit::Percent, bars, Some(100.0)))
        .proof(Proof::table("Processor time in the window", columns, rows)))
}

fn judged(case: &Case<'_>, usage: &Use) -> Judgement {
    let all = usage.all;
    let stolen = |limit: f64| {
        format!("The hypervisor stole {} of the processors' time, more than {}.", percent(all.stolen), percent(limit))
    };
    let of = |judged: Judgement, share: f64, limit: f64| {
        judged.measured(share, Unit::Percent, percent(share)).expected(format!("≤ {}", percent(limit)))
    };
    let limits = ["stolen_fail_percent", "stolen_warn_percent", "waiting_warn_percent", "busy_warn_percent"];
    let [steal_fail, steal_warn, waiting_warn, busy_warn] = limits.map(|name| case.setting(name));
    if all.stolen > steal_fail {
        of(Judgement::fail(stolen(steal_fail)), all.stolen, steal_fail)
    } else if all.stolen > steal_warn {
        of(Judgement::warn(stolen(steal_warn)), all.stolen, steal_warn)
    } else if all.waiting > waiting_warn {
        let waited = percent(all.waiting);
        of(
            Judgement::warn(format!(
                "{waited} of the processors' time was spent waiting for disks, more than {}.",
                percent(waiting_warn)
            )),
            all.waiting,
            waiting_warn,
        )
    } else if all.busy > busy_warn && lasts(case) {
        let busy = percent(all.busy);
        of(
            Judgement::warn(format!(
                "All processors together were {busy} busy, more than {}, and the load lasts.",
                percent(busy_warn)
            )),
            all.busy,
            busy_warn,
        )
    } else if let Some((cpu, busy)) = hot(case, usage) {
        of(
            Judgement::warn(format!(
                "Processor {cpu} was {} busy while all together were {}: a hot shard.",
                percent(busy),
                percent(all.busy)
            )),
            busy,
            HOT_PERCENT,
        )
    } else {
        of(Judgement::info(format!("All processors together were {} busy.", percent(all.busy))), all.busy, busy_warn)
    }
}

/// Whether the load of the last minute says that a busy window was more than a moment; unknown counts as yes.
fn lasts(case: &Case<'_>) -> bool {
    let (Ok(load), Ok(topology)) = (case.read(LOAD), case.read(TOPOLOGY)) else { return true };
    load.averages[0] >= super::super::figures::float(topology.online.count() as u64)
}

fn hot(case: &Case<'_>, usage: &Use) -> Option<(u32, f64)> {
    let rates = case.read(PROCESS_RATES).ok()?;
    let used: f64 = servers(case).filter_map(|server| rates.find(server.pid)).map(|rate| rate.cpu_percent).sum();
    let hottest = usage.each.iter().max_by(|(_, a), (_, b)| a.busy.total_cmp(&b.busy))?;
    let hot = hottest.1.busy >= HOT_PERCENT && usage.all.busy < HOT_MEAN_PERCENT && used >= SERVER_PERCENT;
    hot.then_some((hottest.0, hottest.1.busy))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cpu::{CpuList, Load, Topology};
    use crate::evidence::pressure::Pressure;
    use crate::evidence::processes::{Process, ProcessRate, ProcessRates, Processes};

    fn evidence(all: Shares, load: f64) -> Evidence {
        let mut evidence = Evidence::default();
        evidence.put(USE, Ok(Use { all, each: vec![(0, all)] }));
        evidence.put(TOPOLOGY, Ok(Topology { online: CpuList::parse("0-1"), ..Topology::default() }));
        let pressure = Ok(Pressure::default());
        evidence.put(LOAD, Ok(Load { averages: [load, 0.0, 0.0], running: [0, 0], blocked: [0, 0], pressure }));
        evidence
    }

    #[test]
    fn shares_are_judged_at_their_boundaries() {
        let busy = |busy| Shares { busy, ..Shares::default() };
        let stolen = |stolen| Shares { stolen, ..Shares::default() };
        let waiting = |waiting| Shares { waiting, ..Shares::default() };
        for (all, load, verdict) in [
            (busy(90.0), 9.0, Verdict::Info),
            (busy(90.1), 2.0, Verdict::Warn),
            (busy(90.1), 1.9, Verdict::Info),
            (stolen(5.0), 0.0, Verdict::Info),
            (stolen(5.1), 0.0, Verdict::Warn),
            (stolen(20.0), 0.0, Verdict::Warn),
            (stolen(20.1), 0.0, Verdict::Fail),
            (waiting(30.0), 0.0, Verdict::Info),
            (waiting(30.1), 0.0, Verdict::Warn),
        ] {
            let judged = judge_one("cpu.use", &evidence(all, load)).unwrap();
            assert_eq!(judged.verdict, verdict, "{all:?}: {}", judged.summary);
        }
    }

    #[test]
    fn a_hot_processor_counts_only_while_iggy_is_busy() {
        for (hottest, mean, server, verdict) in [
            (98.0, 49.0, 50.0, Verdict::Warn),
            (97.9, 49.0, 50.0, Verdict::Info),
            (98.0, 50.0, 50.0, Verdict::Info),
            (98.0, 49.0, 49.0, Verdict::Info),
        ] {
            let shares = |busy| Shares { busy, ..Shares::default() };
            let mut evidence = evidence(shares(mean), 0.0);
            evidence.put(USE, Ok(Use { all: shares(mean), each: vec![(0, shares(1.0)), (3, shares(hottest))] }));
            let process = Process { pid: 7, name: "iggy-server".into(), ..Process::default() };
            evidence.put(PROCESSES, Ok(Processes { processes: vec![process], ..Processes::default() }));
            let rate = ProcessRate { pid: 7, cpu_percent: server, ..ProcessRate::default() };
            evidence.put(PROCESS_RATES, Ok(ProcessRates { rates: vec![rate] }));
            let judged = judge_one("cpu.use", &evidence).unwrap();
            assert_eq!(judged.verdict, verdict, "{hottest} {mean} {server}: {}", judged.summary);
        }
    }
}
