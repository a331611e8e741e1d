//! Iggy's process.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::size::human;
use crate::domain::verdict::Severity;
use crate::evidence::Observed;
use crate::evidence::iggy::{
    FoundBy, IGGY_PLACE, IGGY_PROCESS, IGGY_PROCESSES, IggyPlace, IggyProcess, ProcessRoot, Program,
};

pub(super) const CHECK: Check = Check {
    id: "proc.iggy",
    title: "Iggy's process",
    category: Category::Processes,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[IGGY_PROCESSES.source(), IGGY_PLACE.source()],
    rule: "Fails when no server runs although Iggy was configured, installed or its data found, and when two servers work on one data directory. \
           Warns when oom_score_adj is above 0: the kernel then kills it before others. Information when it started less than ten minutes ago on a host that is up longer, \
           and when there is no trace of Iggy at all; passes otherwise.",
    threshold_source: "ScyllaDB sets OOMScoreAdjust=-950 for its server; the ten minutes are our own.",
    why: "Everything else is about this process. Two of them on one directory write over each other's segments.",
    remedy: "systemctl start iggy-server\njournalctl -u iggy-server -n 100 --no-pager\n# In a container: docker start CONTAINER; docker logs --tail 100 CONTAINER\n# To be the last that the kernel kills:\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nOOMScoreAdjust=-500\\n' > /etc/systemd/system/iggy-server.service.d/oom.conf\nsystemctl daemon-reload && systemctl restart iggy-server   # in a maintenance window",
    references: &["Linux documentation: filesystems/proc, oom_score_adj"],
    privilege: "CAP_SYS_PTRACE",
    settings: &[],
    evaluate: process,
};

/// What keeps the kernel from killing the server first.
const SPARED: &str = "# Until the next start:\necho 0 > /proc/PID/oom_score_adj\n# For good:\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nOOMScoreAdjust=-500\\n' > /etc/systemd/system/iggy-server.service.d/oom.conf\nsystemctl daemon-reload\n# In a container: docker run --oom-score-adj -500; in Kubernetes it follows from the pod: requests equal to limits.";

/// Seconds in which a start counts as recent.
const RECENT_S: u64 = 600;

fn process(case: &Case<'_>) -> Result<Judgement, Gap> {
    let processes = case.read(IGGY_PROCESSES)?;
    let servers: Vec<&IggyProcess> = processes.iter().filter(|process| process.program == Program::Server).collect();
    let Ok(server) = case.read(IGGY_PROCESS) else {
        return absent(case.read(IGGY_PLACE), servers.first().copied());
    };
    let judged = judged(server, &servers);
    Ok(judged.proof(facts(server)))
}

/// Nothing runs on the data that this snapshot is about; `other` is a server that keeps its data elsewhere.
fn absent(place: Result<&IggyPlace, Gap>, other: Option<&IggyProcess>) -> Result<Judgement, Gap> {
    match place {
        Ok(place) => {
            let named = place.named.as_deref().map(|named| format!(" ({named})")).unwrap_or_default();
            let how = match &place.found {
                FoundBy::Configuration => "it is configured".to_owned(),
                FoundBy::Unit(unit) => format!("its unit {unit} is installed"),
                FoundBy::WellKnownPath | FoundBy::Process => "its data is on this host".to_owned(),
            };
            let other = other.map(|other| {
                let on = other.data_dir.as_deref().map_or_else(|_| String::new(), |on| format!(" ({on})"));
                format!(" Process {} is a server with other data{on}.", other.pid)
            });
            Ok(Judgement::fail(format!("No iggy-server runs, although {how}{named}.{}", other.unwrap_or_default())))
        }
        Err(gap) if gap.reason == GapReason::Absent => Ok(Judgement::info(
            "There is no trace of Iggy on this host: no process, no unit, no data, nothing configured.",
        )
        .remedy("If Iggy runs here all the same, set iggy.data_dir in snapvisor's configuration.")),
        Err(gap) => Err(gap),
    }
}

fn judged(server: &IggyProcess, servers: &[&IggyProcess]) -> Judgement {
    let on = |process: &IggyProcess| process.data_dir.as_ref().ok().map(|named| process.seen(named));
    let shared = servers.iter().find(|other| other.pid != server.pid && on(other).is_some() && on(other) == on(server));
    if let (Some(other), Some(directory)) = (shared, on(server)) {
        return Judgement::fail(format!(
            "Two servers work on {directory}: processes {} and {}.",
            server.pid, other.pid
        ))
        .remedy(format!(
            "# Stop the one that is not the service's:\nps -o pid,ppid,lstart,cmd -p {},{}",
            server.pid, other.pid
        ));
    }
    let age = server.age_s.map(|(age_s, _)| format!(", up {}", duration(age_s))).unwrap_or_default();
    let runs =
        format!("iggy-server runs as process {}{age}, with {} resident", server.pid, human(server.resident_bytes));
    if let Some(adjustment) = server.figures.oom_adjustment.as_ref().ok().filter(|adjustment| **adjustment > 0) {
        return Judgement::warn(format!(
            "{runs}; its oom_score_adj is {adjustment}, so the kernel kills it before others."
        ))
        .measured(f64::from(*adjustment), Unit::Count, adjustment.to_string())
        .expected("≤ 0")
        .remedy(SPARED.replace("PID", &server.pid.to_string()));
    }
    match server.age_s {
        Some((age_s, host_s)) if age_s < RECENT_S && host_s.saturating_sub(age_s) > RECENT_S => {
            Judgement::info(format!("{runs}: it was started not long ago, on a host that is up {}.", duration(host_s)))
        }
        _ => Judgement::pass(format!("{runs}.")),
    }
}

