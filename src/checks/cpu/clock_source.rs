//! Whether reading the clock is cheap.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::cpu::{CLOCK_SOURCE, ClockSource};

pub(super) const CHECK: Check = Check {
    id: "cpu.clocksource",
    title: "Reading the clock is cheap",
    category: Category::Cpu,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[CLOCK_SOURCE.source()],
    rule: "Warns for hpet, acpi_pm, jiffies and refined-jiffies. Passes for tsc and arch_sys_counter. Information for the \
           clocks of hypervisors, which need no system call either, and for anything else.",
    threshold_source: "Redpanda and ScyllaDB want tsc; ClickHouse warns of any clock that is not fast. A hypervisor's own clock is its guests' normal choice, so it does not warn even where tsc is available.",
    why: "Iggy stamps every message: with a slow clock each stamp is a system call that waits for a device.",
    remedy: "cat /sys/devices/system/clocksource/clocksource0/available_clocksource\necho tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource\n# To keep it: add clocksource=tsc tsc=reliable to the kernel's command line.",
    references: &[
        "Linux documentation: timers/timekeeping",
        "Linux documentation: admin-guide/kernel-parameters, clocksource=",
    ],
    privilege: "any user",
    settings: &[],
    evaluate: clock_source,
};

fn clock_source(case: &Case<'_>) -> Result<Judgement, Gap> {
    let clock = case.read(CLOCK_SOURCE)?;
    let facts = [("In use", clock.current.clone()), ("Available", clock.available.join(", "))];
    Ok(judged(clock).expected("tsc or arch_sys_counter").proof(Proof::facts("Clock sources", facts)))
}

fn judged(clock: &ClockSource) -> Judgement {
    let current = &clock.current;
    match current.as_str() {
        "tsc" | "arch_sys_counter" | "tsc-early" => Judgement::pass(format!("The kernel reads {current}.")),
        "hpet" | "acpi_pm" | "jiffies" | "refined-jiffies" => {
            let fast = clock.available.iter().any(|name| name == "tsc");
            let better = if fast { "; tsc is available" } else { "" };
            Judgement::warn(format!(
                "The kernel reads {current}, which is slow: each reading is a system call{better}."
            ))
        }
        "kvm-clock" | "xen" | "hyperv_clocksource_tsc_page" | "hyperv_clocksource_msr" => {
            Judgement::info(format!("The kernel reads {current}, the hypervisor's own clock."))
        }
        _ => Judgement::info(format!("The kernel reads {current}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn clocks_are_judged_by_their_cost() {
        for (current, verdict) in [
            ("tsc", Verdict::Pass),
            ("arch_sys_counter", Verdict::Pass),
            ("kvm-clock", Verdict::Info),
            ("xen", Verdict::Info),
            ("hpet", Verdict::Warn),
            ("acpi_pm", Verdict::Warn),
            ("jiffies", Verdict::Warn),
            ("refined-jiffies", Verdict::Warn),
            ("riscv_clocksource", Verdict::Info),
        ] {
            let clock = ClockSource { current: current.into(), available: vec!["tsc".into(), current.into()] };
            assert_eq!(judged(&clock).verdict, verdict, "{current}");
        }
    }
}
