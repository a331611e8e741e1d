//! What the control groups allow.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::{Cgroup, IGGY_CGROUP, OWN_CGROUP};

pub(super) const CHECK: Check = Check {
    id: "sys.cgroup",
    title: "Limits of the control groups",
    category: Category::System,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[OWN_CGROUP.source(), IGGY_CGROUP.source()],
    rule: "Warns when a group of the Iggy server (or, if it is not found, ours) holds more than 80 % of the tasks that it may hold. Information otherwise: the limits, each the strictest up to the root.",
    threshold_source: "Our own judgement; the walk up to the root is the one that Iggy's server makes for its memory limit.",
    why: "At its limit of tasks a server can start no thread, and at its memory limit the kernel kills it; neither shows in the machine's own totals.",
    remedy: "systemctl set-property iggy-server.service TasksMax=infinity   # counts at once, and for good\n# In a container: docker update --pids-limit -1 CONTAINER; in Kubernetes podPidsLimit of the kubelet.",
    references: &["systemd.resource-control(5)", "Linux documentation: admin-guide/cgroup-v2"],
    privilege: "any user",
    settings: &[Setting {
        name: "tasks_warn_percent",
        default: 80.0,
        min: 1.0,
        max: 100.0,
        help: "the largest share of the limit of tasks that does not warn",
    }],
    evaluate: cgroup,
};

fn cgroup(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (whose, group) = match case.read(IGGY_CGROUP) {
        Ok(group) => ("Iggy's", group),
        Err(_) => ("This snapshot's", case.read(OWN_CGROUP)?),
    };
    let warn = case.setting("tasks_warn_percent");
    let kind = group.version.label();
    let limits = limits(group);
    let mut judged = match group.tasks.map(|tasks| (tasks, share(tasks.current, tasks.max))) {
        Some((tasks, used)) if used > warn => Judgement::warn(format!(
            "{whose} control group holds {} of {} tasks ({}, more than {}).",
            tasks.current,
            tasks.max,
            percent(used),
            percent(warn)
        ))
        .measured(used, Unit::Percent, percent(used))
        .expected(format!("≤ {}", percent(warn))),
        _ if limits.is_empty() => Judgement::info(format!(
            "Control groups {kind}; {whose} group has no limit.",
            whose = whose.to_lowercase().replace("iggy", "Iggy")
        )),
        _ => Judgement::info(format!(
            "Control groups {kind}; {whose} group is limited: {}.",
            limits.join(", "),
            whose = whose.to_lowercase().replace("iggy", "Iggy")
        )),
    };
    judged = judged.proof(Proof::facts("Control group", facts(group)));
    Ok(judged)
}

fn limits(group: &Cgroup) -> Vec<String> {
    let memory = group.memory_max_bytes.map(|bytes| format!("memory {}", size::human(bytes)));
    let quota = group.quota.map(|quota| format!("{:.2} CPUs", quota.cpus()));
    let tasks = group.tasks.map(|tasks| format!("{} tasks", tasks.max));
    memory.into_iter().chain(quota).chain(tasks).collect()
}

fn facts(group: &Cgroup) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Version", group.version.label().to_owned()), ("Path", group.path.clone())];
    let bytes = |bytes: u64| size::human(bytes);
    facts.extend(group.memory_max_bytes.map(|max| ("Memory limit", bytes(max))));
    facts.extend(group.memory_used_bytes.map(|used| ("Memory in use", bytes(used))));
    facts.extend(group.memory_droppable_bytes.map(|cache| ("Of that, inactive file cache", bytes(cache))));
    facts.extend(group.oom_kills.map(|kills| ("Kills for want of memory", kills.to_string())));
    facts.extend(group.quota.map(|quota| ("CPU quota", format!("{:.2} CPUs", quota.cpus()))));
    facts.extend(group.throttling.map(|all| ("Throttled periods", format!("{} of {}", all.throttled, all.periods))));
    facts.extend(group.cpus.clone().map(|cpus| ("CPUs", cpus)));
    facts.extend(group.tasks.map(|tasks| ("Tasks", format!("{} of {}", tasks.current, tasks.max))));
    facts
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cgroup::{Quota, Tasks};

    #[test]
    fn tasks_are_judged_at_their_boundary() {
        for (current, verdict) in [(80, Verdict::Info), (81, Verdict::Warn), (100, Verdict::Warn)] {
            let mut evidence = Evidence::default();
            evidence.put(OWN_CGROUP, Ok(Cgroup::default()));
            evidence.put(IGGY_CGROUP, Ok(Cgroup { tasks: Some(Tasks { max: 100, current }), ..Cgroup::default() }));
            assert_eq!(judge_one("sys.cgroup", &evidence).unwrap().verdict, verdict, "{current}");
        }
    }

    #[test]
    fn the_sentence_names_the_limits() {
        let mut evidence = Evidence::default();
        evidence.put(OWN_CGROUP, Ok(Cgroup::default()));
        let summary = |evidence: &Evidence| judge_one("sys.cgroup", evidence).unwrap().summary;
        assert_eq!(summary(&evidence), "Control groups v2; this snapshot's group has no limit.");
        let quota = Some(Quota { quota_us: 150_000, period_us: 100_000 });
        evidence.put(IGGY_CGROUP, Ok(Cgroup { memory_max_bytes: Some(1 << 30), quota, ..Cgroup::default() }));
        assert_eq!(summary(&evidence), "Control groups v2; Iggy's group is limited: memory 1.00 GiB, 1.50 CPUs.");
    }
}
