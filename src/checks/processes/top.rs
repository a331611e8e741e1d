//! Who uses the machine.

use super::super::figures::percent;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::processes::{PROCESS_RATES, PROCESSES, Process, ProcessRates, Processes, Visibility};

pub(super) const CHECK: Check = Check {
    id: "proc.top",
    title: "Busiest and largest processes",
    category: Category::Processes,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[PROCESSES.source(), PROCESS_RATES.source()],
    rule: "Information: the ten processes that used the most processor time during the window, and the ten with the most resident memory. Arguments are not read.",
    threshold_source: "No threshold.",
    why: "What is not Iggy and uses much is the first suspect when Iggy is slow.",
    remedy: "",
    references: &["proc_pid_stat(5)"],
    privilege: "any user; as root or without hidepid for processes of others",
    settings: &[],
    evaluate: top,
};

/// Rows of each table.
const ROWS: usize = 10;

fn top(case: &Case<'_>) -> Result<Judgement, Gap> {
    let table = case.read(PROCESSES)?;
    let rates = case.read(PROCESS_RATES).ok();
    let busiest = rates.and_then(|rates| rates.rates.first()).and_then(|rate| Some((table.find(rate.pid)?, rate)));
    let count = table.processes.len();
    let summary = match busiest {
        Some((process, rate)) => format!(
            "{count} processes; the busiest is {} (pid {}) with {} of one processor.",
            process.program(),
            process.pid,
            percent(rate.cpu_percent)
        ),
        None => format!("{count} processes."),
    };
    let mut judged = Judgement::info(summary);
    if let Some(rates) = rates {
        judged = judged.proof(by_time(table, rates));
    }
    judged = judged.proof(by_memory(table, rates));
    if table.visibility == Visibility::OwnOnly {
        judged = judged.gap(Gap::denied("only processes of our own user are visible (hidepid)", "run as root"));
    }
    Ok(judged)
}

fn columns() -> Vec<Column> {
    vec![
        Column::number("PID", Unit::Count),
        Column::text("Program"),
        Column::number("User", Unit::Count),
        Column::text("State"),
        Column::number("CPU", Unit::Percent),
        Column::text("Resident"),
        Column::number("Threads", Unit::Count),
    ]
}

fn row(process: &Process, rates: Option<&ProcessRates>) -> Vec<Cell> {
    let used = rates.and_then(|rates| rates.find(process.pid)).map(|rate| (rate.cpu_percent * 10.0).round() / 10.0);
    vec![
        u64::from(process.pid).into(),
        process.program().into(),
        u64::from(process.uid).into(),
        process.state.to_string().into(),
        used.map_or(Cell::Empty, Cell::Number),
        size::human(process.resident_bytes).into(),
        u64::from(process.threads).into(),
    ]
}

fn by_time(table: &Processes, rates: &ProcessRates) -> Proof {
    let busy = rates.rates.iter().filter(|rate| rate.cpu_percent > 0.0).filter_map(|rate| table.find(rate.pid));
    let rows = busy.take(ROWS).map(|process| row(process, Some(rates))).collect();
    Proof::table("Most processor time in the window", columns(), rows)
}

fn by_memory(table: &Processes, rates: Option<&ProcessRates>) -> Proof {
    let mut processes: Vec<&Process> = table.processes.iter().filter(|process| process.resident_bytes > 0).collect();
    processes.sort_by_key(|process| std::cmp::Reverse(process.resident_bytes));
    let rows = processes.into_iter().take(ROWS).map(|process| row(process, rates)).collect();
    Proof::table("Most resident memory", columns(), rows)
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::processes::ProcessRate;

    #[test]
    fn the_busiest_process_is_named_and_hidden_ones_are_a_gap() {
        let process = |pid, name: &str| Process { pid, name: name.into(), resident_bytes: 4096, ..Process::default() };
        let mut evidence = Evidence::default();
        let processes = vec![process(1, "init"), process(7, "iggy-server")];
        evidence.put(PROCESSES, Ok(Processes { processes, visibility: Visibility::OwnOnly, ..Processes::default() }));
        let rate = ProcessRate { pid: 7, cpu_percent: 150.0, ..ProcessRate::default() };
        evidence.put(PROCESS_RATES, Ok(ProcessRates { rates: vec![rate] }));
        let judged = judge_one("proc.top", &evidence).unwrap();
        assert_eq!(judged.verdict, Verdict::Info);
        assert_eq!(judged.summary, "2 processes; the busiest is iggy-server (pid 7) with 150 % of one processor.");
        assert_eq!((judged.proofs.len(), judged.gaps.len()), (2, 1));
    }
}
