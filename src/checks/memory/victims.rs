//! Whether the kernel has killed for want of memory.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::cgroup::IGGY_CGROUP;
use crate::evidence::logs::{KERNEL_LOG, KernelLine};
use crate::evidence::memory::PAGING;

pub(super) const CHECK: Check = Check {
    id: "mem.oom",
    title: "Nothing was killed for want of memory",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[PAGING.source(), IGGY_CGROUP.source(), KERNEL_LOG.source()],
    rule: "Fails when the kernel's log of the last 24 hours says that a process of Iggy was killed, or when the server's \
           control group counts a kill. Warns on any other kill since boot. Passes otherwise.",
    threshold_source: "node-problem-detector treats a kill for want of memory as an event of the node.",
    why: "A broker that is killed loses what it had not saved, and comes back to check its segments.",
    remedy: "dmesg -T | grep -i -E 'out of memory|oom-kill|killed process' | tail\n# Give Iggy room: lower system.memory_pool.size, or limit the neighbour that is named as a unit:\nps -eo pid,rss,unit,comm --sort=-rss | head -15\nsystemctl set-property OTHER.service MemoryMax=2G\n# In a container that reached its own limit: docker update --memory 8g --memory-swap 8g CONTAINER; in Kubernetes limits.memory.",
    references: &["Linux documentation: admin-guide/cgroup-v2, memory.events"],
    privilege: "any user for the counter; CAP_SYSLOG for names",
    settings: &[Setting {
        name: "hours_max",
        default: 24.0,
        min: 1.0,
        max: 8760.0,
        help: "how far back the log counts, hours",
    }],
    evaluate: victims,
};

/// Lines of the log that are shown.
const LINES: usize = 20;

fn victims(case: &Case<'_>) -> Result<Judgement, Gap> {
    let kills = case.read(PAGING)?.oom_kills;
    let of_group = case.read(IGGY_CGROUP).ok().and_then(|group| group.oom_kills).unwrap_or(0);
    let log = case.read(KERNEL_LOG);
    let lines: Vec<&KernelLine> =
        log.as_ref().map(|log| log.lines.iter().filter(|line| is_kill(&line.text)).collect()).unwrap_or_default();
    let since_us = log.as_ref().map_or(0, |log| since_us(log.uptime_s, case.setting("hours_max")));
    let recent = |line: &&&KernelLine| line.since_boot_us >= since_us;
    let of_iggy = |line: &&&KernelLine| line.text.contains("(iggy-");
    let iggy = lines.iter().rev().filter(recent).find(of_iggy);
    // The counter has no names: whose the kills were, the log alone knows.
    let whose = match &log {
        Err(_) => "its log, which names them, could not be read",
        Ok(_) if lines.iter().any(|line| of_iggy(&line)) => "those of Iggy were longer ago than hours_max",
        Ok(_) => "none that its log tells of was of Iggy",
    };
    let judged = if let Some(line) = iggy {
        Judgement::fail(format!("The kernel killed a process of Iggy for want of memory: {}", line.text.trim()))
    } else if of_group > 0 {
        Judgement::fail(format!("The server's control group counts {of_group} kills for want of memory."))
    } else {
        match kills {
            Some(0) => Judgement::pass("The kernel has killed nothing for want of memory since boot."),
            Some(kills) => Judgement::warn(format!(
                "The kernel has killed {} for want of memory since boot; {whose}.",
                counted(kills, "time", "times")
            ))
            .measured(super::super::figures::float(kills), Unit::Count, kills.to_string())
            .expected("0"),
            None => match &log {
                Err(gap) => return Err(gap.clone()),
                Ok(_) if lines.is_empty() => Judgement::pass("The kernel's log tells of no kill for want of memory."),
                Ok(_) => Judgement::warn(format!("The kernel's log tells of kills for want of memory; {whose}.")),
            },
        }
    };
    let uptime_s = log.as_ref().map_or(0, |log| log.uptime_s);
    let at = |line: &KernelLine| {
        let ago_s = i64::try_from(uptime_s.saturating_sub(line.since_boot_us / 1_000_000)).unwrap_or(0);
        format!("{} {}", case.now.plus_s(-ago_s), line.text)
    };
    let shown: Vec<String> = lines.iter().rev().take(LINES).rev().map(|line| at(line)).collect();
    let dropped = lines.len().saturating_sub(LINES) as u64;
    let proof = Proof::Text { title: "Kills in the kernel's log", text: shown.join("\n"), lines_dropped: dropped };
    let judged = if lines.is_empty() { judged } else { judged.proof(proof) };
    Ok(match log {
        Err(gap) => judged.gap(gap),
        Ok(_) => judged,
    })
}

