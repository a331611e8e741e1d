//! Routes, neighbours and names. No packet is sent but, if the operator allowed it, a question to a server of names.

use std::net::IpAddr;
use std::time::Duration;

use super::super::root::Host;
use super::super::scene::{ContactPeers, Scene};
use super::netlink::{self, Message, NETLINK_ROUTE, attribute, attribute_of, number};
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::routes::{KnownBy, Names, Neighbour, PeerRoute, Route, RouteKind, Routes, Way};

/// `RTM_NEWROUTE`, `RTM_GETROUTE`, `RTM_NEWNEIGH`, `RTM_GETNEIGH`.
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;
const GET_NEIGHBOUR: u16 = 30;
/// Bytes of `struct rtmsg` and of `struct ndmsg`.
const HEADER_BYTES: usize = 12;
/// `RTA_DST`, `RTA_OIF`, `RTA_GATEWAY`, `RTA_PRIORITY`, `RTA_PREFSRC`, `RTA_TABLE`.
const DESTINATION: u16 = 1;
const LINK: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const SOURCE: u16 = 7;
const TABLE: u16 = 15;
/// `RT_TABLE_MAIN`.
const MAIN_TABLE: u32 = 254;
/// `RTN_UNICAST`, and the first and last of the types that refuse.
const UNICAST: u8 = 1;
const REFUSING: std::ops::RangeInclusive<u8> = 6..=8;
/// `RTM_F_CLONED`: an entry of the cache.
const CLONED: u32 = 0x200;
/// `NUD_FAILED`, and the states in which a hardware address is known.
const FAILED: u16 = 0x20;
const KNOWN: u16 = 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80;
/// `NDA_DST`.
const NEIGHBOUR_ADDRESS: u16 = 1;
/// Routes that are kept.
const ROUTES_MAX: usize = 500;
/// Peers of the roster that are looked at.
const PEERS_MAX: usize = 64;
/// How long a server of names is waited for.
const NAME_MAX: Duration = Duration::from_secs(1);
/// What makes the kernel answer.
const UNLOCK: &str = "run the snapshot outside of the sandbox";

pub(super) fn routes(scene: &Scene) -> Observed<Routes> {
    scene.host.call("routes", || {
        let found = netlink::table(NETLINK_ROUTE, GET_ROUTE, &[0; HEADER_BYTES])
            .map_err(|error| netlink::gap(&error, "routes", UNLOCK))?;
        let mut routes: Vec<Route> = found.iter().filter_map(route).collect();
        routes.sort_by_key(|route| (route.prefix != 0, route.destination, route.prefix, route.metric));
        let dropped = routes.len().saturating_sub(ROUTES_MAX) as u64;
        routes.truncate(ROUTES_MAX);
        Ok(Routes { routes, dropped })
    })
}

/// A route of the main table; `None` for those of others and for the cache.
fn route(message: &Message) -> Option<Route> {
    let body = Some(&message.body).filter(|_| message.kind == NEW_ROUTE)?;
    let rest = body.get(HEADER_BYTES..)?;
    let kind = match *body.get(7)? {
        UNICAST => RouteKind::Sends,
        other if REFUSING.contains(&other) => RouteKind::Refuses,
        _ => return None,
    };
    let table =
        attribute(rest, TABLE).and_then(|table| number(table, 0)).or_else(|| body.get(4).copied().map(u32::from));
    if table != Some(MAIN_TABLE) || number(body, 8)? & CLONED != 0 {
        return None;
    }
    Some(Route {
        destination: attribute(rest, DESTINATION).and_then(ip),
        prefix: *body.get(1)?,
        gateway: attribute(rest, GATEWAY).and_then(ip),
        link: attribute(rest, LINK).and_then(|link| number(link, 0)).unwrap_or(0),
        metric: attribute(rest, PRIORITY).and_then(|metric| number(metric, 0)).unwrap_or(0),
        kind,
    })
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes)),
        16 => bytes.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes)),
        _ => None,
    }
}

