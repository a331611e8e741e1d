//! Whether the memory that Iggy is configured to take fits.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::IGGY_CGROUP;
use crate::evidence::memory::{MEMORY, MEMORY_POOL};

pub(super) const CHECK: Check = Check {
    id: "mem.budget",
    title: "Iggy's configured memory fits",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[MEMORY_POOL.source(), MEMORY.source(), IGGY_CGROUP.source()],
    rule: "Fails when system.memory_pool.size is more than the machine's memory or the limit of the server's control group. \
           Warns above 50 % of it. Passes otherwise, and when the pool is off.",
    threshold_source: "Iggy's configuration names the pool as what it may take; half of the memory for it is our own judgement.",
    why: "What the pool takes is missing to the file cache that reads are served from, and beyond the limit the kernel kills the server.",
    remedy: "# In Iggy's configuration (or IGGY_SYSTEM_MEMORY_POOL_SIZE), at most half of the memory that the verdict names:\n#   [system.memory_pool]\n#   size = \"2 GiB\"\n# then, in a maintenance window\nsystemctl restart iggy-server",
    references: &["Iggy: server configuration, [system.memory_pool]"],
    privilege: "CAP_DAC_READ_SEARCH for the configuration",
    settings: &[Setting {
        name: "warn_percent",
        default: 50.0,
        min: 1.0,
        max: 100.0,
        help: "the largest share of the memory that does not warn",
    }],
    evaluate: budget,
};

fn budget(case: &Case<'_>) -> Result<Judgement, Gap> {
    let Some(pool) = *case.read(MEMORY_POOL)? else {
        return Ok(Judgement::pass("Iggy's memory pool is off."));
    };
    let machine = case.read(MEMORY)?.total_bytes;
    let group = case.read(IGGY_CGROUP).ok().and_then(|group| group.memory_max_bytes).filter(|max| *max < machine);
    let (limit, whose) =
        group.map_or((machine, "the machine's memory"), |max| (max, "the control group's memory limit"));
    let (warn, used) = (case.setting("warn_percent"), share(pool, limit));
    let fact =
        format!("Iggy's memory pool of {} is {} of {whose} ({})", size::human(pool), percent(used), size::human(limit));
    let judged = if pool > limit {
        Judgement::fail(format!("{fact}: it does not fit."))
    } else if used > warn {
        Judgement::warn(format!("{fact}, more than {}.", percent(warn)))
    } else {
        Judgement::pass(format!("{fact}."))
    };
    let facts = [("Memory pool", size::human(pool)), ("Memory", size::human(machine))];
    let limits = group.map(|max| ("Limit of the control group", size::human(max)));
    Ok(judged
        .measured(float(pool), Unit::Bytes, size::human(pool))
        .expected(format!("≤ {} of {}", percent(warn), size::human(limit)))
        .proof(Proof::facts("Memory budget", facts.into_iter().chain(limits))))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cgroup::Cgroup;
    use crate::evidence::memory::Memory;

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
}
