//! Whether the memory that Iggy is configured to take fits.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::IGGY_CGROUP;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::cpu::TOPOLOGY;
use crate::evidence::limits::{SERVER_THREADS, ServerThreads};
use crate::evidence::memory::{MEMORY, MEMORY_POOL};
use crate::iggy::config::Release;

pub(super) const CHECK: Check = Check {
    id: "mem.budget",
    title: "Iggy's configured memory fits",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[
        MEMORY_POOL.source(),
        MEMORY.source(),
        IGGY_CGROUP.source(),
        IGGY_CONFIG.source(),
        SERVER_THREADS.source(),
        TOPOLOGY.source(),
    ],
    rule: "Fails when system.memory_pool.size is more than the machine's memory or the limit of the server's control group. \
           Warns above 50 % of it. In a cluster of release 0.9 (edge), what members may take that serve and receive segments counts as well \
           (each shard partition.transfer_served_cache_bytes_max, and four times transfer_artifact_bytes_max): warns when that and the pool come to \
           more than 80 % (transfers_warn_percent), information when both are the release's defaults. Passes otherwise, and when the pool is off.",
    threshold_source: "Iggy's configuration names the pool as what it may take, and asks to keep the product of shards and cache in mind; the shares are our own judgement.",
    why: "What the pool takes is missing to the file cache that reads are served from, and beyond the limit the kernel kills the server.",
    remedy: "# In Iggy's configuration (or IGGY_SYSTEM_MEMORY_POOL_SIZE), at most half of the memory that the verdict names:\n#   [system.memory_pool]\n#   size = \"2 GiB\"\n# then, in a maintenance window\nsystemctl restart iggy-server",
    references: &["Iggy: server configuration, [system.memory_pool]"],
    privilege: "CAP_DAC_READ_SEARCH for the configuration",
    settings: &[
        Setting {
            name: "warn_percent",
            default: 50.0,
            min: 1.0,
            max: 100.0,
            help: "the largest share of the memory that does not warn",
        },
        Setting {
            name: "transfers_warn_percent",
            default: 80.0,
            min: 1.0,
            max: 1000.0,
            help: "the largest share of pool and transfers together that does not warn",
        },
    ],
    evaluate: budget,
};

/// What brings the exchange of segments down.
const EXCHANGE: &str = "# In Iggy's configuration; each shard takes the first, and four of the second can be under way:\n#   [partition]\n#   transfer_served_cache_bytes_max = \"2176 MiB\"\n#   transfer_artifact_bytes_max = \"1088 MiB\"\n# or fewer shards ([system.sharding] cpu_allocation), then in a maintenance window\nsystemctl restart iggy-server";

/// What 0.9 has unless it is told otherwise.
const SERVED_DEFAULT_BYTES: u64 = 2176 << 20;
const ARTIFACT_DEFAULT_BYTES: u64 = 1088 << 20;
/// Segments that a member receives at a time.
const RECEIVED: u64 = 4;

