//! Whether a quota stops the shards.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::{Cgroup, IGGY_CGROUP};
use crate::evidence::limits::{SERVER_THREADS, ServerThreads};

pub(super) const CHECK: Check = Check {
    id: "cpu.quota",
    title: "No quota stops the shards",
    category: Category::Cpu,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[IGGY_CGROUP.source(), SERVER_THREADS.source()],
    rule: "Fails when the server's control group was stopped in more than 25 % of its periods; warns above 5 %, and when \
           there is a quota while shards are pinned to single processors. Passes otherwise.",
    threshold_source: "Iggy's configuration advises against pinning under a quota; the figures are our own judgement.",
    why: "A pinned shard that the quota stops cannot move: its clients wait for the rest of the period, up to 100 ms.",
    remedy: "systemctl edit iggy-server\n# and in the editor: processors of its own in place of a quota\n[Service]\nCPUQuota=\nAllowedCPUs=0-3\n# then\nsystemctl daemon-reload && systemctl restart iggy-server",
    references: &["systemd.resource-control(5), CPUQuota=", "Linux documentation: scheduler/sched-bwc"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "throttled_warn_percent",
            default: 5.0,
            min: 0.0,
            max: 100.0,
            help: "stopped periods that warn",
        },
        Setting {
            name: "throttled_fail_percent",
            default: 25.0,
            min: 0.0,
            max: 100.0,
            help: "stopped periods that fail",
        },
    ],
    evaluate: quota,
};

fn quota(case: &Case<'_>) -> Result<Judgement, Gap> {
    let group = case.read(IGGY_CGROUP)?;
    let pinned = case.read(SERVER_THREADS).map_or(0, pinned);
    let (warn, fail) = (case.setting("throttled_warn_percent"), case.setting("throttled_fail_percent"));
    Ok(judged(group, pinned, warn, fail))
}

/// Shards that may use one processor alone.
fn pinned(threads: &ServerThreads) -> usize {
    threads.threads.iter().filter(|thread| thread.shard().is_some() && thread.allowed.count() == 1).count()
}

fn judged(group: &Cgroup, pinned: usize, warn: f64, fail: f64) -> Judgement {
    let Some(quota) = group.quota else { return Judgement::pass("The server has no CPU quota.") };
    let throttling = group.throttling.unwrap_or_default();
    let stopped = share(throttling.throttled, throttling.periods);
    let cpus = format!("{:.2} processors", quota.cpus());
    let fact = |limit: f64| {
        format!(
            "The quota of {cpus} stopped the server in {} of its periods, more than {}.",
            percent(stopped),
            percent(limit)
        )
    };
    let judged = if stopped > fail {
        Judgement::fail(fact(fail))
    } else if stopped > warn {
        Judgement::warn(fact(warn))
    } else if pinned > 0 {
        Judgement::warn(format!(
            "The server has a quota of {cpus} while {pinned} of its shards are pinned to one processor each."
        ))
    } else {
        Judgement::pass(format!("The quota of {cpus} stopped the server in {} of its periods.", percent(stopped)))
    };
    let facts = [
        ("Quota", cpus),
        ("Periods", throttling.periods.to_string()),
        ("Stopped in", throttling.throttled.to_string()),
        ("Pinned shards", pinned.to_string()),
    ];
    judged
        .measured(stopped, Unit::Percent, percent(stopped))
        .expected(format!("≤ {}", percent(warn)))
        .proof(Proof::facts("CPU quota of the server", facts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::cgroup::{Quota, Throttling};

    #[test]
    fn throttling_and_pinning_are_judged_at_their_boundaries() {
        let quota = Some(Quota { quota_us: 150_000, period_us: 100_000 });
        for (quota, throttled, pinned, verdict) in [
            (None, 900, 4, Verdict::Pass),
            (quota, 50, 0, Verdict::Pass),
            (quota, 51, 0, Verdict::Warn),
            (quota, 250, 0, Verdict::Warn),
            (quota, 251, 0, Verdict::Fail),
            (quota, 0, 1, Verdict::Warn),
        ] {
            let group =
                Cgroup { quota, throttling: Some(Throttling { periods: 1000, throttled }), ..Cgroup::default() };
            let judged = judged(&group, pinned, 5.0, 25.0);
            assert_eq!(judged.verdict, verdict, "{throttled} {pinned}: {}", judged.summary);
        }
    }
}
