//! Whether there is memory left.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{ChartKind, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::{Cgroup, IGGY_CGROUP, OWN_CGROUP};
use crate::evidence::memory::{MEMORY, Memory};

pub(super) const CHECK: Check = Check {
    id: "mem.available",
    title: "Memory is available",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[MEMORY.source(), IGGY_CGROUP.source(), OWN_CGROUP.source()],
    rule: "Fails when less than 5 % of the memory is available; warns below 10 %. The same for the memory limit of the \
           server's control group, its inactive file cache counted as available. Passes otherwise.",
    threshold_source: "node_exporter's mixin warns at 90 % in use; the line for a failure is our own.",
    why: "Without memory the kernel stalls every allocation, and then kills: the largest process first, which is the broker.",
    remedy: "# Who has it?\nps -eo pid,rss,unit,comm --sort=-rss | head -15\n# It is the machine's: stop or move what does not belong here, or lower system.memory_pool.size in Iggy's configuration.\n# It is the control group's: raise its limit (MORE, as 8G), for good:\nsystemctl set-property iggy-server.service MemoryMax=MORE\n# In a container: docker update --memory MORE --memory-swap MORE CONTAINER; in Kubernetes limits.memory of the pod.",
    references: &["proc_meminfo(5)", "node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "warn_percent",
            default: 10.0,
            min: 0.0,
            max: 100.0,
            help: "the smallest share available that does not warn",
        },
        Setting {
            name: "fail_percent",
            default: 5.0,
            min: 0.0,
            max: 100.0,
            help: "the smallest share available that does not fail",
        },
    ],
    evaluate: available,
};

/// What the server's own group lacks.
const OF_GROUP: &str = "# Its limit is too low for what runs in it: raise it (MORE, as 8G), at once and for good\nsystemctl set-property iggy-server.service MemoryMax=MORE\n# In a container: docker update --memory MORE --memory-swap MORE CONTAINER; in Kubernetes limits.memory of the pod.\n# Or lower system.memory_pool.size in Iggy's configuration.";

/// A share of some memory that is available.
struct Room {
    remedy: Option<&'static str>,
    whose: &'static str,
    available_bytes: u64,
    total_bytes: u64,
}

fn available(case: &Case<'_>) -> Result<Judgement, Gap> {
    let memory = case.read(MEMORY)?;
    let machine = Room {
        remedy: None,
        whose: "the machine's memory",
        available_bytes: memory.available_bytes,
        total_bytes: memory.total_bytes,
    };
    let group = case.read(IGGY_CGROUP).or_else(|_| case.read(OWN_CGROUP)).ok().and_then(room);
    let rooms = [Some(machine), group];
    let scarcest = rooms.into_iter().flatten().min_by(|a, b| a.share().total_cmp(&b.share()));
    let scarcest = scarcest.expect("the machine's memory is one of them");
    Ok(judged(case, &scarcest).proof(parts(memory)).proof(Proof::facts("Memory", facts(memory))))
}

impl Room {
    fn share(&self) -> f64 {
        share(self.available_bytes, self.total_bytes)
    }
}

/// What is left below a group's limit; file cache that can be dropped at once counts as left.
fn room(group: &Cgroup) -> Option<Room> {
    let total_bytes = group.memory_max_bytes?;
    let used = group.memory_used_bytes?.saturating_sub(group.memory_droppable_bytes.unwrap_or(0));
    Some(Room {
        remedy: Some(OF_GROUP),
        whose: "the control group's memory limit",
        available_bytes: total_bytes.saturating_sub(used),
        total_bytes,
    })
}

fn judged(case: &Case<'_>, room: &Room) -> Judgement {
    let (warn, fail, left) = (case.setting("warn_percent"), case.setting("fail_percent"), room.share());
    let sentence = |ending: String| {
        let (left_bytes, total) = (size::human(room.available_bytes), size::human(room.total_bytes));
        format!("{} ({left_bytes} of {total}) of {} is available{ending}.", percent(left), room.whose)
    };
    let judged = if left < fail {
        Judgement::fail(sentence(format!(", less than {}", percent(fail))))
    } else if left < warn {
        Judgement::warn(sentence(format!(", less than {}", percent(warn))))
    } else {
        Judgement::pass(sentence(String::new()))
    };
    let judged = judged.measured(left, Unit::Percent, percent(left)).expected(format!("≥ {}", percent(warn)));
    match room.remedy.filter(|_| left < warn) {
        Some(remedy) => judged.remedy(remedy),
        None => judged,
    }
}

fn parts(memory: &Memory) -> Proof {
    let named =
        [("Programs", memory.anonymous_bytes), ("File cache", memory.cached_bytes), ("Free", memory.free_bytes)];
    let rest = memory.total_bytes.saturating_sub(named.iter().map(|(_, bytes)| *bytes).sum());
    let bars =
        named.into_iter().chain([("Kernel and other", rest)]).map(|(name, bytes)| (name.to_owned(), float(bytes)));
    Proof::chart("Memory by use", ChartKind::Parts, Unit::Bytes, bars, Some(float(memory.total_bytes)))
}

fn facts(memory: &Memory) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("Total", memory.total_bytes),
        ("Available", memory.available_bytes),
        ("Free", memory.free_bytes),
        ("File cache", memory.cached_bytes),
        ("Programs", memory.anonymous_bytes),
        ("Shared memory and tmpfs", memory.shared_bytes),
        ("Kernel structures that cannot be freed", memory.slab_bytes),
        ("Waiting to be written to disks", memory.dirty_bytes),
    ]
    .into_iter()
    .map(|(name, bytes)| (name, size::human(bytes)))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    #[test]
    fn the_scarcest_of_machine_and_control_group_decides() {
        for (available_bytes, limit, used, droppable, verdict) in [
            (100, None, 0, 0, Verdict::Pass),
            (99, None, 0, 0, Verdict::Warn),
            (50, None, 0, 0, Verdict::Warn),
            (49, None, 0, 0, Verdict::Fail),
            (500, Some(1000), 900, 0, Verdict::Pass),
            (500, Some(1000), 901, 0, Verdict::Warn),
            (500, Some(1000), 951, 0, Verdict::Fail),
            (500, Some(1000), 990, 100, Verdict::Pass),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(MEMORY, Ok(Memory { total_bytes: 1000, available_bytes, ..Memory::default() }));
            let group = Cgroup {
                memory_max_bytes: limit,
                memory_used_bytes: Some(used),
                memory_droppable_bytes: Some(droppable),
                ..Cgroup::default()
            };
            evidence.put(IGGY_CGROUP, Ok(group));
            let judged = judge_one("mem.available", &evidence).unwrap();
            assert_eq!(judged.verdict, verdict, "{available_bytes} {limit:?} {used}: {}", judged.summary);
        }
    }
}
