//! Which processors there are.

use super::super::figures::{counted, float};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size::{self, GIB};
use crate::domain::verdict::Severity;
use crate::evidence::cpu::{CpuList, TOPOLOGY, Topology};
use crate::evidence::memory::MEMORY;

pub(super) const CHECK: Check = Check {
    id: "cpu.topology",
    title: "Processors, threads and memory nodes",
    category: Category::Cpu,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[TOPOLOGY.source(), MEMORY.source()],
    rule: "Warns when a processor that is there is off (second threads of cores that were switched off on purpose aside), \
           when fewer than 2 processors may be used, or with less than 2 GiB of memory a processor. Information otherwise.",
    threshold_source: "Redpanda's tuner asks for 2048 MB a core; fewer than two processors is our own judgement.",
    why: "Iggy runs one shard a processor: each needs its own, and memory for its buffers.",
    remedy: "# Switch a processor on again that the verdict names, here number 1:\necho 1 > /sys/devices/system/cpu/cpu1/online\n# Or give the machine more processors or memory, or Iggy fewer shards.",
    references: &["Linux documentation: ABI/testing/sysfs-devices-system-cpu"],
    privilege: "any user",
    settings: &[
        Setting { name: "cpus_min", default: 2.0, min: 1.0, max: 4096.0, help: "processors that must be usable" },
        Setting { name: "memory_gib_min", default: 2.0, min: 0.0, max: 1024.0, help: "memory a processor, GiB" },
    ],
    evaluate: topology,
};

fn topology(case: &Case<'_>) -> Result<Judgement, Gap> {
    let topology = case.read(TOPOLOGY)?;
    let memory_bytes = case.read(MEMORY).ok().map(|memory| memory.total_bytes);
    let allowed = topology.allowed.count();
    let each_gib = memory_bytes.map(|bytes| float(bytes) / float(GIB) / float(topology.online.count().max(1) as u64));
    let off = switched_off(topology);
    let cpus = counted(topology.online.count(), "processor", "processors");
    let nodes = counted(topology.nodes.len().max(1), "memory node", "memory nodes");
    let judged = if !off.0.is_empty() {
        Judgement::warn(format!("Of the processors that are there, these are off: {}.", off.ranges()))
    } else if float(allowed as u64) < case.setting("cpus_min") {
        Judgement::warn(format!(
            "Only {} of {cpus} may be used; at least {} should be.",
            allowed,
            case.setting("cpus_min")
        ))
    } else if let Some(gib) = each_gib.filter(|gib| *gib < case.setting("memory_gib_min")) {
        Judgement::warn(format!(
            "{cpus} share {gib:.2} GiB of memory each; at least {} GiB are asked for.",
            case.setting("memory_gib_min")
        ))
    } else {
        Judgement::info(format!("{cpus} on {nodes}."))
    };
    Ok(judged.proof(Proof::facts("Processors", facts(topology, memory_bytes))))
}

/// Processors that are there and do not run. Where threading was switched off, half of them are, on purpose.
fn switched_off(topology: &Topology) -> CpuList {
    if topology.threading.as_deref().is_some_and(|threading| threading.ends_with("off")) {
        return CpuList::default();
    }
    CpuList(topology.present.0.iter().copied().filter(|cpu| !topology.online.0.contains(cpu)).collect())
}

fn facts(topology: &Topology, memory_bytes: Option<u64>) -> Vec<(String, String)> {
    let mut facts = vec![
        ("Online".to_owned(), topology.online.ranges()),
        ("Usable by this snapshot".to_owned(), topology.allowed.ranges()),
    ];
    facts.extend(topology.model.clone().map(|model| ("Model".to_owned(), model)));
    facts.extend(topology.threading.clone().map(|threading| ("Threads of a core".to_owned(), threading)));
    if !topology.isolated.0.is_empty() {
        facts.push(("Isolated at boot".to_owned(), topology.isolated.ranges()));
    }
    facts.extend(topology.nodes.iter().map(|(node, cpus)| (format!("Memory node {node}"), cpus.ranges())));
    facts.extend(memory_bytes.map(|bytes| ("Memory".to_owned(), size::human(bytes))));
    facts
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::memory::Memory;

    #[test]
    fn processors_and_memory_are_judged_at_their_boundaries() {
        for (online, present, allowed, threading, total_bytes, verdict) in [
            ("0-1", "0-1", "0-1", "notsupported", 4 * GIB, Verdict::Info),
            ("0-1", "0-1", "0-1", "notsupported", 4 * GIB - 1, Verdict::Warn),
            ("0-1", "0-1", "0", "on", 8 * GIB, Verdict::Warn),
            ("0", "0", "0", "on", 8 * GIB, Verdict::Warn),
            ("0,2-3", "0-3", "0,2-3", "on", 8 * GIB, Verdict::Warn),
            ("0-1", "0-3", "0-1", "forceoff", 8 * GIB, Verdict::Info),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(
                TOPOLOGY,
                Ok(Topology {
                    online: CpuList::parse(online),
                    present: CpuList::parse(present),
                    allowed: CpuList::parse(allowed),
                    threading: Some(threading.into()),
                    ..Topology::default()
                }),
            );
            evidence.put(MEMORY, Ok(Memory { total_bytes, ..Memory::default() }));
            let judged = judge_one("cpu.topology", &evidence).unwrap();
            assert_eq!(judged.verdict, verdict, "{online} {allowed} {threading}: {}", judged.summary);
        }
    }
}
