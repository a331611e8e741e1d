//! Whether processes wait for a device that does not answer.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Setting, Tier};
use super::servers;
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::limits::{SERVER_THREADS, SERVER_THREADS_LATER, ServerThread};
use crate::evidence::own::OWN;
use crate::evidence::processes::{PROCESS_RATES, PROCESSES, Process, ProcessKind};
use crate::evidence::system::PARAMETERS;

pub(super) const CHECK: Check = Check {
    id: "proc.stuck",
    title: "No process waits for a device that does not answer",
    category: Category::Processes,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[
        PROCESSES.source(),
        PROCESS_RATES.source(),
        SERVER_THREADS.source(),
        SERVER_THREADS_LATER.source(),
        PARAMETERS.source(),
        OWN.source(),
    ],
    rule: "Fails when an Iggy server was in state D at both ends of the window and used no processor time in between, or one of its threads was, in the same function of the kernel. Warns \
           when another process was (threads of the kernel and our own processes aside), when the kernel has counted hung \
           tasks, or with more than 10 zombies. Passes otherwise.",
    threshold_source: "node-problem-detector's rule for hung tasks; zombies are our own judgement.",
    why: "A process in state D waits for a disk or a network file system and cannot be killed; when it is the broker, only the device helps.",
    remedy: "ps -eo pid,stat,wchan:32,comm | awk '$2 ~ /^D/'\ndmesg -T | grep -A 20 'blocked for more than' | tail -60\n# Look at the device behind the wait; a dead mount: umount -l MOUNT_POINT",
    references: &["proc_pid_stat(5)", "Linux documentation: admin-guide/sysctl/kernel, hung_task_detect_count"],
    privilege: "any user; as root or without hidepid for processes of others",
    settings: &[Setting { name: "zombies_max", default: 10.0, min: 0.0, max: 1e6, help: "zombies that do not warn" }],
    evaluate: stuck,
};

fn stuck(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (table, rates) = (case.read(PROCESSES)?, case.read(PROCESS_RATES)?);
    let own = case.read(OWN).map_or(0, |own| own.pid);
    let waits = |process: &&Process| {
        let ours = process.pid == own || process.parent == own;
        let rate = rates.find(process.pid).filter(|rate| rate.states == ['D', 'D'] && rate.cpu_percent <= 0.0);
        process.kind == ProcessKind::Program && !ours && rate.is_some()
    };
    let waiting: Vec<&Process> = table.processes.iter().filter(waits).collect();
    let server = servers(case).find(|server| waiting.iter().any(|process| process.pid == server.pid));
    let zombies = table.processes.iter().filter(|process| process.state == 'Z').count();
    let hung =
        case.read(PARAMETERS).ok().and_then(|all| all.values.get("kernel.hung_task_detect_count")?.parse::<u64>().ok());
    let thread = stuck_thread(case);
    let named = |process: &Process| format!("{} (pid {})", process.program(), process.pid);
    let judged = match (server, waiting.first(), hung) {
        (None, _, _) if thread.is_some() => {
            let (name, function) = thread.map_or(("", ""), |(thread, function)| (thread.name.as_str(), function));
            Judgement::fail(format!(
                "The server's thread {name} waited for a device during the whole window, in the kernel's {function}."
            ))
        }
        (Some(server), _, _) => {
            Judgement::fail(format!("{} waited for a device during the whole window.", named(server)))
        }
        (None, Some(first), _) => Judgement::warn(format!(
            "{} waited for a device during the whole window, among them {}.",
            counted(waiting.len(), "process", "processes"),
            named(first)
        )),
        (None, None, Some(hung @ 1..)) => Judgement::warn(format!(
            "The kernel has counted {hung} tasks that hung for more than two minutes since boot."
        )),
        _ if super::super::figures::float(zombies as u64) > case.setting("zombies_max") => {
            Judgement::warn(format!("{} wait for their parents.", counted(zombies, "zombie", "zombies")))
        }
        _ => Judgement::pass("No process waited for a device during the whole window."),
    };
    let columns = vec![
        Column::number("PID", Unit::Count),
        Column::text("Program"),
        Column::text("Waits in"),
        Column::number("Parent", Unit::Count),
    ];
    let row = |process: &&Process| {
        let function = rates.find(process.pid).and_then(|rate| rate.waits_in.as_deref());
        let function = function.map_or(Cell::Empty, Cell::from);
        vec![u64::from(process.pid).into(), process.program().into(), function, u64::from(process.parent).into()]
    };
    let judged = if waiting.is_empty() {
        judged
    } else {
        judged.proof(Proof::table("Waiting in state D", columns, waiting.iter().map(row).collect()))
    };
    Ok(table.visibility.gap().into_iter().fold(judged, Judgement::gap))
}

