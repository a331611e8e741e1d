//! Whether the processors run as fast as they can.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::frequency::{Boost, FREQUENCY, Frequency, FrequencyPolicy, Pace, THROTTLED_LATER};

pub(super) const CHECK: Check = Check {
    id: "cpu.governor",
    title: "Processors run as fast as they can",
    category: Category::Cpu,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[FREQUENCY.source(), THROTTLED_LATER.source()],
    rule: "Fails when a processor was slowed down for its temperature during the window. Warns when one was since boot (throttled_warn), when a governor saves power (powersave of older drivers, conservative, a preference for power), and when boost is off. Information for the defaults that adapt (schedutil, ondemand, balance_performance), which cost a fraction of a millisecond after each idle phase, and where firmware or a hypervisor decides. Passes when all run at full pace.",
    threshold_source: "TiUP fails unless the governor is performance, also in virtual machines where nothing can be set; ScyllaDB sets it; ClickHouse warns of throttling and of boost that is off. A default that adapts is information here: it shows in latency alone, and only of idle brokers.",
    why: "A processor that must wake up and speed up first adds its own delay to each message after a pause; one that is too hot is slow under the very load that counts.",
    remedy: "cpupower frequency-set -g performance\n# or without that tool:\nfor policy in /sys/devices/system/cpu/cpufreq/policy*; do echo performance > $policy/scaling_governor; done\n# Boost\necho 0 > /sys/devices/system/cpu/intel_pstate/no_turbo 2>/dev/null || echo 1 > /sys/devices/system/cpu/cpufreq/boost\n# To keep it: tuned-adm profile throughput-performance. Throttled: look at fans, heat sinks and the power limit.",
    references: &["Linux documentation: admin-guide/pm/cpufreq", "Linux documentation: admin-guide/pm/intel_pstate"],
    privilege: "any user",
    settings: &[Setting {
        name: "throttled_warn",
        default: 1.0,
        min: 1.0,
        max: 1e9,
        help: "times since boot that a processor was slowed down, from which on it warns",
    }],
    evaluate: governor,
};

fn governor(case: &Case<'_>) -> Result<Judgement, Gap> {
    let frequency = case.read(FREQUENCY)?;
    let later = case.read(THROTTLED_LATER);
    let counts = later.as_ref().map_or(&[][..], |counts| counts.as_slice());
    let hot = counts.iter().filter_map(|(cpu, count)| {
        let (_, before) = frequency.throttled.iter().find(|(known, _)| known == cpu)?;
        (count > before).then_some((*cpu, count - before))
    });
    let hot: Vec<(u32, u64)> = hot.collect();
    let judged = judged(frequency, &hot, case.setting("throttled_warn"));
    let judged = match &frequency.policies {
        Ok(policies) => judged.proof(table(policies)),
        Err(_) => judged,
    };
    let ever: Vec<Vec<_>> = frequency
        .throttled
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(cpu, count)| vec![u64::from(*cpu).into(), (*count).into()])
        .collect();
    let columns = vec![Column::number("Processor", Unit::Count), Column::number("Slowed down", Unit::Count)];
    let judged = if ever.is_empty() {
        judged
    } else {
        judged.proof(Proof::table("Slowed down for heat since boot", columns, ever))
    };
    // Where nothing can be set nothing is lost.
    let lost = frequency.policies.as_ref().err().filter(|gap| gap.reason != GapReason::Absent).cloned();
    Ok(lost.into_iter().chain(later.err()).fold(judged, Judgement::gap))
}

#[expect(clippy::cast_precision_loss, reason = "a count that is compared with a threshold")]
fn judged(frequency: &Frequency, hot: &[(u32, u64)], throttled_warn: f64) -> Judgement {
    if let Some((cpu, times)) = hot.first() {
        return Judgement::fail(format!(
            "Processor {cpu} was slowed down {times} times for its temperature during the window; {} in all.",
            counted(hot.len(), "processor", "processors")
        ));
    }
    let worst = frequency.throttled.iter().max_by_key(|(_, count)| *count);
    if let Some((cpu, count)) = worst.filter(|(_, count)| *count as f64 >= throttled_warn) {
        return Judgement::warn(format!(
            "Processor {cpu} was slowed down {count} times for its temperature since boot."
        ));
    }
    let policies = frequency.policies.as_ref().map_or(&[][..], |policies| policies.as_slice());
    let slowest = policies.iter().max_by_key(|policy| policy.pace());
    match (slowest.map(|policy| (policy, policy.pace())), frequency.boost) {
        (Some((policy, Pace::Saving)), _) => {
            Judgement::warn(format!("Processors save power: {}.", described(policy))).expected("performance")
        }
        (_, Some(Boost::Off)) => Judgement::warn("Boost is off: no processor runs above its base frequency."),
        (Some((policy, Pace::Adaptive)), _) => Judgement::info(format!(
            "Processors slow down when idle ({}) and speed up within a fraction of a millisecond.",
            described(policy)
        )),
        (Some((policy, Pace::Full)), _) => {
            Judgement::pass(format!("Processors run at full pace: {}.", described(policy)))
        }
        (None, _) => {
            Judgement::info("Firmware or a hypervisor decides about frequencies; the kernel has no part in it.")
        }
    }
}

fn described(policy: &FrequencyPolicy) -> String {
    let preference = policy.preference.as_ref().map(|preference| format!(", preference {preference}"));
    format!("governor {} of {}{}", policy.governor, policy.driver, preference.unwrap_or_default())
}

/// One row for each kind of policy: a host has one for each processor.
fn table(policies: &[FrequencyPolicy]) -> Proof {
    let mut kinds: Vec<(String, u64)> = Vec::new();
    for policy in policies {
        let kind = described(policy);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let columns = vec![Column::text("Policy"), Column::number("Groups of processors", Unit::Count)];
    let rows = kinds.into_iter().map(|(kind, count)| vec![kind.into(), count.into()]).collect();
    Proof::table("Frequency policies", columns, rows)
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    fn seen(governor: Option<&str>, boost: Option<Boost>, before: u64, after: u64) -> Judgement {
        let policy = |governor: &str| FrequencyPolicy {
            name: "policy0".into(),
            driver: "acpi-cpufreq".into(),
            governor: governor.into(),
            preference: None,
        };
        let policies = governor.map(|one| vec![policy("performance"), policy(one)]);
        let policies = policies.ok_or_else(|| Gap::absent("no cpufreq"));
        let mut evidence = Evidence::default();
        evidence.put(FREQUENCY, Ok(Frequency { policies, boost, throttled: vec![(0, 0), (1, before)] }));
        evidence.put(THROTTLED_LATER, Ok(vec![(0, 0), (1, after)]));
        judge_one("cpu.governor", &evidence).unwrap()
    }

    #[test]
    fn heat_then_governor_then_boost_decide() {
        for (governor, boost, before, after, expected) in [
            (Some("performance"), Some(Boost::On), 0, 0, Verdict::Pass),
            (Some("schedutil"), None, 0, 0, Verdict::Info),
            (Some("powersave"), Some(Boost::On), 0, 0, Verdict::Warn),
            (Some("performance"), Some(Boost::Off), 0, 0, Verdict::Warn),
            (Some("performance"), Some(Boost::On), 1, 1, Verdict::Warn),
            (Some("performance"), Some(Boost::On), 1, 2, Verdict::Fail),
            (None, None, 0, 0, Verdict::Info),
        ] {
            let judged = seen(governor, boost, before, after);
            assert_eq!(judged.verdict, expected, "{governor:?} {boost:?} {before}: {}", judged.summary);
            assert!(judged.gaps.is_empty());
        }
    }
}
