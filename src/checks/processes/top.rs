//! Who uses the machine.

use super::super::figures::percent;
use super::super::{Case, Category, Check, Setting, Tier};
use super::servers;
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::cpu::{CpuList, TOPOLOGY};
use crate::evidence::limits::SERVER_THREADS;
use crate::evidence::own::OWN;
use crate::evidence::processes::{PROCESS_RATES, PROCESSES, Process, ProcessRate, ProcessRates, Processes};

pub(super) const CHECK: Check = Check {
    id: "proc.top",
    title: "Busiest and largest processes",
    category: Category::Processes,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[PROCESSES.source(), PROCESS_RATES.source(), SERVER_THREADS.source(), TOPOLOGY.source(), OWN.source()],
    rule: "Warns when a process that is neither Iggy's nor ours used more than 50 % (neighbour_warn_percent) of a processor during the window and ran on one that a shard is pinned to. Information otherwise: the ten processes that used the most processor time during the window, and the ten with the most resident memory. Arguments are not read.",
    threshold_source: "Brendan Gregg's pidstat step names the processes; the 50 % are our own judgement.",
    why: "What is not Iggy and uses much is the first suspect when Iggy is slow.",
    remedy: "# In which unit, and on which processors?\nps -o pid,psr,pcpu,unit,comm -p PID\n# Move it to processors that no shard is pinned to (cpu.pinning names those of the shards):\nsystemctl set-property \"$(ps -o unit= -p PID)\" AllowedCPUs=CPUS\ntaskset -apc CPUS PID        # without systemd",
    references: &["proc_pid_stat(5)"],
    privilege: "any user; as root or without hidepid for processes of others",
    settings: &[Setting {
        name: "neighbour_warn_percent",
        default: 50.0,
        min: 1.0,
        max: 100_000.0,
        help: "use of a shard's processor by another process that warns, percent of one processor",
    }],
    evaluate: top,
};

/// Rows of each table.
const ROWS: usize = 10;

fn top(case: &Case<'_>) -> Result<Judgement, Gap> {
    let table = case.read(PROCESSES)?;
    let rates = case.read(PROCESS_RATES).ok();
    let busiest = rates.and_then(|rates| rates.rates.first()).and_then(|rate| Some((table.find(rate.pid)?, rate)));
    let count = table.processes.len();
    let summary = match busiest {
        Some((process, rate)) => format!(
            "{count} processes; the busiest is {} (pid {}) with {} of one processor.",
            process.program(),
            process.pid,
            percent(rate.cpu_percent)
        ),
        None => format!("{count} processes."),
    };
    let neighbour = rates.and_then(|rates| neighbour(case, table, rates));
    let mut judged = match neighbour {
        Some((process, rate, shard)) => Judgement::warn(format!(
            "{} (pid {}) used {} of a processor during the window and ran on processor {}, to which {shard} is pinned.",
            process.program(),
            process.pid,
            percent(rate.cpu_percent),
            rate.last_cpu.unwrap_or_default()
        ))
        .measured(rate.cpu_percent, Unit::Percent, percent(rate.cpu_percent))
        .expected(format!("≤ {}", percent(case.setting("neighbour_warn_percent"))))
        .remedy(away(case, process.pid)),
        None => Judgement::info(summary),
    };
    if let Some(rates) = rates {
        judged = judged.proof(by_time(table, rates));
    }
    let judged = judged.proof(by_memory(table, rates));
    Ok(table.visibility.gap().into_iter().fold(judged, Judgement::gap))
}

