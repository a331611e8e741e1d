//! Whether the kernel refuses allocations before memory is short.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::memory::MEMORY;
use crate::evidence::system::PARAMETERS;

pub(super) const CHECK: Check = Check {
    id: "mem.overcommit",
    title: "The kernel does not refuse memory that is there",
    category: Category::Memory,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[PARAMETERS.source(), MEMORY.source()],
    rule: "Warns when vm.overcommit_memory is 2, and says how much of the commit limit is used. Passes for 0 and 1.",
    threshold_source: "ClickHouse, MongoDB and TiUP ask for 0 or 1.",
    why: "At 2 an allocation fails once all promises together reach a limit, however much memory is free; Iggy's pool promises much.",
    remedy: "sysctl -w vm.overcommit_memory=0\necho 'vm.overcommit_memory = 0' > /etc/sysctl.d/90-iggy-overcommit.conf",
    references: &["Linux documentation: mm/overcommit-accounting"],
    privilege: "any user",
    settings: &[],
    evaluate: overcommit,
};

fn overcommit(case: &Case<'_>) -> Result<Judgement, Gap> {
    let mode = case.read(PARAMETERS)?.values.get("vm.overcommit_memory").cloned();
    let mode = mode.ok_or_else(|| Gap::absent("the kernel shows no vm.overcommit_memory"))?;
    let memory = case.read(MEMORY)?;
    let used = share(memory.committed_bytes, memory.commit_max_bytes);
    let facts = [
        ("vm.overcommit_memory", mode.clone()),
        ("Promised", size::human(memory.committed_bytes)),
        ("Limit at 2", size::human(memory.commit_max_bytes)),
    ];
    let judged = if mode == "2" {
        Judgement::warn(format!("vm.overcommit_memory is 2, and {} of the commit limit is promised.", percent(used)))
            .measured(used, Unit::Percent, percent(used))
    } else {
        Judgement::pass(format!("vm.overcommit_memory is {mode}."))
    };
    Ok(judged.expected("0 or 1").proof(Proof::facts("Overcommit", facts)))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::memory::Memory;
    use crate::evidence::system::Parameters;

    #[test]
    fn only_strict_accounting_warns() {
        for (mode, verdict) in [("0", Verdict::Pass), ("1", Verdict::Pass), ("2", Verdict::Warn)] {
            let mut evidence = Evidence::default();
            let values = [("vm.overcommit_memory", mode.to_owned())].into();
            evidence.put(PARAMETERS, Ok(Parameters { values, gaps: Vec::new() }));
            evidence.put(MEMORY, Ok(Memory { committed_bytes: 96, commit_max_bytes: 100, ..Memory::default() }));
            assert_eq!(judge_one("mem.overcommit", &evidence).unwrap().verdict, verdict, "{mode}");
        }
    }
}
