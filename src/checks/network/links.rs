//! Interfaces.

use std::net::IpAddr;

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::network::{LINKS, Link, LinkKind, LinkRate, NET_COUNTERS, Packets};

pub(super) const CHECK: Check = Check {
    id: "net.links",
    title: "Interfaces",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[LINKS.source()],
    rule: "Fails when the interface with an address that Iggy listens on is down. Warns when more than 1 % (loss_warn_percent) of at least 1,000 packets were damaged or found no room during the window, \
           when a device with a link runs at half duplex or below 1,000 Mbit/s (speed_warn_mbit), or a member of a bond has no link. Passes otherwise. A speed that the driver does not know is no finding.",
    threshold_source: "node_exporter's mixin: 1 %; TiUP: 1 Gbit/s.",
    why: "Lost packets and a slow or half-duplex link look like a slow broker from every client, and like nothing at all from the broker.",
    remedy: "ip -s link\nethtool INTERFACE\nethtool -S INTERFACE | grep -E 'err|drop|crc' | grep -v ': 0'\n# Then the cable, the transceiver and the port of the switch.",
    references: &["node_exporter: docs/node-mixin", "Linux documentation: networking/bonding"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "loss_warn_percent",
            default: 1.0,
            min: 0.0,
            max: 100.0,
            help: "damaged or dropped packets that warn, percent",
        },
        Setting {
            name: "speed_warn_mbit",
            default: 1000.0,
            min: 0.0,
            max: 1e6,
            help: "the least speed that passes, Mbit/s",
        },
    ],
    evaluate: links,
};

/// Packets below which a share says nothing.
const PACKETS_MIN: u64 = 1000;

fn links(case: &Case<'_>) -> Result<Judgement, Gap> {
    let links = case.read(LINKS)?;
    let counters = case.read(NET_COUNTERS);
    let rates = counters.as_ref().map_or(&[][..], |counters| counters.links.as_slice());
    let listening: Vec<IpAddr> =
        case.read(IGGY_CONFIG).map(crate::evidence::config::IggyConfig::addresses).unwrap_or_default();
    let judged = judged(case, links, rates, &listening).proof(table(links, rates));
    Ok(counters.err().into_iter().fold(judged, Judgement::gap))
}

fn rate<'a>(rates: &'a [LinkRate], link: &Link) -> Option<&'a LinkRate> {
    rates.iter().find(|rate| rate.name == link.name)
}

fn table(links: &[Link], rates: &[LinkRate]) -> Proof {
    let rows = links.iter().map(|link| {
        let packets = |pick: fn(&LinkRate) -> u64| rate(rates, link).map_or(Cell::Empty, |rate| pick(rate).into());
        let addresses: Vec<String> = link.addresses.iter().map(ToString::to_string).collect();
        vec![
            link.name.as_str().into(),
            link.state.as_str().into(),
            addresses.join(" ").into(),
            link.speed_mbit.map_or(Cell::Empty, |speed| format!("{speed} Mbit/s").into()),
            link.mtu.map_or(Cell::Empty, Cell::from),
            packets(|rate| rate.received_ever.bytes),
            packets(|rate| rate.sent_ever.bytes),
            packets(|rate| rate.received_ever.errors + rate.sent_ever.errors),
            packets(|rate| rate.received_ever.dropped + rate.sent_ever.dropped),
            link.carrier_changes.map_or(Cell::Empty, Cell::from),
        ]
    });
    let columns = vec![
        Column::text("Interface"),
        Column::text("State"),
        Column::text("Addresses"),
        Column::text("Speed"),
        Column::number("Largest packet", Unit::Bytes),
        Column::number("Received", Unit::Bytes),
        Column::number("Sent", Unit::Bytes),
        Column::number("Damaged", Unit::Count),
        Column::number("Dropped", Unit::Count),
        Column::number("Link changes", Unit::Count),
    ];
    Proof::table("Interfaces", columns, rows.collect())
}

/// The worse of both directions: its name, and the share that was lost.
fn loss(rate: &LinkRate) -> Option<(&'static str, f64)> {
    let lost = |packets: &Packets| {
        let all = packets.packets + packets.errors + packets.dropped;
        (all >= PACKETS_MIN).then(|| share(packets.errors + packets.dropped, all))
    };
    let both = [("received", lost(&rate.received)), ("sent", lost(&rate.sent))];
    both.into_iter().filter_map(|(name, lost)| Some((name, lost?))).max_by(|a, b| a.1.total_cmp(&b.1))
}