/// The remedy with the processors that no shard is pinned to; where each has one, there is no room to move to.
fn away(case: &Case<'_>, pid: u32) -> String {
    let pid = pid.to_string();
    let shards = case.read(SERVER_THREADS).map_or(&[][..], |server| server.threads.as_slice());
    let shards = shards.iter().filter(|thread| thread.shard().is_some() && thread.allowed.count() == 1);
    let taken: Vec<u32> = shards.flat_map(|thread| thread.allowed.0.iter().copied()).collect();
    let online = case.read(TOPOLOGY).map_or(&[][..], |topology| topology.online.0.as_slice());
    let free = CpuList(online.iter().copied().filter(|cpu| !taken.contains(cpu)).collect());
    if !free.0.is_empty() {
        return CHECK.remedy.replace("PID", &pid).replace("CPUS", &free.ranges());
    }
    if online.is_empty() {
        return CHECK.remedy.replace("PID", &pid);
    }
    format!(
        "# Each processor has a shard: let it wait for them, or move it to another host\nrenice -n 19 -p {pid}; ionice -c 3 -p {pid}\nsystemctl set-property \"$(ps -o unit= -p {pid})\" CPUWeight=idle\n# Or leave it a processor: system.sharding.cpu_allocation in Iggy's configuration, with fewer shards."
    )
}

/// The busiest process that shares its processor with a shard.
fn neighbour<'a>(
    case: &Case<'a>,
    table: &'a Processes,
    rates: &'a ProcessRates,
) -> Option<(&'a Process, &'a ProcessRate, &'a str)> {
    let threads = &case.evidence.read(SERVER_THREADS).ok()?.threads;
    let most = case.setting("neighbour_warn_percent");
    let own = case.read(OWN).map_or(0, |own| own.pid);
    let servers: Vec<u32> = servers(case).map(|server| server.pid).collect();
    // The busiest stand first.
    rates.rates.iter().take_while(|rate| rate.cpu_percent > most).find_map(|rate| {
        let process = table.find(rate.pid)?;
        let foreign = process.pid != own && process.parent != own && !servers.contains(&process.pid);
        let pinned = |cpu: u32| threads.iter().find(|thread| thread.shard().is_some() && thread.allowed.0 == [cpu]);
        let shard = rate.last_cpu.and_then(pinned)?;
        foreign.then_some((process, rate, shard.name.as_str()))
    })
}

fn columns() -> Vec<Column> {
    vec![
        Column::number("PID", Unit::Count),
        Column::text("Program"),
        Column::number("User", Unit::Count),
        Column::text("State"),
        Column::number("CPU", Unit::Percent),
        Column::text("Resident"),
        Column::number("Threads", Unit::Count),
    ]
}

fn row(process: &Process, rates: Option<&ProcessRates>) -> Vec<Cell> {
    let used = rates.and_then(|rates| rates.find(process.pid)).map(|rate| (rate.cpu_percent * 10.0).round() / 10.0);
    vec![
        u64::from(process.pid).into(),
        process.program().into(),
        u64::from(process.uid).into(),
        process.state.to_string().into(),
        used.map_or(Cell::Empty, Cell::Number),
        size::human(process.resident_bytes).into(),
        u64::from(process.threads).into(),
    ]
}

fn by_time(table: &Processes, rates: &ProcessRates) -> Proof {
    let busy = rates.rates.iter().filter(|rate| rate.cpu_percent > 0.0).filter_map(|rate| table.find(rate.pid));
    let rows = busy.take(ROWS).map(|process| row(process, Some(rates))).collect();
    Proof::table("Most processor time in the window", columns(), rows)
}

