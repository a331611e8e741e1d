//! Segments that TCP had to send again.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::network::{NET_COUNTERS, NetCounters};

pub(super) const CHECK: Check = Check {
    id: "net.retrans",
    title: "Retransmits and resets",
    category: Category::Network,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[NET_COUNTERS.source()],
    rule: "Fails when more than 5 % (fail_percent) of at least 1,000 segments of the window were sent again, warns above 1 % (warn_percent); information when fewer were sent, passes otherwise.",
    threshold_source: "Brendan Gregg's sar step names the counters; the shares are our own.",
    why: "Each segment that is sent again waits a round trip or more; replication and fan-out feel it first.",
    remedy: "ss -tin | grep -B1 retrans: | head -40\nmtr -rwc 100 PEER\n# Then the path to the peer with the most of them.",
    references: &["Linux documentation: networking/snmp_counter"],
    privilege: "any user",
    settings: &[
        Setting { name: "warn_percent", default: 1.0, min: 0.0, max: 100.0, help: "share that warns, percent" },
        Setting { name: "fail_percent", default: 5.0, min: 0.0, max: 100.0, help: "share that fails, percent" },
    ],
    evaluate: retransmits,
};

/// Segments below which a share says nothing.
const SEGMENTS_MIN: u64 = 1000;
const SHOWN: &[&str] = &[
    "Tcp.OutSegs",
    "Tcp.RetransSegs",
    "TcpExt.TCPTimeouts",
    "TcpExt.TCPLostRetransmit",
    "Tcp.EstabResets",
    "Tcp.AttemptFails",
    "Tcp.InErrs",
];

fn retransmits(case: &Case<'_>) -> Result<Judgement, Gap> {
    let counters = case.read(NET_COUNTERS)?;
    let facts = SHOWN.iter().filter_map(|name| {
        Some((
            format!("{name}, in the window and since boot"),
            format!("{} and {}", counters.grown(name)?, counters.total(name)?),
        ))
    });
    let judged = judged(counters, case.setting("warn_percent"), case.setting("fail_percent"))?;
    Ok(judged.proof(Proof::facts("TCP", facts)))
}

fn judged(counters: &NetCounters, warn: f64, fail: f64) -> Result<Judgement, Gap> {
    let grown = |name: &str| counters.grown(name).ok_or_else(|| Gap::absent(format!("the kernel counts no {name}")));
    let (sent, again) = (grown("Tcp.OutSegs")?, grown("Tcp.RetransSegs")?);
    if sent < SEGMENTS_MIN {
        let ever = share(counters.total("Tcp.RetransSegs").unwrap_or(0), counters.total("Tcp.OutSegs").unwrap_or(0));
        return Ok(Judgement::info(format!(
            "Only {sent} segments were sent during the window; since boot {} were sent again.",
            percent(ever)
        )));
    }
    let again_percent = share(again, sent);
    let fact = format!("{again} of {sent} segments were sent again during the window ({})", percent(again_percent));
    let (judged, limit) = if again_percent > fail {
        (Judgement::fail(format!("{fact}, more than {fail} %.")), fail)
    } else if again_percent > warn {
        (Judgement::warn(format!("{fact}, more than {warn} %.")), warn)
    } else {
        (Judgement::pass(format!("{fact}.")), warn)
    };
    Ok(judged.measured(again_percent, Unit::Percent, percent(again_percent)).expected(format!("≤ {limit} %")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn the_share_of_enough_segments_is_judged() {
        for (sent, again, expected) in [
            (1000, 10, Verdict::Pass),
            (1000, 11, Verdict::Warn),
            (1000, 50, Verdict::Warn),
            (1000, 51, Verdict::Fail),
            (999, 999, Verdict::Info),
        ] {
            let values =
                [("Tcp.OutSegs".to_owned(), (5, 5 + sent)), ("Tcp.RetransSegs".to_owned(), (1, 1 + again))].into();
            let counters = NetCounters { values, ..NetCounters::default() };
            assert_eq!(judged(&counters, 1.0, 5.0).unwrap().verdict, expected, "{sent} {again}");
        }
    }
}
