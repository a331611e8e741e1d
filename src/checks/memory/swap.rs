//! Whether the broker is on swap.

use super::super::processes::servers;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::memory::{PAGING, SWAP, Swap};
use crate::evidence::processes::PROCESSES;

pub(super) const CHECK: Check = Check {
    id: "mem.swap",
    title: "Swap and swappiness",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[SWAP.source(), PROCESSES.source(), PAGING.source()],
    rule: "Warns when memory of an Iggy server is on swap, or when pages moved to or from swap during the window. \
           Information when swap is on and vm.swappiness is above 10. Passes without swap, or with swappiness up to 10.",
    threshold_source: "TiUP and ClickHouse ask for no swap, Redpanda for swap with swappiness 1, ScyllaDB for 1; they disagree, so the effect is judged.",
    why: "A page of the broker on swap turns a memory access into a disk read, on the thread that serves every client of that shard.",
    remedy: "sysctl -w vm.swappiness=1\necho 'vm.swappiness = 1' > /etc/sysctl.d/90-iggy-swap.conf\n# With memory to spare (compare `free -h`): bring everything back\nswapoff -a && swapon -a\n# Never again for this server (control groups of version 2):\nsystemctl set-property iggy-server.service MemorySwapMax=0\n# A container: docker update --memory-swap with the value of --memory",
    references: &["Linux documentation: admin-guide/sysctl/vm, swappiness"],
    privilege: "any user",
    settings: &[Setting {
        name: "swappiness_pass_max",
        default: 10.0,
        min: 0.0,
        max: 200.0,
        help: "the largest vm.swappiness that passes while swap is on",
    }],
    evaluate: swap,
};

fn swap(case: &Case<'_>) -> Result<Judgement, Gap> {
    let swap = case.read(SWAP)?;
    let columns = vec![Column::text("Area"), Column::text("Kind"), Column::text("Size"), Column::text("In use")];
    let areas = swap.areas.iter().map(|area| {
        let sizes = [area.size_bytes, area.used_bytes].map(|bytes| size::human(bytes).into());
        [area.path.as_str().into(), area.kind.as_str().into()].into_iter().chain(sizes).collect()
    });
    let judged = judged(case, swap);
    Ok(if swap.areas.is_empty() { judged } else { judged.proof(Proof::table("Swap", columns, areas.collect())) })
}

fn judged(case: &Case<'_>, swap: &Swap) -> Judgement {
    let moved = case.read(PAGING).map_or((0, 0), |paging| (paging.swapped_in, paging.swapped_out));
    let pass_max = case.setting("swappiness_pass_max");
    // zswap and memory controllers keep VmSwap of a process without an area; so ask the process first.
    if let Some(server) =
        servers(case).max_by_key(|server| server.swapped_bytes).filter(|server| server.swapped_bytes > 0)
    {
        return Judgement::warn(format!(
            "{} of {} (pid {}) is on swap.",
            size::human(server.swapped_bytes),
            server.program(),
            server.pid
        ))
        .measured(super::super::figures::float(server.swapped_bytes), Unit::Bytes, size::human(server.swapped_bytes))
        .expected("0 B");
    }
    if moved.0 + moved.1 > 0 {
        let (read, written) = moved;
        return Judgement::warn(format!(
            "{read} pages were read from swap and {written} written to it during the window."
        ));
    }
    let used: u64 = swap.areas.iter().map(|area| area.used_bytes).sum();
    let Some(swappiness) = swap.swappiness.filter(|_| !swap.areas.is_empty()) else {
        return if swap.areas.is_empty() {
            Judgement::pass("There is no swap.")
        } else {
            Judgement::info(format!("Swap is on, {} of it in use.", size::human(used)))
        };
    };
    let fact = format!("Swap is on, {} of it in use; vm.swappiness is {swappiness}.", size::human(used));
    let judged = if f64::from(swappiness) > pass_max { Judgement::info(fact) } else { Judgement::pass(fact) };
    judged.measured(f64::from(swappiness), Unit::Count, swappiness.to_string()).expected(format!("≤ {pass_max}"))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::memory::{Paging, SwapArea};
    use crate::evidence::processes::{Process, Processes};

    fn judge(on: bool, swappiness: u32, server_swapped: u64, moved: u64) -> Judgement {
        let area =
            SwapArea { path: "/dev/sda2".into(), kind: "partition".into(), size_bytes: 1 << 30, used_bytes: 4096 };
        let mut evidence = Evidence::default();
        evidence.put(SWAP, Ok(Swap { areas: on.then_some(area).into_iter().collect(), swappiness: Some(swappiness) }));
        let other = Process { pid: 8, name: "java".into(), swapped_bytes: 1 << 30, ..Process::default() };
        let server =
            Process { pid: 7, name: "iggy-server".into(), swapped_bytes: server_swapped, ..Process::default() };
        evidence.put(PROCESSES, Ok(Processes { processes: vec![other, server], ..Processes::default() }));
        let (zero, pressure) = (0, Err(Gap::absent("no PSI")));
        evidence.put(
            PAGING,
            Ok(Paging {
                window_s: 1.0,
                major_faults: zero,
                swapped_in: moved,
                swapped_out: zero,
                allocation_stalls: zero,
                compaction_stalls: zero,
                huge_fallbacks: zero,
                node_hits: zero,
                node_misses: zero,
                oom_kills: None,
                pressure,
            }),
        );
        judge_one("mem.swap", &evidence).unwrap()
    }

    #[test]
    fn swap_is_judged_by_its_effect() {
        for (on, swappiness, server_swapped, moved, verdict, says) in [
            (false, 60, 0, 0, Verdict::Pass, "There is no swap."),
            (true, 10, 0, 0, Verdict::Pass, "vm.swappiness is 10."),
            (true, 11, 0, 0, Verdict::Info, "vm.swappiness is 11."),
            (true, 1, 0, 1, Verdict::Warn, "1 pages were read from swap"),
            (true, 1, 4096, 0, Verdict::Warn, "4.00 KiB of iggy-server (pid 7) is on swap."),
        ] {
            let judged = judge(on, swappiness, server_swapped, moved);
            assert_eq!(judged.verdict, verdict, "{}", judged.summary);
            assert!(judged.summary.contains(says), "{}", judged.summary);
        }
    }

    #[test]
    fn swap_without_a_known_swappiness_is_information() {
        let area =
            SwapArea { path: "/dev/sda2".into(), kind: "partition".into(), size_bytes: 1 << 30, used_bytes: 4096 };
        let mut evidence = Evidence::default();
        evidence.put(SWAP, Ok(Swap { areas: vec![area], swappiness: None }));
        let judged = judge_one("mem.swap", &evidence).unwrap();
        let sentence = "Swap is on, 4.00 KiB of it in use.";
        assert_eq!((judged.verdict, judged.summary.as_str()), (Verdict::Info, sentence));
    }
}