fn by_memory(table: &Processes, rates: Option<&ProcessRates>) -> Proof {
    let mut processes: Vec<&Process> = table.processes.iter().filter(|process| process.resident_bytes > 0).collect();
    processes.sort_by_key(|process| std::cmp::Reverse(process.resident_bytes));
    let rows = processes.into_iter().take(ROWS).map(|process| row(process, rates)).collect();
    Proof::table("Most resident memory", columns(), rows)
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cpu::Topology;
    use crate::evidence::limits::{ServerThread, ServerThreads};
    use crate::evidence::processes::Visibility;

    #[test]
    fn the_busiest_process_is_named_and_hidden_ones_are_a_gap() {
        let process = |pid, name: &str| Process { pid, name: name.into(), resident_bytes: 4096, ..Process::default() };
        let mut evidence = Evidence::default();
        let processes = vec![process(1, "init"), process(7, "iggy-server")];
        evidence.put(PROCESSES, Ok(Processes { processes, visibility: Visibility::OwnOnly, ..Processes::default() }));
        let rate = ProcessRate { pid: 7, cpu_percent: 150.0, ..ProcessRate::default() };
        evidence.put(PROCESS_RATES, Ok(ProcessRates { rates: vec![rate] }));
        let judged = judge_one("proc.top", &evidence).unwrap();
        assert_eq!(judged.verdict, Verdict::Info);
        assert_eq!(judged.summary, "2 processes; the busiest is iggy-server (pid 7) with 150 % of one processor.");
        assert_eq!((judged.proofs.len(), judged.gaps.len()), (2, 1));
    }

    #[test]
    fn a_busy_neighbour_on_a_shards_processor_warns() {
        for (name, cpu_percent, last_cpu, allowed, expected) in [
            ("java", 50.1, 3, "3", Verdict::Warn),
            ("java", 50.0, 3, "3", Verdict::Info),
            ("java", 90.0, 2, "3", Verdict::Info),
            ("java", 90.0, 3, "0-3", Verdict::Info),
            ("iggy-server", 90.0, 3, "3", Verdict::Info),
        ] {
            let mut evidence = Evidence::default();
            let processes = vec![Process { pid: 8, parent: 1, name: name.into(), ..Process::default() }];
            evidence.put(PROCESSES, Ok(Processes { processes, ..Processes::default() }));
            let rate = ProcessRate { pid: 8, cpu_percent, last_cpu: Some(last_cpu), ..ProcessRate::default() };
            evidence.put(PROCESS_RATES, Ok(ProcessRates { rates: vec![rate] }));
            let shard =
                ServerThread { name: "shard-3".into(), allowed: CpuList::parse(allowed), ..ServerThread::default() };
            evidence.put(SERVER_THREADS, Ok(ServerThreads { threads: vec![shard], ..ServerThreads::default() }));
            let judged = judge_one("proc.top", &evidence).unwrap();
            assert_eq!(judged.verdict, expected, "{name} {cpu_percent} {last_cpu}: {}", judged.summary);
        }
    }

    #[test]
    fn a_neighbour_is_sent_where_no_shard_is() {
        let remedy = |online: &str| {
            let mut evidence = Evidence::default();
            let processes = vec![Process { pid: 8, parent: 1, name: "java".into(), ..Process::default() }];
            evidence.put(PROCESSES, Ok(Processes { processes, ..Processes::default() }));
            let rate = ProcessRate { pid: 8, cpu_percent: 90.0, last_cpu: Some(1), ..ProcessRate::default() };
            evidence.put(PROCESS_RATES, Ok(ProcessRates { rates: vec![rate] }));
            let shard = |cpu: u32| ServerThread {
                name: format!("shard-{cpu}"),
                allowed: CpuList(vec![cpu]),
                ..ServerThread::default()
            };
            let threads = vec![shard(0), shard(1)];
            evidence.put(SERVER_THREADS, Ok(ServerThreads { threads, ..ServerThreads::default() }));
            evidence.put(TOPOLOGY, Ok(Topology { online: CpuList::parse(online), ..Topology::default() }));
            judge_one("proc.top", &evidence).unwrap().remedy.unwrap()
        };
        let free = remedy("0-7");
        assert!(free.contains("\"$(ps -o unit= -p 8)\" AllowedCPUs=2-7\ntaskset -apc 2-7 8 "), "{free}");
        let full = remedy("0-1");
        assert!(full.contains("renice -n 19 -p 8") && !full.contains("AllowedCPUs"), "{full}");
    }
}