pub(super) fn names(scene: &Scene) -> Observed<Names> {
    let host = &scene.host;
    let host_name = host.trimmed("/proc/sys/kernel/hostname")?;
    let resolv = host.text("/etc/resolv.conf").unwrap_or_default();
    let switch = host.text("/etc/nsswitch.conf").unwrap_or_default();
    let servers: Vec<String> = resolv
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver")?.split_ascii_whitespace().next().map(str::to_owned))
        .collect();
    let order = switch.lines().find_map(|line| line.trim().strip_prefix("hosts:")).unwrap_or_default();
    let order: Vec<String> =
        order.split_ascii_whitespace().filter(|word| !word.starts_with('[')).map(str::to_owned).collect();
    let uses = |module: &str| order.iter().any(|word| word == module);
    // Without nsswitch.conf the C library asks files, then servers.
    let asks_servers = !servers.is_empty() && (order.is_empty() || uses("dns"));
    let known = if in_hosts(host, &host_name).is_some() {
        KnownBy::HostsFile
    } else if uses("myhostname") || uses("resolve") {
        KnownBy::Library
    } else if asks_servers {
        KnownBy::PerhapsServer
    } else {
        KnownBy::Nobody
    };
    Ok(Names { host_name, known, servers, order })
}

/// What /etc/hosts says of a name.
fn in_hosts(host: &Host, name: &str) -> Option<IpAddr> {
    let text = host.text("/etc/hosts").ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|known| known.eq_ignore_ascii_case(name)).then_some(address)
    })
}

/// The address that a roster names: an address, a name of /etc/hosts, or, if that is allowed, of a server of names.
pub(super) fn resolved(scene: &Scene, named: &str) -> Observed<IpAddr> {
    if let Some(address) = named.parse().ok().or_else(|| in_hosts(&scene.host, named)) {
        return Ok(address);
    }
    match scene.request.contact_peers {
        ContactPeers::Never => {
            Err(Gap::new(GapReason::Offline, format!("{named} is not in /etc/hosts, and no server of names is asked"))
                .unlocked_by("snapshot.contact_peers = true"))
        }
        ContactPeers::Allowed => asked(named),
    }
}

