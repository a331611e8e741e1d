//! Whether memory was set aside for nobody.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::memory::MEMORY;

pub(super) const CHECK: Check = Check {
    id: "mem.hugepages",
    title: "No huge pages are set aside for nobody",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::Low,
    needs: &[MEMORY.source()],
    rule: "Warns when huge pages are reserved and none of them is used or promised to a program. Information otherwise.",
    threshold_source: "Our own judgement.",
    why: "Reserved huge pages are lost to everything else: neither programs nor the file cache can use them, and Iggy does not ask for them.",
    remedy: "grep -rs nr_hugepages /etc/sysctl.conf /etc/sysctl.d /proc/cmdline   # who asked for them?\nsysctl -w vm.nr_hugepages=0\necho 'vm.nr_hugepages = 0' > /etc/sysctl.d/90-iggy-hugepages.conf",
    references: &["Linux documentation: admin-guide/mm/hugetlbpage"],
    privilege: "any user",
    settings: &[],
    evaluate: reserved,
};

fn reserved(case: &Case<'_>) -> Result<Judgement, Gap> {
    let memory = case.read(MEMORY)?;
    let bytes = memory.huge_pages.saturating_mul(memory.huge_page_bytes);
    if memory.huge_pages == 0 {
        return Ok(Judgement::info("No huge pages are reserved."));
    }
    let (pages, free) = (memory.huge_pages, memory.huge_pages_free);
    let facts = [("Reserved", pages), ("Free", free), ("Promised", memory.huge_pages_promised)];
    let judged = if free == pages && memory.huge_pages_promised == 0 {
        Judgement::warn(format!("{pages} huge pages ({}) are reserved and nobody uses them.", size::human(bytes)))
    } else {
        Judgement::info(format!("{pages} huge pages ({}) are reserved, {free} of them free.", size::human(bytes)))
    };
    Ok(judged.proof(Proof::facts("Huge pages", facts)))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::memory::Memory;

    #[test]
    fn only_pages_that_nobody_uses_warn() {
        for (huge_pages, huge_pages_free, huge_pages_promised, verdict) in
            [(0, 0, 0, Verdict::Info), (8, 8, 0, Verdict::Warn), (8, 7, 0, Verdict::Info), (8, 8, 1, Verdict::Info)]
        {
            let memory = Memory { huge_pages, huge_pages_free, huge_pages_promised, ..Memory::default() };
            let mut evidence = Evidence::default();
            evidence.put(MEMORY, Ok(memory));
            assert_eq!(judge_one("mem.hugepages", &evidence).unwrap().verdict, verdict);
        }
    }
}
