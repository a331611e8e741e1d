//! Whether memory comes from the near node.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::memory::{MEMORY_NODES, MemoryNode, PAGING};
use crate::evidence::system::PARAMETERS;

pub(super) const CHECK: Check = Check {
    id: "mem.numa",
    title: "Memory comes from the near node",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[MEMORY_NODES.source(), PAGING.source(), PARAMETERS.source()],
    rule: "Passes with one memory node. With several: warns when vm.zone_reclaim_mode is not 0, when more than 10 % of at \
           least 1000 pages came from another node than asked for during the window, or when one node has less than 5 % free \
           while another has more than 30 %. Information when kernel.numa_balancing is on; passes otherwise.",
    threshold_source: "ClickHouse and MongoDB warn of zone_reclaim_mode; the other figures are our own judgement.",
    why: "A shard whose memory lies on the far node reads each message over the link between the sockets.",
    remedy: "sysctl -w vm.zone_reclaim_mode=0\necho 'vm.zone_reclaim_mode = 0' > /etc/sysctl.d/90-iggy-numa.conf\nnumastat -m\n# In Iggy's configuration: spread the shards over the nodes\n#   [system.sharding]\n#   cpu_allocation = \"numa:auto\"",
    references: &["Linux documentation: admin-guide/numastat", "numa(7)"],
    privilege: "any user",
    settings: &[Setting {
        name: "miss_warn_percent",
        default: 10.0,
        min: 0.1,
        max: 100.0,
        help: "pages from another node",
    }],
    evaluate: nodes,
};

/// Pages below which a share says nothing.
const PAGES_MIN: u64 = 1000;
/// A node with less free is full,
const FULL_PERCENT: f64 = 5.0;
/// if another has more than this.
const ROOM_PERCENT: f64 = 30.0;

fn nodes(case: &Case<'_>) -> Result<Judgement, Gap> {
    let nodes = case.read(MEMORY_NODES)?;
    if let [only] = nodes.as_slice() {
        return Ok(Judgement::pass(format!("There is one memory node, of {}.", size::human(only.total_bytes))));
    }
    let columns =
        vec![Column::number("Node", Unit::Count), Column::text("Memory"), Column::text("Free"), Column::text("Share")];
    let row = |node: &MemoryNode| {
        let sizes = [size::human(node.total_bytes), size::human(node.free_bytes), percent(free(node))].map(Into::into);
        std::iter::once(u64::from(node.node).into()).chain(sizes).collect()
    };
    let table = Proof::table("Memory nodes", columns, nodes.iter().map(row).collect());
    Ok(judged(case, nodes).proof(table))
}

fn free(node: &MemoryNode) -> f64 {
    share(node.free_bytes, node.total_bytes)
}

fn judged(case: &Case<'_>, nodes: &[MemoryNode]) -> Judgement {
    let parameter = |name: &str| case.read(PARAMETERS).ok().and_then(|all| all.values.get(name).cloned());
    let reclaim = parameter("vm.zone_reclaim_mode").unwrap_or_default();
    let (hits, misses) = case.read(PAGING).map_or((0, 0), |paging| (paging.node_hits, paging.node_misses));
    let (far, warn) = (share(misses, hits + misses), case.setting("miss_warn_percent"));
    let fullest = nodes.iter().min_by(|a, b| free(a).total_cmp(&free(b)));
    let emptiest = nodes.iter().max_by(|a, b| free(a).total_cmp(&free(b)));
    let count = nodes.len();
    if !matches!(reclaim.as_str(), "" | "0") {
        return Judgement::warn(format!(
            "vm.zone_reclaim_mode is {reclaim}: a full node drops its file cache before it uses another's memory."
        ));
    }
    if hits + misses >= PAGES_MIN && far > warn {
        return Judgement::warn(format!(
            "{} of {} pages came from another node than asked for, more than {}.",
            percent(far),
            hits + misses,
            percent(warn)
        ))
        .measured(far, Unit::Percent, percent(far))
        .expected(format!("≤ {}", percent(warn)));
    }
    match (fullest, emptiest) {
        (Some(full), Some(empty)) if free(full) < FULL_PERCENT && free(empty) > ROOM_PERCENT => {
            Judgement::warn(format!(
                "Memory node {} has {} free while node {} has {}.",
                full.node,
                percent(free(full)),
                empty.node,
                percent(free(empty))
            ))
        }
        _ if parameter("kernel.numa_balancing").is_some_and(|value| value != "0") => Judgement::info(format!(
            "{count} memory nodes; kernel.numa_balancing is on and may move pages of pinned shards."
        )),
        _ => Judgement::pass(format!("{count} memory nodes, evenly used.")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Settings, find};
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::memory::Paging;
    use crate::evidence::system::Parameters;

    #[test]
    fn nodes_are_judged_at_their_boundaries() {
        let node = |node, free_bytes| MemoryNode { node, total_bytes: 1000, free_bytes };
        for (frees, reclaim, balancing, hits, misses, verdict) in [
            (vec![900], "1", "1", 0, 0, Verdict::Pass),
            (vec![500, 500], "0", "0", 900, 100, Verdict::Pass),
            (vec![500, 500], "0", "0", 899, 101, Verdict::Warn),
            (vec![500, 500], "0", "0", 8, 92, Verdict::Pass),
            (vec![500, 500], "0", "1", 0, 0, Verdict::Info),
            (vec![500, 500], "1", "0", 0, 0, Verdict::Warn),
            (vec![49, 301], "0", "0", 0, 0, Verdict::Warn),
            (vec![50, 301], "0", "0", 0, 0, Verdict::Pass),
            (vec![49, 300], "0", "0", 0, 0, Verdict::Pass),
        ] {
            let mut evidence = Evidence::default();
            let nodes: Vec<MemoryNode> = (0..).zip(&frees).map(|(number, free)| node(number, *free)).collect();
            evidence.put(MEMORY_NODES, Ok(nodes));
            let values =
                [("vm.zone_reclaim_mode", reclaim.to_owned()), ("kernel.numa_balancing", balancing.to_owned())];
            evidence.put(PARAMETERS, Ok(Parameters { values: values.into(), gaps: Vec::new() }));
            evidence.put(PAGING, Ok(Paging { node_hits: hits, node_misses: misses, ..Paging::default() }));
            let (settings, check) = (Settings::default(), find("mem.numa").unwrap());
            let now = Timestamp::from_unix(0);
            let judged =
                super::nodes(&Case { evidence: &evidence, now, findings: &[], check, settings: &settings }).unwrap();
            assert_eq!(judged.verdict, verdict, "{frees:?} {reclaim} {hits} {misses}: {}", judged.summary);
        }
    }
}