/// `3 d 4 h`, `5 min`.
fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn facts(server: &IggyProcess) -> Proof {
    fn known<T>(observed: &Observed<T>, text: impl Fn(&T) -> String) -> String {
        observed.as_ref().map_or_else(|gap| gap.reason.label().to_owned(), text)
    }
    let figures = &server.figures;
    let mut facts = vec![
        ("Process", server.pid.to_string()),
        ("User", server.uid.to_string()),
        ("Program", known(&server.executable, |executable| executable.path.clone())),
        ("Data directory", known(&server.data_dir, Clone::clone)),
        (
            "Files",
            match server.root {
                ProcessRoot::Ours => "the host's".to_owned(),
                ProcessRoot::Own => "a root of its own (a container)".to_owned(),
                ProcessRoot::Unseen => "not seen".to_owned(),
            },
        ),
        ("Threads", server.threads.to_string()),
        ("Resident memory", human(server.resident_bytes)),
        ("Proportional memory", known(&figures.proportional_bytes, |bytes| human(*bytes))),
        ("Memory on swap", human(server.swapped_bytes)),
        ("Open files", known(&figures.open_files, ToString::to_string)),
        ("Read from disk", known(&figures.read_bytes, |bytes| human(*bytes))),
        ("Written to disk", known(&figures.written_bytes, |bytes| human(*bytes))),
        ("oom_score_adj", known(&figures.oom_adjustment, ToString::to_string)),
        ("oom_score", known(&figures.oom_score, ToString::to_string)),
    ];
    if let Some((voluntary, forced)) = figures.switches {
        facts.push(("Context switches", format!("{voluntary} of its own, {forced} forced")));
    }
    if let Some(cgroup) = &figures.cgroup {
        facts.push(("Control group", cgroup.clone()));
    }
    if let Ok(environment) = &server.environment {
        let names = counted(environment.names.len(), "variable", "variables");
        facts.push(("Set in its environment", format!("{names} of Iggy's: {}", environment.names.join(" "))));
    }
    Proof::facts("The process", facts)
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::iggy::testing::{place, process};

    fn evidence(processes: Vec<IggyProcess>, place: Observed<IggyPlace>) -> Evidence {
        let mut evidence = Evidence::default();
        let server = processes.first().cloned().ok_or_else(|| Gap::absent("none"));
        evidence.put(IGGY_PROCESSES, Ok(processes));
        evidence.put(IGGY_PROCESS, server);
        evidence.put(IGGY_PLACE, place);
        evidence
    }

    fn verdict(processes: Vec<IggyProcess>) -> Verdict {
        judge_one("proc.iggy", &evidence(processes, Ok(place(FoundBy::Process)))).unwrap().verdict
    }

    #[test]
    fn a_server_that_is_not_there_fails_where_it_is_expected() {
        for (place, verdict) in [
            (Ok(place(FoundBy::Configuration)), Verdict::Fail),
            (Ok(place(FoundBy::Unit("iggy.service".into()))), Verdict::Fail),
            (Ok(place(FoundBy::WellKnownPath)), Verdict::Fail),
            (Err(Gap::absent("no trace")), Verdict::Info),
        ] {
            assert_eq!(judge_one("proc.iggy", &evidence(Vec::new(), place)).unwrap().verdict, verdict);
        }
        let mut elsewhere = evidence(vec![process(9)], Ok(place(FoundBy::Configuration)));
        elsewhere.put(IGGY_PROCESS, Err(Gap::absent("another directory")));
        let said = judge_one("proc.iggy", &elsewhere).unwrap();
        assert_eq!(said.verdict, Verdict::Fail);
        assert!(said.summary.contains("Process 9 is a server with other data ("), "{}", said.summary);
        let unseen = evidence(Vec::new(), Err(Gap::denied("no", "root")));
        assert!(judge_one("proc.iggy", &unseen).is_err());
    }

    #[test]
    fn two_servers_on_one_directory_fail_and_on_two_do_not() {
        assert_eq!(verdict(vec![process(1), process(2)]), Verdict::Fail);
        let elsewhere = IggyProcess { data_dir: Ok("/other".into()), ..process(2) };
        assert_eq!(verdict(vec![process(1), elsewhere]), Verdict::Pass);
        let contained = IggyProcess { root: ProcessRoot::Own, ..process(2) };
        assert_eq!(verdict(vec![process(1), contained]), Verdict::Pass, "the same path in a container is another");
        let hidden = || IggyProcess { data_dir: Err(Gap::denied("no", "root")), ..process(3) };
        assert_eq!(verdict(vec![hidden(), IggyProcess { pid: 4, ..hidden() }]), Verdict::Pass);
    }

    #[test]
    fn its_age_and_its_place_before_the_killer_are_judged() {
        let aged = |age_s, host_s| IggyProcess { age_s: Some((age_s, host_s)), ..process(1) };
        let adjusted = |adjustment| {
            let mut process = process(1);
            process.figures.oom_adjustment = Ok(adjustment);
            process
        };
        for (server, expected) in [
            (aged(599, 1200), Verdict::Info),
            (aged(600, 2000), Verdict::Pass),
            (aged(599, 1199), Verdict::Pass),
            (adjusted(0), Verdict::Pass),
            (adjusted(-900), Verdict::Pass),
            (adjusted(1), Verdict::Warn),
        ] {
            assert_eq!(verdict(vec![server.clone()]), expected, "{server:?}");
        }
    }
}
