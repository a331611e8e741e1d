//! Whether packets know their way, and names their addresses.

use super::super::{Case, Category, Check, Tier};
use super::scope;
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::network::{LINKS, Link};
use crate::evidence::routes::{KnownBy, NAMES, Names, Neighbour, PEER_ROUTES, PeerRoute, ROUTES, RouteKind, Routes};

pub(super) const CHECK: Check = Check {
    id: "net.routes",
    title: "Routes, neighbours and names",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[ROUTES.source(), NAMES.source(), PEER_ROUTES.source(), LINKS.source()],
    rule: "Fails when a name of the cluster's roster stands for no address (only looked up beyond /etc/hosts when snapshot.contact_peers is true). Warns when no route leads to a peer, when the next hop to one does not answer, and when this host's own name is known to nobody: not to /etc/hosts, not to the C library, and there is no server of names. Information without a default route, which is normal without the Internet, and when only a server of names may know the host's own name. Passes otherwise. The kernel is asked for the way; no packet is sent.",
    threshold_source: "Lynis (NAME-4404, NETW-2705) and node-problem-detector (DNSUnreachable) for names; the rest is our own judgement.",
    why: "A node that cannot find its peers leaves the cluster without an error that names the reason.",
    remedy: "ip route get PEER_ADDRESS; ip neigh show PEER_ADDRESS\nip route add PEER_NETWORK via GATEWAY\n# A name that must always work, also without a server of names:\necho 'ADDRESS NAME' >> /etc/hosts\necho \"127.0.1.1 $(hostname)\" >> /etc/hosts",
    references: &["ip-route(8)", "nsswitch.conf(5)", "Lynis: NAME-4404"],
    privilege: "any user",
    settings: &[],
    evaluate: routes,
};

fn routes(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (routes, names) = (case.read(ROUTES)?, case.read(NAMES));
    let peers = case.read(PEER_ROUTES);
    let links = case.read(LINKS).map_or(&[][..], |links| links.as_slice());
    let roster = peers.as_ref().map_or(&[][..], |peers| peers.as_slice());
    let judged = judged(routes, names.as_ref().ok().copied(), roster);
    let judged = judged.proof(table(routes, links));
    let judged = if roster.is_empty() { judged } else { judged.proof(peer_table(roster, links)) };
    let judged = match &names {
        Ok(names) => judged.proof(Proof::facts("Names", facts(names))),
        Err(_) => judged,
    };
    // No cluster and no server are no loss.
    let lost = peers.err().filter(|gap| !matches!(gap.reason, GapReason::NotApplicable | GapReason::Absent));
    let offline = roster.iter().filter_map(|peer| peer.address.as_ref().err());
    let offline: Vec<Gap> = offline.filter(|gap| gap.reason != GapReason::Absent).cloned().collect();
    Ok(scope(case).gap().into_iter().chain(names.err()).chain(lost).chain(offline).fold(judged, Judgement::gap))
}

fn judged(routes: &Routes, names: Option<&Names>, roster: &[PeerRoute]) -> Judgement {
    let called = |peer: &PeerRoute| {
        if peer.node == peer.named { peer.named.clone() } else { format!("{} ({})", peer.node, peer.named) }
    };
    let lost = roster.iter().find(|peer| peer.address.as_ref().is_err_and(|gap| gap.reason == GapReason::Absent));
    if let Some(peer) = lost {
        return Judgement::fail(format!("The roster's node {} stands for no address.", called(peer)));
    }
    if let Some((peer, reason)) = roster.iter().find_map(|peer| Some((peer, peer.way.as_ref()?.as_ref().err()?))) {
        return Judgement::warn(format!("Packets to the roster's node {} have no way: {reason}.", called(peer)));
    }
    let silent = |peer: &&PeerRoute| matches!(&peer.way, Some(Ok(way)) if way.neighbour == Neighbour::Silent);
    if let Some(peer) = roster.iter().find(silent) {
        return Judgement::warn(format!(
            "The next hop to the roster's node {} does not answer when asked for its hardware address.",
            called(peer)
        ));
    }
    let defaults = routes.default_routes().count();
    match names {
        Some(names) if names.known == KnownBy::Nobody => Judgement::warn(format!(
            "This host's own name {} stands for no address: it is not in /etc/hosts, and no server of names is set.",
            names.host_name
        )),
        _ if defaults == 0 => {
            Judgement::info("There is no default route: only the networks in the table can be reached.")
        }
        Some(names) if names.known == KnownBy::PerhapsServer => Judgement::info(format!(
            "Only a server of names may know this host's own name {}; none was asked.",
            names.host_name
        )),
        _ => Judgement::pass(match roster.len() {
            0 => "Packets have their way.".to_owned(),
            peers => format!("Packets have their way, to each of the roster's {peers} nodes too."),
        }),
    }
}

fn link_name(links: &[Link], number: u32) -> Cell {
    links.iter().find(|link| link.index == number).map_or(Cell::Empty, |link| link.name.as_str().into())
}