fn asked(named: &str) -> Observed<IpAddr> {
    let failed = |error: String| Gap::absent(format!("{named} stands for no address: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Gap::broken(format!("no resolver could be started: {error}")))?;
    runtime.block_on(async {
        let resolver = hickory_resolver::Resolver::builder_tokio().and_then(hickory_resolver::ResolverBuilder::build);
        let resolver = resolver.map_err(|error| failed(error.to_string()))?;
        match tokio::time::timeout(NAME_MAX, resolver.lookup_ip(named)).await {
            Ok(Ok(found)) => found.iter().next().ok_or_else(|| failed("the answer is empty".to_owned())),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer within {} s", NAME_MAX.as_secs()))),
        }
    })
}

pub(super) fn peer_routes(scene: &Scene) -> Observed<Vec<PeerRoute>> {
    let config = scene.evidence.read(IGGY_CONFIG)?;
    let cluster = &config.server.cluster;
    if cluster.enabled != Some(true) {
        return Err(Gap::not_applicable("Iggy's configuration has no cluster"));
    }
    scene.host.call("peer-routes", || {
        let neighbours = netlink::table(NETLINK_ROUTE, GET_NEIGHBOUR, &[0; HEADER_BYTES]).unwrap_or_default();
        let neighbours: Vec<(IpAddr, Neighbour)> = neighbours.iter().filter_map(neighbour).collect();
        let peer = |(named, node): (String, &crate::iggy::config::ClusterNode)| {
            let address = resolved(scene, &named);
            let way = address.as_ref().ok().map(|address| way(*address, &neighbours));
            PeerRoute { node: node.name.clone().unwrap_or_else(|| named.clone()), named, address, way }
        };
        Ok(cluster.nodes.iter().filter_map(|node| Some((node.ip.clone()?, node))).take(PEERS_MAX).map(peer).collect())
    })
}

fn neighbour(message: &Message) -> Option<(IpAddr, Neighbour)> {
    let body = Some(&message.body).filter(|_| message.kind == NEW_NEIGHBOUR)?;
    let state = netlink::half(body, 8)?;
    let neighbour = match state {
        state if state & FAILED != 0 => Neighbour::Silent,
        state if state & KNOWN != 0 => Neighbour::Known,
        _ => Neighbour::Unknown,
    };
    Some((ip(attribute(body.get(HEADER_BYTES..)?, NEIGHBOUR_ADDRESS)?)?, neighbour))
}

/// Asks the kernel which way a packet would take; none is sent.
fn way(address: IpAddr, neighbours: &[(IpAddr, Neighbour)]) -> Result<Way, String> {
    let (family, bits, bytes) = match address {
        IpAddr::V4(address) => (libc::AF_INET, 32, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, 128, address.octets().to_vec()),
    };
    let mut body = vec![0; HEADER_BYTES];
    (body[0], body[1]) = (u8::try_from(family).expect("families of addresses are small numbers"), bits);
    body.extend(attribute_of(DESTINATION, &bytes));
    let answer = netlink::answer(NETLINK_ROUTE, GET_ROUTE, &body).map_err(|error| match error.raw_os_error() {
        Some(libc::ENETUNREACH) => "no route leads there".to_owned(),
        Some(libc::EHOSTUNREACH | libc::EACCES | libc::EINVAL) => "a route refuses packets to it".to_owned(),
        _ => error.to_string(),
    })?;
    let rest = answer.body.get(HEADER_BYTES..).unwrap_or_default();
    let gateway = attribute(rest, GATEWAY).and_then(ip);
    let hop = gateway.unwrap_or(address);
    Ok(Way {
        link: attribute(rest, LINK).and_then(|link| number(link, 0)).unwrap_or(0),
        gateway,
        source: attribute(rest, SOURCE).and_then(ip),
        neighbour: neighbours.iter().find(|(known, _)| *known == hop).map(|(_, state)| *state).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::testing::{recorded, scene};
    use super::*;

    #[test]
    fn the_kernel_knows_the_way_to_itself() {
        let seen = way("127.0.0.1".parse().unwrap(), &[]).unwrap();
        assert_eq!((seen.gateway, seen.neighbour), (None, Neighbour::Unknown));
        assert!(seen.link > 0);
    }

    #[test]
    fn routes_of_the_main_table_are_read() {
        let mut body = vec![2, 8, 0, 0, 254, 3, 0, UNICAST, 0, 0, 0, 0];
        body.extend(attribute_of(DESTINATION, &[10, 0, 0, 0]));
        body.extend(attribute_of(LINK, &2_u32.to_ne_bytes()));
        body.extend(attribute_of(GATEWAY, &[192, 0, 2, 1]));
        let message = |body: &[u8]| Message { kind: NEW_ROUTE, body: body.to_vec() };
        let expected = Route {
            destination: Some("10.0.0.0".parse().unwrap()),
            prefix: 8,
            gateway: Some("192.0.2.1".parse().unwrap()),
            link: 2,
            metric: 0,
            kind: RouteKind::Sends,
        };
        assert_eq!(route(&message(&body)), Some(expected));
        body[4] = 255;
        assert_eq!(route(&message(&body)), None);
        (body[4], body[7]) = (254, 7);
        assert_eq!(route(&message(&body)).map(|route| route.kind), Some(RouteKind::Refuses));
        assert_eq!(route(&message(&body[..8])), None);
    }

    #[test]
    fn the_own_name_is_looked_for_where_the_library_looks() {
        for (hosts, switch, resolv, known) in [
            ("127.0.1.1 node-1\n", "", "", KnownBy::HostsFile),
            ("127.0.0.1 localhost # node-1\n", "hosts: files dns\n", "nameserver 10.0.0.2\n", KnownBy::PerhapsServer),
            ("", "hosts: files myhostname\n", "", KnownBy::Library),
            ("", "hosts: files [NOTFOUND=return] dns\n", "", KnownBy::Nobody),
            ("", "hosts: files\n", "nameserver 10.0.0.2\n", KnownBy::Nobody),
        ] {
            let (_tree, host) = recorded(&[
                ("etc/hosts", hosts),
                ("etc/nsswitch.conf", switch),
                ("etc/resolv.conf", resolv),
                ("proc/sys/kernel/hostname", "node-1\n"),
            ]);
            let scene = scene(host);
            assert_eq!(names(&scene).unwrap().known, known, "{hosts:?} {switch:?} {resolv:?}");
            assert_eq!(resolved(&scene, "192.0.2.7"), Ok("192.0.2.7".parse().unwrap()));
            assert_eq!(resolved(&scene, "elsewhere.test").unwrap_err().reason, GapReason::Offline);
        }
    }
}
