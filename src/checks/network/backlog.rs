//! Packets that found no room between the network card and the kernel.

use super::super::figures::{counted, float};
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::softnet::{BACKLOG, Backlog};

pub(super) const CHECK: Check = Check {
    id: "net.softnet",
    title: "Backlog of received packets",
    category: Category::Network,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[BACKLOG.source()],
    rule: "Warns when packets found the backlog of a processor full during the window. Information when the kernel ran out of its share with packets left (squeezed) during the window, or packets were dropped since boot; passes otherwise.",
    threshold_source: "node_exporter's softnet collector; that any drop in the window counts is our own judgement.",
    why: "A packet that is dropped here was received in full by the card, and the sender waits a retransmit timeout for it.",
    remedy: "sysctl -w net.core.netdev_max_backlog=5000 net.core.netdev_budget=600\nprintf 'net.core.netdev_max_backlog = 5000\\nnet.core.netdev_budget = 600\\n' > /etc/sysctl.d/90-iggy-softnet.conf\n# One processor takes all interrupts? Spread them:\ngrep -E 'CPU|eth|ens|enp|virtio' /proc/interrupts\necho ffffffff > /sys/class/net/INTERFACE/queues/rx-0/rps_cpus",
    references: &["Linux documentation: admin-guide/sysctl/net", "Linux documentation: networking/scaling"],
    privilege: "any user",
    settings: &[],
    evaluate: backlog,
};

fn backlog(case: &Case<'_>) -> Result<Judgement, Gap> {
    let backlog = case.read(BACKLOG)?;
    let pair = |(first, second): (u64, u64)| format!("{} and {second}", second.saturating_sub(first));
    let known = |value: Option<u64>| value.map_or_else(|| "not known".to_owned(), |value| value.to_string());
    let facts = [
        ("Taken off, in the window and since boot", pair(backlog.processed)),
        ("Dropped", pair(backlog.dropped)),
        ("Squeezed", pair(backlog.squeezed)),
        ("net.core.netdev_max_backlog", known(backlog.backlog_max)),
        ("net.core.netdev_budget", known(backlog.budget)),
    ];
    Ok(judged(backlog).proof(Proof::facts("Backlog of all processors", facts)))
}

fn judged(backlog: &Backlog) -> Judgement {
    let grown = |(first, second): (u64, u64)| second.saturating_sub(first);
    let (dropped, squeezed) = (grown(backlog.dropped), grown(backlog.squeezed));
    let of_drops = |judged: Judgement| judged.measured(float(dropped), Unit::Count, dropped.to_string()).expected("0");
    if dropped > 0 {
        let cpus: Vec<String> = backlog.dropping.iter().map(|(cpu, _)| cpu.to_string()).collect();
        return of_drops(Judgement::warn(format!(
            "{} full during the window, on processor {}.",
            counted(
                usize::try_from(dropped).unwrap_or(usize::MAX),
                "packet found the backlog",
                "packets found the backlog"
            ),
            cpus.join(", ")
        )));
    }
    of_drops(if squeezed > 0 {
        Judgement::info(format!(
            "The kernel ran out of its share with packets left {squeezed} times during the window; none was dropped."
        ))
    } else if backlog.dropped.1 > 0 {
        Judgement::info(format!("No packet was dropped during the window; {} were since boot.", backlog.dropped.1))
    } else {
        Judgement::pass("No packet ever found the backlog full.")
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    #[test]
    fn drops_of_the_window_warn() {
        for (dropped, squeezed, expected) in [
            ((0, 0), (5, 5), Verdict::Pass),
            ((7, 7), (5, 5), Verdict::Info),
            ((0, 0), (5, 6), Verdict::Info),
            ((7, 8), (5, 5), Verdict::Warn),
        ] {
            let dropping = if dropped.1 > dropped.0 { vec![(1, 1)] } else { Vec::new() };
            let mut evidence = Evidence::default();
            evidence.put(BACKLOG, Ok(Backlog { dropped, squeezed, dropping, ..Backlog::default() }));
            let judged = judge_one("net.softnet", &evidence).unwrap();
            assert_eq!(judged.verdict, expected, "{dropped:?} {squeezed:?}: {}", judged.summary);
        }
    }
}
