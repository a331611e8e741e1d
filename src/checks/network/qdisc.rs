//! Whether packets are held back or dropped on their way out.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use super::scope;
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::network::{LINKS, Link};
use crate::evidence::qdisc::{QDISCS, QDISCS_LATER, Qdisc};

pub(super) const CHECK: Check = Check {
    id: "net.qdisc",
    title: "No traffic shaping in Iggy's way",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[QDISCS.source(), QDISCS_LATER.source(), LINKS.source()],
    rule: "Of the interfaces that Iggy's listeners can be reached by (every one with an address where that is not known): warns on a queueing discipline that shapes or disturbs traffic (netem, tbf, htb, hfsc, cbq), and when one dropped or got back from its device more than 1 % (loss_warn_percent) of at least 1,000 packets during the window. Passes otherwise. Virtual interfaces that only other containers use do not count.",
    threshold_source: "node_exporter's qdisc collector has the counters; the share is our own judgement.",
    why: "A shaper that was left over from a test, or set for backups, is invisible to the broker: clients see latency, and no counter of the broker's rises.",
    remedy: "tc -s qdisc show dev INTERFACE\ntc qdisc del dev INTERFACE root        # back to the default discipline",
    references: &["tc(8)", "tc-netem(8)", "tc-htb(8)"],
    privilege: "any user",
    settings: &[Setting {
        name: "loss_warn_percent",
        default: 1.0,
        min: 0.0,
        max: 100.0,
        help: "packets dropped or given back that warn, percent",
    }],
    evaluate: qdisc,
};

/// Packets below which a share says nothing.
const PACKETS_MIN: u64 = 1000;

/// A discipline on an interface that matters.
struct Placed<'a> {
    qdisc: &'a Qdisc,
    link: &'a Link,
    sent: u64,
    lost: u64,
    requeued: u64,
}

fn qdisc(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (early, links) = (case.read(QDISCS)?, case.read(LINKS)?);
    let later = case.read(QDISCS_LATER);
    let scope = scope(case);
    let now = later.as_ref().map_or(early, |later| later);
    let placed: Vec<Placed<'_>> = now
        .iter()
        .filter_map(|qdisc| {
            let link = links.iter().find(|link| link.index == qdisc.link)?;
            let (sent, lost, requeued) = qdisc.since(early);
            scope.reaches(link).then_some(Placed { qdisc, link, sent, lost, requeued })
        })
        .collect();
    let judged = judged(&placed, case.setting("loss_warn_percent"));
    let columns = vec![
        Column::text("Interface"),
        Column::text("Discipline"),
        Column::number("Sent since it is there", Unit::Count),
        Column::number("Dropped", Unit::Count),
        Column::number("Given back", Unit::Count),
        Column::number("Waiting", Unit::Count),
    ];
    let row = |one: &Placed<'_>| {
        let counted = [one.qdisc.packets, one.qdisc.dropped, one.qdisc.requeued, one.qdisc.waiting];
        let named = [one.link.name.as_str(), one.qdisc.kind.as_str()].map(Into::into);
        named.into_iter().chain(counted.map(Into::into)).collect()
    };
    let judged = judged.proof(Proof::table("Queueing disciplines", columns, placed.iter().map(row).collect()));
    Ok(scope.gap().into_iter().chain(later.err()).fold(judged, Judgement::gap))
}

fn judged(placed: &[Placed<'_>], loss_max: f64) -> Judgement {
    if let Some((one, does)) = placed.iter().find_map(|one| Some((one, one.qdisc.shapes()?))) {
        let name = &one.link.name;
        return Judgement::warn(format!("On {name} the discipline {} {does}.", one.qdisc.kind))
            .remedy(CHECK.remedy.replace("INTERFACE", name));
    }
    let lossy = placed.iter().filter(|one| one.sent + one.lost >= PACKETS_MIN);
    let lossy = lossy.map(|one| (one, share(one.lost.max(one.requeued), one.sent + one.lost)));
    if let Some((one, lost)) = lossy.filter(|(_, lost)| *lost > loss_max).max_by(|a, b| a.1.total_cmp(&b.1)) {
        let did = if one.lost >= one.requeued { "dropped" } else { "got back from its device" };
        return Judgement::warn(format!(
            "On {} the discipline {} {did} {} of its packets during the window, more than {loss_max} %.",
            one.link.name,
            one.qdisc.kind,
            percent(lost)
        ))
        .measured(lost, Unit::Percent, percent(lost))
        .expected(format!("≤ {loss_max} %"))
        .remedy(CHECK.remedy.replace("INTERFACE", &one.link.name));
    }
    let mut kinds: Vec<&str> = placed.iter().map(|one| one.qdisc.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let kinds = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
    Judgement::pass(format!("Packets are ordered ({kinds}) and not held back."))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::network::LinkKind;

    fn seen(kind: &str, link: u32, sent: u64, dropped: u64, requeued: u64) -> Judgement {
        let one = Qdisc { link, kind: kind.into(), packets: 500, dropped: 7, ..Qdisc::default() };
        let later = Qdisc { packets: 500 + sent, dropped: 7 + dropped, requeued, ..one.clone() };
        let device = |name: &str, index, kind, address: Option<&str>| Link {
            name: name.into(),
            index,
            kind,
            addresses: address.map(|address| address.parse().unwrap()).into_iter().collect(),
            ..Link::default()
        };
        let links = vec![
            device("lo", 1, LinkKind::Virtual, Some("127.0.0.1")),
            device("eth0", 2, LinkKind::Device, Some("10.0.0.1")),
            device("veth1", 3, LinkKind::Virtual, None),
        ];
        let mut evidence = Evidence::default();
        evidence.put(LINKS, Ok(links));
        evidence.put(QDISCS, Ok(vec![one]));
        evidence.put(QDISCS_LATER, Ok(vec![later]));
        judge_one("net.qdisc", &evidence).unwrap()
    }

    #[test]
    fn shapers_and_losses_warn_where_iggy_is_reached() {
        for (kind, link, sent, dropped, requeued, expected) in [
            ("fq_codel", 2, 5_000, 0, 0, Verdict::Pass),
            ("netem", 2, 0, 0, 0, Verdict::Warn),
            ("tbf", 2, 0, 0, 0, Verdict::Warn),
            ("htb", 2, 0, 0, 0, Verdict::Warn),
            ("tbf", 3, 0, 0, 0, Verdict::Pass),
            ("fq_codel", 2, 990, 10, 0, Verdict::Pass),
            ("fq_codel", 2, 990, 11, 0, Verdict::Warn),
            ("fq_codel", 2, 900, 99, 0, Verdict::Pass),
            ("pfifo_fast", 2, 1_000, 0, 11, Verdict::Warn),
            ("noqueue", 1, 0, 0, 0, Verdict::Pass),
        ] {
            let judged = seen(kind, link, sent, dropped, requeued);
            assert_eq!(judged.verdict, expected, "{kind} {link} {sent} {dropped}: {}", judged.summary);
        }
        let judged = seen("netem", 2, 0, 0, 0);
        assert_eq!(judged.summary, "On eth0 the discipline netem delays, loses or reorders packets on purpose.");
        assert!(judged.remedy.unwrap().contains("tc qdisc del dev eth0 root"));
    }
}
