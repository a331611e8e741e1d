//! What the snapshot cost.

use std::cmp::Reverse;

use super::super::figures::float;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size::{self, MIB};
use crate::domain::verdict::Severity;
use crate::evidence::own::{OWN, OwnProcess, SourceTiming, TIMINGS};

pub(super) const CHECK: Check = Check {
    id: "self.agent",
    title: "The snapshot itself was light",
    category: Category::Snapshot,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[OWN.source()],
    rule: "Warns when the process that takes the snapshot has used more than 256 MiB of memory or 5 s of processor time by \
           the end of observing. Information otherwise, with the sources that took longest and the time that they waited for \
           a processor: it counts against no limit of theirs.",
    threshold_source: "The memory limit of the process; the line for processor time is our own.",
    why: "A tool that examines a sick node must not make it sicker.",
    remedy: "# Shorten what is read, in snapvisor's configuration\n#   [snapshot]\n#   sampling_ms = 500",
    references: &["getrusage(2)"],
    privilege: "any user",
    settings: &[
        Setting { name: "memory_warn_mib", default: 256.0, min: 1.0, max: 65_536.0, help: "resident memory, MiB" },
        Setting { name: "cpu_warn_s", default: 5.0, min: 0.1, max: 3600.0, help: "processor time, seconds" },
    ],
    evaluate: agent,
};

/// Sources that are listed with the time that they took.
const SLOWEST_SHOWN: usize = 12;
/// Waits for a processor, of all sources together, that are worth a word; seconds.
const WAITED_NOTED_S: f64 = 1.0;

fn agent(case: &Case<'_>) -> Result<Judgement, Gap> {
    let own = case.read(OWN)?;
    let cpu_s = float(own.user_us + own.system_us) / 1e6;
    let resident = size::human(own.resident_max_bytes);
    let (memory_max, cpu_max) = (case.setting("memory_warn_mib"), case.setting("cpu_warn_s"));
    let used = format!("{cpu_s:.2} s of processor time and {resident} of memory");
    let timings = case.read(TIMINGS).map_or(&[][..], Vec::as_slice);
    let waited_s = float(timings.iter().map(|timing| timing.waited_us).sum()) / 1e6;
    let judged = if float(own.resident_max_bytes) > memory_max * float(MIB) {
        Judgement::warn(format!("Observing took {used}, more than {memory_max} MiB."))
    } else if cpu_s > cpu_max {
        Judgement::warn(format!("Observing took {used}, more than {cpu_max} s."))
    } else {
        let waits = format!("; its threads waited {waited_s:.1} s for a processor");
        let waits = if waited_s < WAITED_NOTED_S { String::new() } else { waits };
        Judgement::info(format!("Observing took {used}{waits}."))
    };
    let judged =
        judged.measured(cpu_s, Unit::Seconds, format!("{cpu_s:.2} s")).proof(Proof::facts("This process", facts(own)));
    Ok(if timings.is_empty() { judged } else { judged.proof(slowest(timings)) })
}

/// The sources that took longest.
fn slowest(timings: &[SourceTiming]) -> Proof {
    let ms = |us: u64| Cell::Number((float(us) / 100.0).round() / 10.0);
    let mut sorted: Vec<&SourceTiming> = timings.iter().collect();
    sorted.sort_by_key(|timing| Reverse(timing.wall_us));
    let row = |timing: &&SourceTiming| vec![timing.source.as_str().into(), ms(timing.wall_us), ms(timing.waited_us)];
    let columns = vec![
        Column::text("Source"),
        Column::number("Took", Unit::Milliseconds),
        Column::number("Waited for a processor", Unit::Milliseconds),
    ];
    Proof::table("The slowest sources", columns, sorted.iter().take(SLOWEST_SHOWN).map(row).collect())
}

fn facts(own: &OwnProcess) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("PID", own.pid.to_string()),
        ("User", own.uid.to_string()),
        ("Effective capabilities", format!("{:#x}", own.capabilities)),
        ("Priority (nice)", own.nice.to_string()),
        ("Time in user mode", format!("{:.3} s", float(own.user_us) / 1e6)),
        ("Time in the kernel", format!("{:.3} s", float(own.system_us) / 1e6)),
        ("Most memory", size::human(own.resident_max_bytes)),
    ];
    facts.extend(own.threads.map(|threads| ("Threads", threads.to_string())));
    facts.extend(own.open_files.map(|files| ("Open files", files.to_string())));
    facts.extend(own.read_bytes.map(|bytes| ("Read", size::human(bytes))));
    facts
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    #[test]
    fn a_long_wait_for_a_processor_is_told_with_the_slowest_sources() {
        let timing = |source: &str, wall_us, waited_us| SourceTiming { source: source.into(), wall_us, waited_us };
        for (waited_us, told) in [(499_999, false), (500_000, true)] {
            let mut evidence = Evidence::default();
            evidence.put(OWN, Ok(OwnProcess::default()));
            evidence.put(TIMINGS, Ok(vec![timing("a", 600_000, waited_us), timing("b", 1_234_560, 500_000)]));
            let judged = judge_one("self.agent", &evidence).unwrap();
            assert_eq!(
                judged.summary.ends_with("its threads waited 1.0 s for a processor."),
                told,
                "{}",
                judged.summary
            );
            let Proof::Table { rows, .. } = &judged.proofs[1] else { panic!("no table") };
            assert_eq!(rows[0], [Cell::from("b"), Cell::Number(1234.6), Cell::Number(500.0)]);
        }
    }

    #[test]
    fn our_own_cost_is_judged_at_its_boundaries() {
        for (resident_max_bytes, user_us, verdict) in
            [(256 * MIB, 5_000_000, Verdict::Info), (256 * MIB + 1, 0, Verdict::Warn), (0, 5_000_001, Verdict::Warn)]
        {
            let mut evidence = Evidence::default();
            evidence.put(OWN, Ok(OwnProcess { user_us, resident_max_bytes, ..OwnProcess::default() }));
            assert_eq!(judge_one("self.agent", &evidence).unwrap().verdict, verdict, "{resident_max_bytes} {user_us}");
        }
    }
}