fn table(routes: &Routes, links: &[Link]) -> Proof {
    let columns =
        vec![Column::text("To"), Column::text("By"), Column::text("Interface"), Column::number("Metric", Unit::Count)];
    let row = |route: &crate::evidence::routes::Route| {
        let to = route.destination.map_or_else(|| "everywhere".to_owned(), |to| format!("{to}/{}", route.prefix));
        let by = match (route.kind, route.gateway) {
            (RouteKind::Refuses, _) => "refused".into(),
            (RouteKind::Sends, Some(gateway)) => gateway.to_string().into(),
            (RouteKind::Sends, None) => "directly".into(),
        };
        vec![to.into(), by, link_name(links, route.link), u64::from(route.metric).into()]
    };
    Proof::table("Routes", columns, routes.routes.iter().map(row).collect())
}

fn peer_table(roster: &[PeerRoute], links: &[Link]) -> Proof {
    let columns = ["Node", "Address", "Way", "Interface", "From"].map(Column::text).to_vec();
    let row = |peer: &PeerRoute| {
        let address = peer.address.as_ref().map_or_else(|gap| gap.reason.label().to_owned(), ToString::to_string);
        let (way, link, from) = match &peer.way {
            Some(Ok(way)) => {
                let by = way.gateway.map_or_else(|| "directly".to_owned(), |gateway| format!("by {gateway}"));
                let from = way.source.map_or(Cell::Empty, |source| source.to_string().into());
                (by.into(), link_name(links, way.link), from)
            }
            Some(Err(reason)) => (reason.as_str().into(), Cell::Empty, Cell::Empty),
            None => (Cell::Empty, Cell::Empty, Cell::Empty),
        };
        vec![peer.node.as_str().into(), address.into(), way, link, from]
    };
    Proof::table("Nodes of the roster", columns, roster.iter().map(row).collect())
}

fn facts(names: &Names) -> Vec<(&'static str, String)> {
    let known = match names.known {
        KnownBy::Nobody => "nobody",
        KnownBy::HostsFile => "/etc/hosts",
        KnownBy::Library => "the C library itself",
        KnownBy::PerhapsServer => "perhaps a server of names, which was not asked",
    };
    let listed = |all: &[String]| if all.is_empty() { "not set".to_owned() } else { all.join(", ") };
    vec![
        ("Own name", names.host_name.clone()),
        ("Known to", known.to_owned()),
        ("Servers of names", listed(&names.servers)),
        ("Order of look-ups", listed(&names.order)),
    ]
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::routes::{Route, Way};

    fn peer(address: Result<IpAddr, Gap>, way: Option<Result<Way, String>>) -> PeerRoute {
        PeerRoute { node: "node-2".into(), named: "10.0.0.2".into(), address, way }
    }

    fn seen(default: bool, known: KnownBy, roster: Option<Vec<PeerRoute>>) -> Judgement {
        let route = Route { destination: None, prefix: 0, gateway: None, link: 2, metric: 0, kind: RouteKind::Sends };
        let mut evidence = Evidence::default();
        evidence.put(ROUTES, Ok(Routes { routes: default.then_some(route).into_iter().collect(), dropped: 0 }));
        evidence.put(NAMES, Ok(Names { host_name: "node-1".into(), known, ..Names::default() }));
        evidence.put(PEER_ROUTES, roster.ok_or_else(|| Gap::not_applicable("no cluster")));
        judge_one("net.routes", &evidence).unwrap()
    }

    #[test]
    fn ways_and_names_are_judged() {
        let address: IpAddr = "10.0.0.2".parse().unwrap();
        let way = |neighbour| Some(Ok(Way { link: 2, gateway: None, source: None, neighbour }));
        let unknown = || Gap::absent("node-2 stands for no address");
        for (default, known, roster, expected) in [
            (true, KnownBy::HostsFile, None, Verdict::Pass),
            (true, KnownBy::Library, Some(vec![peer(Ok(address), way(Neighbour::Known))]), Verdict::Pass),
            (true, KnownBy::HostsFile, Some(vec![peer(Ok(address), way(Neighbour::Silent))]), Verdict::Warn),
            (true, KnownBy::HostsFile, Some(vec![peer(Ok(address), Some(Err("none".into())))]), Verdict::Warn),
            (true, KnownBy::HostsFile, Some(vec![peer(Err(unknown()), None)]), Verdict::Fail),
            (true, KnownBy::Nobody, None, Verdict::Warn),
            (true, KnownBy::PerhapsServer, None, Verdict::Info),
            (false, KnownBy::HostsFile, None, Verdict::Info),
        ] {
            let judged = seen(default, known, roster.clone());
            assert_eq!(judged.verdict, expected, "{known:?} {roster:?}: {}", judged.summary);
            assert!(judged.gaps.is_empty());
        }
    }

    #[test]
    fn a_name_that_was_not_looked_up_is_a_gap() {
        let offline = Gap::new(GapReason::Offline, "no server of names is asked");
        let judged = seen(true, KnownBy::HostsFile, Some(vec![peer(Err(offline.clone()), None)]));
        assert_eq!((judged.verdict, judged.gaps), (Verdict::Pass, vec![offline]));
    }
}
