//! Whether transparent huge pages stall programs.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::memory::{HUGE_PAGES, PAGING, TransparentHugePages};

pub(super) const CHECK: Check = Check {
    id: "mem.thp",
    title: "Transparent huge pages do not stall programs",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[HUGE_PAGES.source(), PAGING.source()],
    rule: "Warns when defrag is `always` while huge pages are on, and when they are `always` on and allocations had to move \
           pages together during the window. Information when `always` on otherwise. Passes for madvise and never.",
    threshold_source: "TiUP and MongoDB up to 7 want never, ClickHouse not always, MongoDB 8 and Redpanda want always; they disagree, so the effect is judged.",
    why: "With `defrag` at `always`, a page fault of a shard can stop to move memory around before it goes on.",
    remedy: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled\necho defer+madvise > /sys/kernel/mm/transparent_hugepage/defrag\n# Keep it:\nprintf 'w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise\\nw /sys/kernel/mm/transparent_hugepage/defrag - - - - defer+madvise\\n' > /etc/tmpfiles.d/iggy-thp.conf\n# In a container: on its host, whose kernel it is.",
    references: &["Linux documentation: admin-guide/mm/transhuge"],
    privilege: "any user",
    settings: &[],
    evaluate: huge_pages,
};

fn huge_pages(case: &Case<'_>) -> Result<Judgement, Gap> {
    let pages = match case.read(HUGE_PAGES) {
        Ok(pages) => pages,
        Err(gap) if gap.reason == GapReason::Absent => {
            return Err(Gap::not_applicable("this kernel has no transparent huge pages"));
        }
        Err(gap) => return Err(gap),
    };
    let stalls = case.read(PAGING).map(|paging| paging.compaction_stalls).ok();
    let facts = [("enabled", pages.enabled.clone()), ("defrag", pages.defrag.clone())];
    Ok(judged(pages, stalls).proof(Proof::facts("Transparent huge pages", facts)))
}

fn judged(pages: &TransparentHugePages, stalls: Option<u64>) -> Judgement {
    let TransparentHugePages { enabled, defrag } = pages;
    if enabled != "never" && defrag == "always" {
        return Judgement::warn(format!(
            "Transparent huge pages are `{enabled}` and defrag is `always`: page faults wait while memory is moved."
        ));
    }
    match (enabled.as_str(), stalls) {
        ("always", Some(stalls @ 1..)) => {
            Judgement::warn(format!("Transparent huge pages are `always` on, and {stalls} allocations had to move pages together during the window."))
                .measured(super::super::figures::float(stalls), Unit::Count, stalls.to_string())
                .expected("0")
        }
        ("always", _) => Judgement::info(format!("Transparent huge pages are `always` on, with defrag `{defrag}`; no allocation was seen to stall.")),
        _ => Judgement::pass(format!("Transparent huge pages are `{enabled}`.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn huge_pages_are_judged_by_their_effect() {
        for (enabled, defrag, stalls, verdict) in [
            ("madvise", "madvise", Some(5), Verdict::Pass),
            ("never", "always", Some(5), Verdict::Pass),
            ("madvise", "always", Some(0), Verdict::Warn),
            ("always", "always", Some(0), Verdict::Warn),
            ("always", "madvise", Some(0), Verdict::Info),
            ("always", "madvise", None, Verdict::Info),
            ("always", "madvise", Some(1), Verdict::Warn),
        ] {
            let pages = TransparentHugePages { enabled: enabled.into(), defrag: defrag.into() };
            assert_eq!(judged(&pages, stalls).verdict, verdict, "{enabled} {defrag} {stalls:?}");
        }
    }
}
