//! Whether the table of tracked connections has room.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use super::scope;
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::conntrack::{CONNTRACK, Conntrack};
use crate::evidence::logs::{KERNEL_LOG, KernelLog};

pub(super) const CHECK: Check = Check {
    id: "net.conntrack",
    title: "Room for tracked connections",
    category: Category::Network,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[CONNTRACK.source(), KERNEL_LOG.source()],
    rule: "Fails when more than 90 % (fill_fail_percent) of the table of tracked connections is in use, or the kernel logged that it was full in the last 24 hours (hours_max). Warns above 75 % (fill_warn_percent). Passes otherwise, also where connections are not tracked.",
    threshold_source: "node_exporter's mixin: 75 %; node-problem-detector's rule ConntrackFull.",
    why: "A full table drops the packets of new connections without a word: old clients work, new ones time out.",
    remedy: "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max\nsysctl -w net.netfilter.nf_conntrack_max=524288\necho 'net.netfilter.nf_conntrack_max = 524288' > /etc/sysctl.d/90-iggy-conntrack.conf\n# Better: do not track Iggy's own ports, in both directions\nnft add table inet iggy\nnft add chain inet iggy in '{ type filter hook prerouting priority raw; }'\nnft add chain inet iggy out '{ type filter hook output priority raw; }'\nnft add rule inet iggy in tcp dport 8090 notrack\nnft add rule inet iggy out tcp sport 8090 notrack",
    references: &["Linux documentation: networking/nf_conntrack-sysctl", "node-problem-detector: kernel-monitor.json"],
    privilege: "any user; CAP_SYSLOG for the kernel's log",
    settings: &[
        Setting {
            name: "fill_warn_percent",
            default: 75.0,
            min: 1.0,
            max: 100.0,
            help: "share in use that warns, percent",
        },
        Setting {
            name: "fill_fail_percent",
            default: 90.0,
            min: 1.0,
            max: 100.0,
            help: "share in use that fails, percent",
        },
        Setting {
            name: "hours_max",
            default: 24.0,
            min: 1.0,
            max: 8760.0,
            help: "how far back lines of the log count, hours",
        },
    ],
    evaluate: conntrack,
};

/// What the kernel logs when a connection found no room.
const FULL: &str = "nf_conntrack: table full";

fn conntrack(case: &Case<'_>) -> Result<Judgement, Gap> {
    let table = match case.read(CONNTRACK) {
        Ok(table) => table,
        Err(gap) if gap.reason == GapReason::Absent => {
            return Ok(Judgement::pass("The kernel does not track connections here."));
        }
        Err(gap) => return Err(gap),
    };
    let log = case.read(KERNEL_LOG);
    let full = log.as_ref().map_or(0, |log| full_lines(log, case.setting("hours_max")));
    let facts = [
        ("Connections", table.count.to_string()),
        ("Room for", table.max.to_string()),
        ("Dropped since boot", table.dropped.to_string()),
        ("Dropped early since boot", table.dropped_early.to_string()),
        ("Not entered since boot", table.insert_failed.to_string()),
    ];
    let limits = ["fill_warn_percent", "fill_fail_percent"].map(|name| case.setting(name));
    let judged = judged(*table, full, limits).proof(Proof::facts("Tracked connections", facts));
    Ok(scope(case).gap().into_iter().chain(log.err()).fold(judged, Judgement::gap))
}

#[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
fn full_lines(log: &KernelLog, hours_max: f64) -> usize {
    let young =
        |since_boot_us: u64| log.uptime_s.saturating_sub(since_boot_us / 1_000_000) as f64 <= hours_max * 3600.0;
    log.lines.iter().filter(|line| line.text.contains(FULL) && young(line.since_boot_us)).count()
}

fn judged(table: Conntrack, full: usize, [warn, fail]: [f64; 2]) -> Judgement {
    let used = share(table.count, table.max);
    let fact = format!("{} of {} tracked connections are in use ({})", table.count, table.max, percent(used));
    let judged = if used > fail {
        Judgement::fail(format!("{fact}, more than {fail} %."))
    } else if full > 0 {
        Judgement::fail(format!("The kernel logged {full} times that the table was full; now {fact}."))
    } else if used > warn {
        Judgement::warn(format!("{fact}, more than {warn} %."))
    } else {
        Judgement::pass(format!("{fact}."))
    };
    judged.measured(used, Unit::Percent, percent(used)).expected(format!("≤ {warn} %"))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::logs::KernelLine;

    fn log(age_s: u64) -> KernelLog {
        let text = "nf_conntrack: nf_conntrack: table full, dropping packet".to_owned();
        let since_boot_us = (200_000 - age_s) * 1_000_000;
        KernelLog { lines: vec![KernelLine { priority: 4, since_boot_us, text }], dropped: 0, uptime_s: 200_000 }
    }

    #[test]
    fn the_fill_and_the_kernels_word_are_judged() {
        for (count, age_s, expected) in [
            (750, None, Verdict::Pass),
            (751, None, Verdict::Warn),
            (900, None, Verdict::Warn),
            (901, None, Verdict::Fail),
            (10, Some(86_400), Verdict::Fail),
            (10, Some(86_401), Verdict::Pass),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(CONNTRACK, Ok(Conntrack { count, max: 1000, ..Conntrack::default() }));
            evidence.put(KERNEL_LOG, Ok(age_s.map(log).unwrap_or_default()));
            let judged = judge_one("net.conntrack", &evidence).unwrap();
            assert_eq!(judged.verdict, expected, "{count} {age_s:?}: {}", judged.summary);
        }
    }

    #[test]
    fn no_table_is_no_trouble_and_a_closed_log_is_a_gap() {
        let mut evidence = Evidence::default();
        evidence.put(CONNTRACK, Err(Gap::absent("no such file")));
        assert_eq!(judge_one("net.conntrack", &evidence).unwrap().verdict, Verdict::Pass);
        evidence.put(CONNTRACK, Err(Gap::denied("closed", "root")));
        assert_eq!(judge_one("net.conntrack", &evidence).unwrap_err().reason, GapReason::Denied);
        evidence.put(CONNTRACK, Ok(Conntrack { count: 1, max: 10, ..Conntrack::default() }));
        evidence.put(KERNEL_LOG, Err(Gap::denied("closed", "CAP_SYSLOG")));
        assert_eq!(judge_one("net.conntrack", &evidence).unwrap().gaps.len(), 1);
    }
}
