//! Whether threads can still be started.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::IGGY_CGROUP;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::limits::SERVER_LIMITS;
use crate::evidence::processes::{PROCESSES, Visibility};
use crate::evidence::system::PARAMETERS;

pub(super) const CHECK: Check = Check {
    id: "limits.threads",
    title: "Threads can still be started",
    category: Category::Limits,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[
        PARAMETERS.source(),
        PROCESSES.source(),
        SERVER_LIMITS.source(),
        IGGY_PROCESS.source(),
        IGGY_CGROUP.source(),
    ],
    rule: "Fails when more than 90 % of a ceiling is in use: kernel.pid_max, kernel.threads-max, the server's limit of \
           processes, its control group's limit of tasks. Warns when pid_max or threads-max is below 30000 or the \
           server's limit below 4096. Passes otherwise.",
    threshold_source: "ClickHouse warns below 30000; Elasticsearch asks for 4096 a process.",
    why: "At a ceiling neither Iggy nor the shell of whoever wants to help can start anything.",
    remedy: "sysctl -w kernel.pid_max=4194304 kernel.threads-max=1030000\nprintf 'kernel.pid_max = 4194304\\nkernel.threads-max = 1030000\\n' > /etc/sysctl.d/90-iggy-threads.conf\n# The server's own limits:\nsystemctl set-property iggy-server.service TasksMax=infinity\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nLimitNPROC=65536\\n' > /etc/systemd/system/iggy-server.service.d/nproc.conf\nsystemctl daemon-reload && systemctl restart iggy-server   # in a maintenance window\n# In a container: --pids-limit -1 --ulimit nproc=65536:65536",
    references: &["proc_sys_kernel(5)", "systemd.exec(5), LimitNPROC="],
    privilege: "any user",
    settings: &[
        Setting {
            name: "system_min",
            default: 30_000.0,
            min: 1.0,
            max: 1e9,
            help: "the smallest ceiling of the system",
        },
        Setting {
            name: "server_min",
            default: 4_096.0,
            min: 1.0,
            max: 1e9,
            help: "the smallest ceiling of the server",
        },
        Setting { name: "used_fail_percent", default: 90.0, min: 1.0, max: 100.0, help: "the largest share in use" },
    ],
    evaluate: threads,
};

/// A ceiling and how near it is.
struct Ceiling {
    name: &'static str,
    max: u64,
    used: Option<u64>,
    min: f64,
}

fn threads(case: &Case<'_>) -> Result<Judgement, Gap> {
    let parameters = case.read(PARAMETERS)?;
    let table = case.read(PROCESSES).ok().filter(|table| table.visibility == Visibility::All);
    let all = table.map(|table| table.processes.iter().map(|process| u64::from(process.threads.max(1))).sum());
    let of_user = table.zip(case.read(IGGY_PROCESS).ok()).map(|(table, server)| {
        let own = table.processes.iter().filter(|process| process.uid == server.uid);
        own.map(|process| u64::from(process.threads)).sum()
    });
    let (system, server) = (case.setting("system_min"), case.setting("server_min"));
    let parameter = |name: &'static str| {
        let max = parameters.values.get(name)?.parse().ok()?;
        Some(Ceiling { name, max, used: all, min: system })
    };
    // Root is not held to its limit of processes.
    let limit = case.read(SERVER_LIMITS).ok().and_then(|limits| limits.processes.soft);
    let limit = limit.filter(|_| case.read(IGGY_PROCESS).is_ok_and(|process| process.uid != 0));
    let tasks = case.read(IGGY_CGROUP).ok().and_then(|group| group.tasks);
    let ceilings: Vec<Ceiling> = [
        parameter("kernel.pid_max"),
        parameter("kernel.threads-max"),
        limit.map(|max| Ceiling { name: "the server's limit of processes", max, used: of_user, min: server }),
        tasks.map(|tasks| Ceiling {
            name: "the control group's limit of tasks",
            max: tasks.max,
            used: Some(tasks.current),
            min: 0.0,
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let columns =
        vec![Column::text("Ceiling"), Column::number("Limit", Unit::Count), Column::number("In use", Unit::Count)];
    let row = |one: &Ceiling| vec![one.name.into(), one.max.into(), one.used.map_or(Cell::Empty, Cell::from)];
    let rows = ceilings.iter().map(row).collect();
    Ok(judged(&ceilings, case.setting("used_fail_percent"))?.proof(Proof::table("Ceilings", columns, rows)))
}

fn judged(ceilings: &[Ceiling], fail: f64) -> Result<Judgement, Gap> {
    let used = |one: &Ceiling| one.used.map_or(0.0, |used| share(used, one.max));
    let fullest = ceilings.iter().max_by(|a, b| used(a).total_cmp(&used(b)));
    let fullest = fullest.ok_or_else(|| Gap::absent("the kernel shows no ceiling of threads"))?;
    let (name, max, of) = (fullest.name, fullest.max, used(fullest));
    let judged = match ceilings.iter().find(|one| float(one.max) < one.min) {
        _ if of > fail => {
            Judgement::fail(format!("{} of {name} ({max}) is in use, more than {}.", percent(of), percent(fail)))
        }
        Some(low) => Judgement::warn(format!("{} is {}, less than {}.", low.name, low.max, low.min)),
        None => Judgement::pass(format!("At most {} of a ceiling is in use ({name}, {max}).", percent(of))),
    };
    Ok(judged.measured(of, Unit::Percent, percent(of)).expected(format!("≤ {}", percent(fail))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn ceilings_are_judged_at_their_boundaries() {
        for (max, used, min, verdict) in [
            (30_000, Some(27_000), 30_000.0, Verdict::Pass),
            (30_000, Some(27_001), 30_000.0, Verdict::Fail),
            (29_999, Some(1), 30_000.0, Verdict::Warn),
            (4096, None, 4096.0, Verdict::Pass),
            (4095, None, 4096.0, Verdict::Warn),
        ] {
            let judged = judged(&[Ceiling { name: "a ceiling", max, used, min }], 90.0).unwrap();
            assert_eq!(judged.verdict, verdict, "{max} {used:?}: {}", judged.summary);
        }
        assert!(judged(&[], 90.0).is_err());
    }
}