/// What a cluster's member may take for segments that it serves and receives.
struct Transfers {
    bytes: u64,
    shards: u64,
    set: SetBy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SetBy {
    Release,
    Operator,
}

fn transfers(case: &Case<'_>) -> Option<Transfers> {
    let config = &case.read(IGGY_CONFIG).ok()?.server;
    if config.release != Release::Edge || config.cluster.enabled != Some(true) {
        return None;
    }
    let running = case.read(SERVER_THREADS).map_or(0, ServerThreads::shards);
    let shards = if running > 0 { running } else { case.read(TOPOLOGY).map_or(1, |topology| topology.online.count()) };
    let shards = shards.max(1) as u64;
    let served = config.edge.transfer_served_cache_bytes_max.unwrap_or(SERVED_DEFAULT_BYTES);
    let artifact = config.edge.transfer_artifact_bytes_max.unwrap_or(ARTIFACT_DEFAULT_BYTES);
    let default = served == SERVED_DEFAULT_BYTES && artifact == ARTIFACT_DEFAULT_BYTES;
    Some(Transfers {
        bytes: shards.saturating_mul(served).saturating_add(RECEIVED.saturating_mul(artifact)),
        shards,
        set: if default { SetBy::Release } else { SetBy::Operator },
    })
}

fn budget(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (pool, transfers) = (*case.read(MEMORY_POOL)?, transfers(case));
    if pool.is_none() && transfers.is_none() {
        return Ok(Judgement::pass("Iggy's memory pool is off."));
    }
    let pool = pool.unwrap_or(0);
    let machine = case.read(MEMORY)?.total_bytes;
    let group = case.read(IGGY_CGROUP).ok().and_then(|group| group.memory_max_bytes).filter(|max| *max < machine);
    let (limit, whose) =
        group.map_or((machine, "the machine's memory"), |max| (max, "the control group's memory limit"));
    let (warn, used) = (case.setting("warn_percent"), share(pool, limit));
    let fact =
        format!("Iggy's memory pool of {} is {} of {whose} ({})", size::human(pool), percent(used), size::human(limit));
    let together_max = case.setting("transfers_warn_percent");
    let together = transfers.as_ref().map(|transfers| (transfers, share(pool.saturating_add(transfers.bytes), limit)));
    let judged = if pool > limit {
        Judgement::fail(format!("{fact}: it does not fit."))
    } else if used > warn {
        Judgement::warn(format!("{fact}, more than {}.", percent(warn)))
    } else if let Some((transfers, share)) = together.filter(|(_, share)| *share > together_max) {
        let fact = format!(
            "{fact}; with {} for segments that members exchange ({} shards) it may come to {}, more than {}.",
            size::human(transfers.bytes),
            transfers.shards,
            percent(share),
            percent(together_max)
        );
        match transfers.set {
            SetBy::Release => Judgement::info(format!("{fact} These are the release's defaults.")),
            SetBy::Operator => Judgement::warn(fact).remedy(EXCHANGE),
        }
    } else {
        Judgement::pass(format!("{fact}."))
    };
    let exchange = transfers.map(|transfers| ("Segments that members exchange", size::human(transfers.bytes)));
    let facts = [("Memory pool", size::human(pool)), ("Memory", size::human(machine))];
    let limits = group.map(|max| ("Limit of the control group", size::human(max)));
    Ok(judged
        .measured(float(pool), Unit::Bytes, size::human(pool))
        .expected(format!("≤ {} of {}", percent(warn), size::human(limit)))
        .proof(Proof::facts("Memory budget", facts.into_iter().chain(limits).chain(exchange))))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cgroup::Cgroup;
    use crate::evidence::config::IggyConfig;
    use crate::evidence::cpu::{CpuList, Topology};
    use crate::evidence::memory::Memory;
    use crate::iggy::config::ServerConfig;

    #[test]
    fn the_pool_is_judged_against_the_smaller_limit() {
        for (pool, max, verdict) in [
            (None, None, Verdict::Pass),
            (Some(500), None, Verdict::Pass),
            (Some(501), None, Verdict::Warn),
            (Some(1000), None, Verdict::Warn),
            (Some(1001), None, Verdict::Fail),
            (Some(300), Some(500), Verdict::Warn),
            (Some(501), Some(500), Verdict::Fail),
            (Some(500), Some(5000), Verdict::Pass),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(MEMORY_POOL, Ok(pool));
            evidence.put(MEMORY, Ok(Memory { total_bytes: 1000, ..Memory::default() }));
            evidence.put(IGGY_CGROUP, Ok(Cgroup { memory_max_bytes: max, ..Cgroup::default() }));
            assert_eq!(judge_one("mem.budget", &evidence).unwrap().verdict, verdict, "{pool:?} {max:?}");
        }
    }

    #[test]
    fn what_members_exchange_counts_in_a_cluster_of_edge_alone() {
        let judge = |cluster: &str, partition: &str, gib: u64| {
            let text = format!(
                "[cluster]\nenabled = {cluster}\n[partition]\n{partition}\n[metadata]\njournal_slots = 1024\n[system]\npath = \"/x\"\n"
            );
            let mut evidence = Evidence::default();
            let mut server = ServerConfig::parse(&text).unwrap();
            server.release = Release::Edge;
            evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
            evidence.put(MEMORY_POOL, Ok(Some(4 << 30)));
            evidence.put(MEMORY, Ok(Memory { total_bytes: gib << 30, ..Memory::default() }));
            evidence.put(TOPOLOGY, Ok(Topology { online: CpuList::parse("0-7"), ..Topology::default() }));
            judge_one("mem.budget", &evidence).unwrap()
        };
        // Eight shards of 2,176 MiB, four artifacts of 1,088 MiB and a pool of 4 GiB: 25.25 GiB.
        assert_eq!(judge("true", "", 32).verdict, Verdict::Pass);
        assert_eq!(judge("true", "", 31).verdict, Verdict::Info);
        assert_eq!(judge("false", "", 31).verdict, Verdict::Pass);
        let raised = judge("true", "transfer_served_cache_bytes_max = \"3 GiB\"", 31);
        assert_eq!(raised.verdict, Verdict::Warn, "{}", raised.summary);
        assert!(raised.summary.contains("(8 shards) it may come to 104 %"), "{}", raised.summary);
    }
}