fn is_kill(text: &str) -> bool {
    text.contains("Killed process ")
}

/// Microseconds since boot at which the last hours begin.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours of a setting, at most a year")]
fn since_us(uptime_s: u64, hours: f64) -> u64 {
    uptime_s.saturating_sub((hours * 3600.0) as u64).saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cgroup::Cgroup;
    use crate::evidence::logs::KernelLog;
    use crate::evidence::memory::Paging;

    const DAY_US: u64 = 86_400_000_000;

    #[test]
    fn the_newest_kill_is_told_first() {
        let line = |pid: u64| KernelLine {
            priority: 3,
            since_boot_us: pid,
            text: format!("Out of memory: Killed process {pid} (iggy-server) total-vm:1kB"),
        };
        let mut evidence = Evidence::default();
        evidence.put(PAGING, Ok(Paging::default()));
        evidence.put(KERNEL_LOG, Ok(KernelLog { lines: vec![line(656), line(812)], dropped: 0, uptime_s: 1_000 }));
        let judged = judge_one("mem.oom", &evidence).unwrap();
        assert!(judged.summary.contains("Killed process 812"), "{}", judged.summary);
    }

    #[test]
    fn nobody_is_acquitted_by_a_log_that_was_not_read() {
        let server = "Out of memory: Killed process 656 (iggy-server) total-vm:1kB".to_owned();
        let old = KernelLine { priority: 3, since_boot_us: 1, text: server };
        let log = |lines: &[KernelLine]| Ok(KernelLog { lines: lines.to_vec(), dropped: 0, uptime_s: 2 * 86_400 });
        for (kills, log, said) in [
            (
                Some(1),
                Err(Gap::broken("x")),
                Ok("1 time for want of memory since boot; its log, which names them, could"),
            ),
            (
                Some(2),
                log(&[old]),
                Ok("2 times for want of memory since boot; those of Iggy were longer ago than hours"),
            ),
            (Some(1), log(&[]), Ok("none that its log tells of was of Iggy")),
            (None, Err(Gap::broken("x")), Err("x")),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(PAGING, Ok(Paging { oom_kills: kills, ..Paging::default() }));
            evidence.put(KERNEL_LOG, log);
            match (judge_one("mem.oom", &evidence), said) {
                (Ok(judged), Ok(said)) => assert!(judged.summary.contains(said), "{}", judged.summary),
                (judged, said) => {
                    assert_eq!(judged.map(|_| "judged").map_err(|gap| gap.detail), said.map_err(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn who_was_killed_and_when_decides() {
        let server = "Out of memory: Killed process 656 (iggy-server) total-vm:1kB";
        let other = "Out of memory: Killed process 7 (java) total-vm:1kB";
        for (kills, of_group, line, verdict) in [
            (Some(0), 0, None, Verdict::Pass),
            (Some(1), 0, None, Verdict::Warn),
            (Some(1), 0, Some((other, DAY_US)), Verdict::Warn),
            (Some(1), 1, None, Verdict::Fail),
            (Some(1), 0, Some((server, DAY_US)), Verdict::Fail),
            (Some(1), 0, Some((server, DAY_US - 1)), Verdict::Warn),
            (None, 0, Some((other, DAY_US)), Verdict::Warn),
            (None, 0, None, Verdict::Pass),
        ] {
            let kept = line.map(|(text, since_boot_us)| KernelLine { priority: 3, since_boot_us, text: text.into() });
            let lines = kept.into_iter().collect();
            let mut evidence = Evidence::default();
            evidence.put(PAGING, Ok(Paging { oom_kills: kills, ..Paging::default() }));
            evidence.put(IGGY_CGROUP, Ok(Cgroup { oom_kills: Some(of_group), ..Cgroup::default() }));
            evidence.put(KERNEL_LOG, Ok(KernelLog { lines, dropped: 0, uptime_s: 2 * 86_400 }));
            let judged = judge_one("mem.oom", &evidence).unwrap();
            assert_eq!(judged.verdict, verdict, "{kills:?} {of_group}: {}", judged.summary);
        }
    }
}
