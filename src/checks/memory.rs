//! Checks of memory.

use super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::memory::{SWAPPINESS, Swappiness};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "mem.swap",
    title: "Swap and swappiness",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[SWAPPINESS.source()],
    rule: "Information when vm.swappiness is above 10 while swap is on; pass otherwise.",
    threshold_source: "TiUP and ClickHouse ask for no swap, Redpanda and ScyllaDB for swappiness 1; judged by effect.",
    why: "A page of the broker on swap turns a memory access into a disk read, on the thread that serves every client of that shard.",
    remedy: "sysctl -w vm.swappiness=1\necho 'vm.swappiness = 1' > /etc/sysctl.d/90-iggy.conf",
    references: &["Linux documentation: admin-guide/sysctl/vm"],
    privilege: "any user",
    settings: &[Setting {
        name: "swappiness_pass_max",
        default: 10.0,
        min: 0.0,
        max: 200.0,
        help: "the largest vm.swappiness that passes",
    }],
    evaluate: swap,
}];

fn swap(case: &Case<'_>) -> Result<Judgement, Gap> {
    let Swappiness(swappiness) = *case.read(SWAPPINESS)?;
    let pass_max = case.setting("swappiness_pass_max");
    let judged = if f64::from(swappiness) <= pass_max { Judgement::pass } else { Judgement::info };
    Ok(judged(format!("vm.swappiness is {swappiness}."))
        .measured(f64::from(swappiness), Unit::Count, swappiness.to_string())
        .expected(format!("≤ {pass_max}")))
}
