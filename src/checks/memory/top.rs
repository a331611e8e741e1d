//! Who has the memory.

use super::super::figures::{percent, share};
use super::super::processes::servers;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::memory::MEMORY;
use crate::evidence::processes::{PROCESSES, Process};

pub(super) const CHECK: Check = Check {
    id: "mem.top",
    title: "Nobody but Iggy takes the memory",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[PROCESSES.source(), MEMORY.source()],
    rule: "Warns when a process other than the Iggy server holds more than 30 % of the memory. Information otherwise: the ten largest. Memory that processes share is counted for each.",
    threshold_source: "Our own judgement.",
    why: "A neighbour that grows takes the file cache from Iggy first, and then its life.",
    remedy: "ps -eo pid,rss,unit,comm --sort=-rss | head -15\n# Limit the neighbour, by its unit\nsystemctl set-property OTHER.service MemoryMax=2G\n# A container: docker update --memory 2g --memory-swap 2g CONTAINER",
    references: &["proc_pid_status(5), VmRSS"],
    privilege: "any user; as root or without hidepid for processes of others",
    settings: &[Setting {
        name: "warn_percent",
        default: 30.0,
        min: 1.0,
        max: 100.0,
        help: "share of one other process",
    }],
    evaluate: top,
};

/// Rows of the table.
const ROWS: usize = 10;

fn top(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (table, total) = (case.read(PROCESSES)?, case.read(MEMORY)?.total_bytes);
    let mut largest: Vec<&Process> = table.processes.iter().filter(|process| process.resident_bytes > 0).collect();
    largest.sort_by_key(|process| (std::cmp::Reverse(process.resident_bytes), process.pid));
    let iggy: Vec<u32> = servers(case).map(|server| server.pid).collect();
    let of = |process: &Process| share(process.resident_bytes, total);
    let other = largest.iter().find(|process| !iggy.contains(&process.pid));
    let warn = case.setting("warn_percent");
    let named = |process: &Process| {
        format!(
            "{} (pid {}) holds {} ({})",
            process.program(),
            process.pid,
            size::human(process.resident_bytes),
            percent(of(process))
        )
    };
    let judged = match (other.filter(|process| of(process) > warn), largest.first()) {
        (Some(other), _) => Judgement::warn(format!("{}, more than {}, and is not Iggy.", named(other), percent(warn)))
            .measured(of(other), Unit::Percent, percent(of(other)))
            .expected(format!("≤ {}", percent(warn)))
            .remedy(CHECK.remedy.replace("OTHER.service", &format!("\"$(ps -o unit= -p {})\"", other.pid))),
        (None, Some(first)) => Judgement::info(format!("{}, the most of all.", named(first))),
        (None, None) => return Err(Gap::absent("no process with memory of its own is visible")),
    };
    let columns = vec![
        Column::number("PID", Unit::Count),
        Column::text("Program"),
        Column::text("Resident"),
        Column::text("Share"),
        Column::text("On swap"),
    ];
    let row = |process: &&Process| {
        let sizes = [size::human(process.resident_bytes), percent(of(process)), size::human(process.swapped_bytes)];
        [u64::from(process.pid).into(), process.program().into()].into_iter().chain(sizes.map(Into::into)).collect()
    };
    let judged = judged.proof(Proof::table("Largest processes", columns, largest.iter().take(ROWS).map(row).collect()));
    Ok(table.visibility.gap().into_iter().fold(judged, Judgement::gap))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::memory::Memory;
    use crate::evidence::processes::Processes;

    #[test]
    fn only_others_can_be_too_large() {
        for (name, resident_bytes, verdict) in
            [("java", 300, Verdict::Info), ("java", 301, Verdict::Warn), ("iggy-server", 900, Verdict::Info)]
        {
            let process = Process { pid: 7, name: name.into(), resident_bytes, ..Process::default() };
            let mut evidence = Evidence::default();
            evidence.put(PROCESSES, Ok(Processes { processes: vec![process], ..Processes::default() }));
            evidence.put(MEMORY, Ok(Memory { total_bytes: 1000, ..Memory::default() }));
            assert_eq!(judge_one("mem.top", &evidence).unwrap().verdict, verdict, "{name} {resident_bytes}");
        }
    }
}
