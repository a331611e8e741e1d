//! Whether the peers of the roster can be reached.

use super::super::{Case, Category, Check, Setting, Tier};
use super::scope;
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::peers::{PEERS, Peer, Purpose};

pub(super) const CHECK: Check = Check {
    id: "net.peers",
    title: "Peers of the roster can be reached",
    category: Category::Network,
    tier: Tier::Extended,
    severity: Severity::Critical,
    needs: &[PEERS.source()],
    rule: "Fails when a peer refuses a connection to the port for other nodes (tcp_replica; in 0.8 the client port) or does not answer within a second. Warns when only its port for clients does, when the median of three connections takes more than 10 ms (connect_warn_ms), and when it takes more than 5 times (ratio_warn) that of the fastest peer and more than 1 ms. Passes otherwise. Nobody is contacted unless snapshot.contact_peers is true, and then the roster alone.",
    threshold_source: "TiUP checks the ways between nodes likewise; the figures are our own judgement.",
    why: "Nodes that cannot reach each other elect without each other: the cluster loses its majority or its writes slow down to the slowest way.",
    remedy: "# On the peer: does it run, and does it listen?\nsystemctl status iggy-server; ss -ltn\n# Between here and there: who drops it?\nnc -vz -w 1 PEER PORT\ntracepath PEER\nnft list ruleset | grep PORT",
    references: &["Apache Iggy: server configuration, [cluster]"],
    privilege: "any user, and snapshot.contact_peers = true",
    settings: &[
        Setting {
            name: "connect_warn_ms",
            default: 10.0,
            min: 0.1,
            max: 1000.0,
            help: "median time of a connection that warns, ms",
        },
        Setting {
            name: "ratio_warn",
            default: 5.0,
            min: 1.0,
            max: 1000.0,
            help: "times the fastest peer's median that warn",
        },
    ],
    evaluate: peers,
};

/// Differences below this are the scheduler's, ms.
const DIFFERENCE_MIN_MS: f64 = 1.0;

fn peers(case: &Case<'_>) -> Result<Judgement, Gap> {
    let peers = case.read(PEERS)?;
    if peers.is_empty() {
        return Err(Gap::not_applicable("the roster names no other node"));
    }
    let columns = vec![
        Column::text("Node"),
        Column::text("Port"),
        Column::text("For"),
        Column::number("Median", Unit::Milliseconds),
        Column::text("Trouble"),
    ];
    let row = |peer: &Peer| {
        let purpose = match peer.purpose {
            Purpose::Replica => "other nodes",
            Purpose::Client => "clients",
        };
        let median = peer.median_ms().map_or(Cell::Empty, |time| Cell::Number((time * 100.0).round() / 100.0));
        let trouble = peer.connected_ms.as_ref().err().map_or(Cell::Empty, |refusal| refusal.text().into());
        vec![peer.node.as_str().into(), peer.place.as_str().into(), purpose.into(), median, trouble]
    };
    let judged = judged(peers, case.setting("connect_warn_ms"), case.setting("ratio_warn"));
    let judged = judged.proof(Proof::table("Peers", columns, peers.iter().map(row).collect()));
    Ok(scope(case).gap().into_iter().fold(judged, Judgement::gap))
}

fn judged(peers: &[Peer], warn_ms: f64, ratio: f64) -> Judgement {
    let lost = |purpose: Purpose| {
        let of = peers.iter().filter(move |peer| peer.purpose == purpose);
        of.into_iter().find_map(|peer| Some((peer, peer.connected_ms.as_ref().err()?)))
    };
    if let Some((peer, refusal)) = lost(Purpose::Replica) {
        return Judgement::fail(format!("{} cannot be reached at {}: {}.", peer.node, peer.place, refusal.text()));
    }
    if let Some((peer, refusal)) = lost(Purpose::Client) {
        return Judgement::warn(format!(
            "{} cannot be reached by clients at {}: {}.",
            peer.node,
            peer.place,
            refusal.text()
        ));
    }
    let timed: Vec<(&Peer, f64)> = peers.iter().filter_map(|peer| Some((peer, peer.median_ms()?))).collect();
    let fastest = timed.iter().map(|(_, time)| *time).fold(f64::INFINITY, f64::min);
    let Some((slowest, time)) = timed.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Judgement::info("No connection was timed.");
    };
    let fact = format!("a connection to {} ({}) takes {time:.2} ms", slowest.node, slowest.place);
    let judged = if time > warn_ms {
        Judgement::warn(format!("In the middle {fact}, more than {warn_ms} ms."))
    } else if time > fastest * ratio && time - fastest > DIFFERENCE_MIN_MS {
        Judgement::warn(format!(
            "In the middle {fact}, more than {ratio} times the {fastest:.2} ms of the fastest peer."
        ))
    } else {
        Judgement::pass(format!("All {} ports of peers answer; at most {fact}.", peers.len()))
    };
    judged.measured(time, Unit::Milliseconds, format!("{time:.2} ms")).expected(format!("≤ {warn_ms} ms"))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::gap::GapReason;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::peers::Refusal;

    fn peer(purpose: Purpose, connected_ms: Result<Vec<f64>, Refusal>) -> Peer {
        Peer { node: "node-2".into(), place: "10.0.0.2:9090".into(), purpose, connected_ms }
    }

    #[test]
    fn peers_are_judged_by_whether_and_how_fast_they_answer() {
        use Purpose::{Client, Replica};
        let at = |time: f64| Ok(vec![time; 3]);
        for (peers, expected) in [
            (vec![peer(Replica, at(0.2)), peer(Replica, at(0.9))], Verdict::Pass),
            (vec![peer(Replica, at(0.4)), peer(Replica, at(2.1))], Verdict::Warn),
            (vec![peer(Replica, at(10.0))], Verdict::Pass),
            (vec![peer(Replica, at(10.1))], Verdict::Warn),
            (vec![peer(Replica, Ok(vec![0.1, 0.2, 900.0]))], Verdict::Pass),
            (vec![peer(Replica, Err(Refusal::Refused)), peer(Replica, at(0.2))], Verdict::Fail),
            (vec![peer(Replica, Err(Refusal::Silent))], Verdict::Fail),
            (vec![peer(Replica, at(0.2)), peer(Client, Err(Refusal::Unreachable))], Verdict::Warn),
            (vec![peer(Replica, Ok(Vec::new()))], Verdict::Info),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(PEERS, Ok(peers.clone()));
            let judged = judge_one("net.peers", &evidence).unwrap();
            assert_eq!(judged.verdict, expected, "{peers:?}: {}", judged.summary);
        }
    }

    #[test]
    fn a_roster_of_one_has_no_peers() {
        let mut evidence = Evidence::default();
        evidence.put(PEERS, Ok(Vec::new()));
        assert_eq!(judge_one("net.peers", &evidence).unwrap_err().reason, GapReason::NotApplicable);
    }
}