fn judged(case: &Case<'_>, links: &[Link], rates: &[LinkRate], listening: &[IpAddr]) -> Judgement {
    let down = links.iter().find(|link| link.is_down() && link.addresses.iter().any(|own| listening.contains(own)));
    if let Some(link) = down {
        return Judgement::fail(format!("{} is {}, and Iggy listens on its address.", link.name, link.state))
            .remedy(format!("ip link set {0} up; ip addr show {0}\nethtool {0} | grep 'Link detected'\n# No link: the cable, the transceiver and the port of the switch.", link.name));
    }
    let (loss_max, speed_min) = (case.setting("loss_warn_percent"), case.setting("speed_warn_mbit"));
    let used = || links.iter().filter(|link| !link.is_down());
    for link in used() {
        if let Some((direction, lost)) = rate(rates, link).and_then(loss).filter(|(_, lost)| *lost > loss_max) {
            let summary = format!(
                "{} lost {} of the packets that it {direction} during the window, more than {loss_max} %.",
                link.name,
                percent(lost)
            );
            return Judgement::warn(summary)
                .remedy(CHECK.remedy.replace("INTERFACE", &link.name))
                .measured(lost, Unit::Percent, percent(lost))
                .expected(format!("≤ {loss_max} %"));
        }
        if let Some((member, _)) = link.members.iter().find(|(_, up)| !up) {
            return Judgement::warn(format!("{member}, a member of the bond {}, has no link.", link.name))
                .remedy(format!("cat /proc/net/bonding/{}\n{}", link.name, CHECK.remedy.replace("INTERFACE", member)));
        }
    }
    for link in used().filter(|link| link.kind == LinkKind::Device && link.state == "up") {
        if link.duplex.as_deref() == Some("half") {
            return Judgement::warn(format!("{} runs at half duplex.", link.name))
                .remedy(CHECK.remedy.replace("INTERFACE", &link.name));
        }
        if let Some(speed) = link.speed_mbit.filter(|speed| super::super::figures::float(*speed) < speed_min) {
            return Judgement::warn(format!("{} runs at {speed} Mbit/s, less than {speed_min}.", link.name))
                .remedy(CHECK.remedy.replace("INTERFACE", &link.name));
        }
    }
    let with_link = links.iter().filter(|link| link.state == "up").count();
    Judgement::pass(format!("{with_link} of {} interfaces have a link, and none loses packets.", links.len()))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::config::IggyConfig;
    use crate::evidence::network::NetCounters;
    use crate::iggy::config::ServerConfig;

    fn up() -> Link {
        Link {
            name: "eth0".into(),
            state: "up".into(),
            kind: LinkKind::Device,
            speed_mbit: Some(10_000),
            duplex: Some("full".into()),
            addresses: vec!["10.0.0.5".parse().unwrap()],
            ..Link::default()
        }
    }

    fn verdict(link: Link, received: Packets) -> Verdict {
        let mut evidence = Evidence::default();
        let rate = LinkRate { name: "eth0".into(), received, ..LinkRate::default() };
        let server = ServerConfig::parse("[tcp]\nenabled = true\naddress = \"10.0.0.5:8090\"\n").unwrap();
        evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
        evidence.put(LINKS, Ok(vec![link]));
        evidence.put(NET_COUNTERS, Ok(NetCounters { window_s: 1.0, links: vec![rate], ..NetCounters::default() }));
        judge_one("net.links", &evidence).unwrap().verdict
    }

    #[test]
    fn state_speed_duplex_bond_and_loss_are_judged() {
        let none = Packets::default();
        for (link, expected) in [
            (up(), Verdict::Pass),
            (Link { state: "down".into(), ..up() }, Verdict::Fail),
            (Link { state: "down".into(), addresses: Vec::new(), ..up() }, Verdict::Pass),
            (Link { speed_mbit: Some(1000), ..up() }, Verdict::Pass),
            (Link { speed_mbit: Some(999), ..up() }, Verdict::Warn),
            (Link { speed_mbit: Some(10), kind: LinkKind::Virtual, ..up() }, Verdict::Pass),
            (Link { speed_mbit: None, duplex: None, ..up() }, Verdict::Pass),
            (Link { duplex: Some("half".into()), ..up() }, Verdict::Warn),
            (Link { members: vec![("a".into(), true), ("b".into(), false)], ..up() }, Verdict::Warn),
        ] {
            assert_eq!(verdict(link.clone(), none), expected, "{link:?}");
        }
        for (packets, dropped, expected) in
            [(990, 10, Verdict::Pass), (989, 11, Verdict::Warn), (900, 99, Verdict::Pass), (10, 0, Verdict::Pass)]
        {
            let received = Packets { packets, dropped, ..none };
            assert_eq!(verdict(up(), received), expected, "{received:?}");
        }
    }
}