/// A thread of the server that waited in the same function of the kernel at both ends of the window.
fn stuck_thread<'a>(case: &Case<'a>) -> Option<(&'a ServerThread, &'a str)> {
    let first = case.evidence.read(SERVER_THREADS).ok()?;
    let later = case.evidence.read(SERVER_THREADS_LATER).ok()?;
    later.iter().filter(|wait| wait.state == 'D').find_map(|wait| {
        let thread = first.threads.iter().find(|thread| thread.tid == wait.tid && thread.state == 'D')?;
        let function = thread.waits_in.as_deref()?;
        (wait.waits_in.as_deref() == Some(function)).then_some((thread, function))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::limits::{ServerThreads, ThreadWait};
    use crate::evidence::own::OwnProcess;
    use crate::evidence::processes::{ProcessRate, ProcessRates, Processes};
    use crate::evidence::system::Parameters;

    #[test]
    fn only_a_wait_of_the_whole_window_counts() {
        for (name, states, cpu_percent, parent, zombies, hung, verdict) in [
            ("iggy-server", ['D', 'D'], 0.0, 1, 0, "0", Verdict::Fail),
            ("iggy-server", ['D', 'S'], 0.0, 1, 0, "0", Verdict::Pass),
            ("iggy-server", ['D', 'D'], 5.0, 1, 0, "0", Verdict::Pass),
            ("rsync", ['D', 'D'], 0.0, 1, 0, "0", Verdict::Warn),
            ("snapvisor", ['D', 'D'], 0.0, 99, 0, "0", Verdict::Pass),
            ("sleep", ['S', 'S'], 0.0, 1, 10, "0", Verdict::Pass),
            ("sleep", ['S', 'S'], 0.0, 1, 11, "0", Verdict::Warn),
            ("sleep", ['S', 'S'], 0.0, 1, 0, "1", Verdict::Warn),
        ] {
            let mut processes = vec![Process { pid: 7, parent, name: name.into(), state: 'S', ..Process::default() }];
            processes.extend((0..zombies).map(|number| Process {
                pid: 100 + number,
                state: 'Z',
                ..Process::default()
            }));
            let mut evidence = Evidence::default();
            evidence.put(PROCESSES, Ok(Processes { processes, ..Processes::default() }));
            let rate = ProcessRate { pid: 7, cpu_percent, states, ..ProcessRate::default() };
            evidence.put(PROCESS_RATES, Ok(ProcessRates { rates: vec![rate] }));
            let values = [("kernel.hung_task_detect_count", hung.to_owned())].into();
            evidence.put(PARAMETERS, Ok(Parameters { values, gaps: Vec::new() }));
            evidence.put(OWN, Ok(OwnProcess { pid: 99, ..OwnProcess::default() }));
            let judged = judge_one("proc.stuck", &evidence).unwrap();
            assert_eq!(judged.verdict, verdict, "{name} {states:?} {zombies}: {}", judged.summary);
        }
    }

    #[test]
    fn a_thread_counts_when_it_waits_in_the_same_function() {
        let waits = |function: &str| Some(function.to_owned());
        for (first, later, state, expected) in [
            (waits("jbd2_log_wait_commit"), waits("jbd2_log_wait_commit"), 'D', Verdict::Fail),
            (waits("jbd2_log_wait_commit"), waits("io_schedule"), 'D', Verdict::Pass),
            (waits("io_schedule"), waits("io_schedule"), 'S', Verdict::Pass),
            (None, None, 'D', Verdict::Pass),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(PROCESSES, Ok(Processes::default()));
            evidence.put(PROCESS_RATES, Ok(ProcessRates::default()));
            let thread =
                ServerThread { tid: 9, name: "shard-1".into(), state: 'D', waits_in: first, ..ServerThread::default() };
            evidence.put(SERVER_THREADS, Ok(ServerThreads { threads: vec![thread], ..ServerThreads::default() }));
            evidence.put(SERVER_THREADS_LATER, Ok(vec![ThreadWait { tid: 9, state, waits_in: later }]));
            assert_eq!(judge_one("proc.stuck", &evidence).unwrap().verdict, expected);
        }
    }
}
