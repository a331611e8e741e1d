//! Where the shards run.

use std::collections::BTreeMap;

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::limits::{SERVER_THREADS, ServerThread, ServerThreads};

pub(super) const CHECK: Check = Check {
    id: "cpu.pinning",
    title: "Each shard has a processor of its own",
    category: Category::Cpu,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[SERVER_THREADS.source()],
    rule: "Warns when two shards are pinned to the same processor, or when there are more shards than processors that the \
           server may use. Information otherwise: which shard may run where.",
    threshold_source: "Iggy's design: one shard a processor.",
    why: "Two shards on one processor halve each other; the busier one decides how long its clients wait.",
    remedy: "# In Iggy's configuration, then restart the server in a window:\n#   [system.sharding]\n#   cpu_allocation = \"all\"\n# And look what else restricts it:\ntaskset -apc \"$(pidof -s iggy-server)\"\nsystemctl show iggy-server -p AllowedCPUs -p CPUAffinity\n# In a container: docker inspect CONTAINER --format '{{.HostConfig.CpusetCpus}}'",
    references: &["Iggy: server configuration, [system.sharding]", "sched_setaffinity(2)"],
    privilege: "any user",
    settings: &[],
    evaluate: pinning,
};

fn pinning(case: &Case<'_>) -> Result<Judgement, Gap> {
    let threads = case.read(SERVER_THREADS)?;
    let shards: Vec<&ServerThread> = threads.threads.iter().filter(|thread| thread.shard().is_some()).collect();
    if shards.is_empty() {
        return Err(Gap::absent("no thread of the server is named as a shard"));
    }
    let columns = vec![Column::text("Shard"), Column::text("May use"), Column::number("Ran last on", Unit::Count)];
    let row = |thread: &&ServerThread| {
        let last = thread.last_cpu.map_or(Cell::Empty, |cpu| u64::from(cpu).into());
        vec![thread.name.as_str().into(), thread.allowed.ranges().into(), last]
    };
    let table = Proof::table("Shards and processors", columns, shards.iter().map(row).collect());
    Ok(judged(threads, &shards).proof(table))
}

fn judged(threads: &ServerThreads, shards: &[&ServerThread]) -> Judgement {
    let mut pinned: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for shard in shards {
        if let [cpu] = shard.allowed.0.as_slice() {
            pinned.entry(*cpu).or_default().push(&shard.name);
        }
    }
    let allowed = threads.allowed.count();
    let count = counted(shards.len(), "shard", "shards");
    match pinned.iter().find(|(_, names)| names.len() > 1) {
        Some((cpu, names)) => {
            Judgement::warn(format!("{} are pinned to the same processor {cpu}.", names.join(" and ")))
        }
        None if allowed > 0 && shards.len() > allowed => {
            Judgement::warn(format!("{count} share {}.", counted(allowed, "processor", "processors")))
        }
        None => Judgement::info(format!(
            "{count} on {}, {} of them pinned.",
            counted(allowed, "processor", "processors"),
            pinned.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cpu::CpuList;

    #[test]
    fn shards_need_a_processor_each() {
        for (allowed, shards, verdict) in [
            ("0-1", vec!["0", "1"], Verdict::Info),
            ("0-1", vec!["1", "1"], Verdict::Warn),
            ("0-1", vec!["0-1", "0-1"], Verdict::Info),
            ("0", vec!["0-1", "0-1"], Verdict::Warn),
        ] {
            let thread = |(number, cpus): (usize, &&str)| ServerThread {
                name: format!("shard-{number}"),
                allowed: CpuList::parse(cpus),
                ..ServerThread::default()
            };
            let threads = shards.iter().enumerate().map(thread).collect();
            let mut evidence = Evidence::default();
            evidence.put(SERVER_THREADS, Ok(ServerThreads { threads, dropped: 0, allowed: CpuList::parse(allowed) }));
            let judged = judge_one("cpu.pinning", &evidence).unwrap();
            assert_eq!(judged.verdict, verdict, "{allowed} {shards:?}: {}", judged.summary);
        }
        let mut evidence = Evidence::default();
        evidence.put(SERVER_THREADS, Ok(ServerThreads::default()));
        assert!(judge_one("cpu.pinning", &evidence).is_err());
    }
}
