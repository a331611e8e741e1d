//! Whether a quota stops the shards.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::{Cgroup, IGGY_CGROUP, IGGY_THROTTLING_LATER, Throttling};
use crate::evidence::limits::{SERVER_THREADS, ServerThreads};

pub(super) const CHECK: Check = Check {
    id: "cpu.quota",
    title: "No quota stops the shards",
    category: Category::Cpu,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[IGGY_CGROUP.source(), IGGY_THROTTLING_LATER.source(), SERVER_THREADS.source()],
    rule: "Fails when the server's control group was stopped in more than 25 % of its periods during the window; warns above 5 %, \
           when it was stopped in more than 5 % of its periods since it exists, and when there is a quota while shards are pinned \
           to single processors. A window in which the group ran in fewer than five periods says nothing. Passes otherwise.",
    threshold_source: "Iggy's configuration advises against pinning under a quota; the figures are our own judgement.",
    why: "A pinned shard that the quota stops cannot move: its clients wait for the rest of the period, up to 100 ms.",
    remedy: "# Processors of its own in place of a quota, as many as it has shards; shards that are pinned follow at a restart\nsystemctl set-property iggy-server.service CPUQuota= AllowedCPUs=CPUS\nsystemctl restart iggy-server   # in a maintenance window\n# In a container: docker update --cpus 0 --cpuset-cpus CPUS CONTAINER; in Kubernetes a whole number of CPUs as request\n# and limit, and the kubelet's static CPU manager.",
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
    let later = case.read(IGGY_THROTTLING_LATER);
    let judged = judged(group, later.as_ref().ok().copied(), pinned, warn, fail);
    let lost = later.err().filter(|_| group.quota.is_some());
    Ok(lost.into_iter().fold(judged, Judgement::gap))
}

/// Shards that may use one processor alone.
fn pinned(threads: &ServerThreads) -> usize {
    threads.threads.iter().filter(|thread| thread.shard().is_some() && thread.allowed.count() == 1).count()
}

/// Periods in which the group must have run for its window to say anything.
const PERIODS_MIN: u64 = 5;

fn judged(group: &Cgroup, later: Option<&Throttling>, pinned: usize, warn: f64, fail: f64) -> Judgement {
    let Some(quota) = group.quota else { return Judgement::pass("The server has no CPU quota.") };
    let first = group.throttling.unwrap_or_default();
    let ever = *later.unwrap_or(&first);
    let periods = ever.periods.saturating_sub(first.periods);
    let stopped = ever.throttled.saturating_sub(first.throttled);
    let now = if periods < PERIODS_MIN { 0.0 } else { share(stopped, periods) };
    let since_start = share(ever.throttled, ever.periods);
    let cpus = format!("{:.2} processors", quota.cpus());
    let fact = |limit: f64| {
        format!(
            "The quota of {cpus} stopped the server in {} of its periods during the window, more than {}.",
            percent(now),
            percent(limit)
        )
    };
    let judged = if now > fail {
        Judgement::fail(fact(fail))
    } else if now > warn {
        Judgement::warn(fact(warn))
    } else if since_start > warn {
        Judgement::warn(format!(
            "The quota of {cpus} stopped the server in {} of its periods since it exists, more than {}; in {} during the window.",
            percent(since_start),
            percent(warn),
            percent(now)
        ))
    } else if pinned > 0 {
        Judgement::warn(format!(
            "The server has a quota of {cpus} while {pinned} of its shards are pinned to one processor each."
        ))
    } else {
        Judgement::pass(format!(
            "The quota of {cpus} stopped the server in {} of its periods since it exists.",
            percent(since_start)
        ))
    };
    let facts = [
        ("Quota", cpus),
        ("Periods, in the window and since it exists", format!("{periods} and {}", ever.periods)),
        ("Stopped in, likewise", format!("{stopped} and {}", ever.throttled)),
        ("Pinned shards", pinned.to_string()),
    ];
    judged
        .measured(now, Unit::Percent, percent(now))
        .expected(format!("≤ {}", percent(warn)))
        .proof(Proof::facts("CPU quota of the server", facts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::cgroup::Quota;

    #[test]
    fn throttling_and_pinning_are_judged_at_their_boundaries() {
        let quota = Some(Quota { quota_us: 150_000, period_us: 100_000 });
        for (quota, before, periods, stopped, pinned, verdict) in [
            (None, 900, 100, 100, 4, Verdict::Pass),
            (quota, 0, 100, 5, 0, Verdict::Pass),
            (quota, 0, 100, 6, 0, Verdict::Warn),
            (quota, 0, 100, 25, 0, Verdict::Warn),
            (quota, 0, 100, 26, 0, Verdict::Fail),
            (quota, 0, 4, 4, 0, Verdict::Pass),
            (quota, 50, 0, 0, 0, Verdict::Pass),
            (quota, 51, 0, 0, 0, Verdict::Warn),
            (quota, 500, 0, 0, 0, Verdict::Warn),
            (quota, 0, 100, 0, 1, Verdict::Warn),
        ] {
            let first = Throttling { periods: 1000, throttled: before };
            let later = Throttling { periods: 1000 + periods, throttled: before + stopped };
            let group = Cgroup { quota, throttling: Some(first), ..Cgroup::default() };
            let judged = judged(&group, Some(&later), pinned, 5.0, 25.0);
            assert_eq!(judged.verdict, verdict, "{before} {periods} {stopped} {pinned}: {}", judged.summary);
        }
    }
}
