//! Knocking at the peers of Iggy's roster, and at nobody else; only if the operator allowed it.

use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::super::scene::{ContactPeers, Scene};
use super::super::turn::{Watch, patiently};
use super::routes;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::config::{IGGY_CONFIG, IggyConfig, address};
use crate::evidence::network::LINKS;
use crate::evidence::peers::{Peer, Purpose, Refusal};
use crate::iggy::config::ClusterNode;

/// How long one connection is waited for.
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// Connections to one port.
const TRIES: usize = 3;
/// Ports that are knocked at, each in a thread of its own.
const PORTS_MAX: usize = 128;
/// All of them: each try, and what is around it.
pub(super) const ALL_MAX: Duration = Duration::from_millis(4_500);

pub(super) fn peers(scene: &Scene) -> Observed<Vec<Peer>> {
    let config = scene.evidence.read(IGGY_CONFIG)?;
    let cluster = &config.server.cluster;
    if cluster.enabled != Some(true) {
        return Err(Gap::not_applicable("Iggy's configuration has no cluster"));
    }
    if scene.request.contact_peers == ContactPeers::Never {
        return Err(Gap::new(GapReason::Offline, "no peer is contacted").unlocked_by("snapshot.contact_peers = true"));
    }
    let own = scene.evidence.read(LINKS).map(|links| links.iter().flat_map(|link| link.addresses.clone()).collect());
    let own: Vec<IpAddr> = own.unwrap_or_default();
    scene.host.call("peers", || {
        let wanted = cluster.nodes.iter().flat_map(|node| ports(scene, config, node, &own)).take(PORTS_MAX);
        let source = config.addresses().into_iter().find(|address| !address.is_loopback());
        let started: Vec<_> = wanted
            .map(|wanted| {
                let place = wanted.place.clone();
                thread::Builder::new().name("peer".to_owned()).spawn(move || knock(wanted, source)).map_err(|_| place)
            })
            .collect();
        // A knock ends by its own time limits.
        let done = started.into_iter().filter_map(|started| started.ok()?.join().ok());
        Ok(done.collect())
    })
}

/// A port to knock at.
struct Wanted {
    node: String,
    place: String,
    purpose: Purpose,
    to: Result<SocketAddr, Refusal>,
}

/// The ports of a node: the one for other nodes, and the clients' if that is another. 0.8 has one for both. None of this
/// node itself.
fn ports(scene: &Scene, config: &IggyConfig, node: &ClusterNode, own: &[IpAddr]) -> Vec<Wanted> {
    let Some(named) = &node.ip else { return Vec::new() };
    let port = |name: &str| node.ports.iter().find(|(known, _)| known == name).map(|(_, port)| *port);
    let (replica, client) = (port("tcp_replica"), port("tcp"));
    let address = routes::resolved(scene, named);
    let ours = client.is_some() && client == address_port(config);
    if ours && address.as_ref().is_ok_and(|address| own.contains(address)) {
        return Vec::new();
    }
    let wanted = |port: u16, purpose| Wanted {
        node: node.name.clone().unwrap_or_else(|| named.clone()),
        place: format!("{named}:{port}"),
        purpose,
        to: address.as_ref().map(|address| SocketAddr::new(*address, port)).map_err(|_| Refusal::Unresolved),
    };
    match (replica, client) {
        (Some(replica), Some(client)) => vec![wanted(replica, Purpose::Replica), wanted(client, Purpose::Client)],
        (Some(port), None) | (None, Some(port)) => vec![wanted(port, Purpose::Replica)],
        (None, None) => Vec::new(),
    }
}

fn address_port(config: &IggyConfig) -> Option<u16> {
    address(&config.server.tcp).map(|address| address.port())
}

/// Connects and hangs up, three times: one lost packet must not make a peer unreachable.
fn knock(wanted: Wanted, source: Option<IpAddr>) -> Peer {
    let Wanted { node, place, purpose, to } = wanted;
    let connected_ms = to.and_then(|to| {
        let mut times = Vec::new();
        let mut last = Refusal::Silent;
        for _ in 0..TRIES {
            match patiently(|| connect(to, source)) {
                Ok(time) => times.push(time),
                Err(refusal) => last = refusal,
            }
        }
        times.sort_by(f64::total_cmp);
        if times.is_empty() { Err(last) } else { Ok(times) }
    });
    Peer { node, place, purpose, connected_ms }
}

fn connect(to: SocketAddr, source: Option<IpAddr>) -> Result<f64, Refusal> {
    let other = |error: std::io::Error| Refusal::Other(error.kind().to_string());
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).map_err(other)?;
    // From the address that the server would use, where it is bound to one of that family.
    if let Some(source) = source.filter(|source| source.is_ipv4() == to.is_ipv4() && !to.ip().is_loopback()) {
        socket.bind(&SocketAddr::new(source, 0).into()).map_err(other)?;
    }
    let watch = Watch::start();
    match socket.connect_timeout(&to.into(), CONNECT_MAX) {
        Ok(()) => Ok(watch.elapsed().as_secs_f64() * 1000.0),
        Err(error) => Err(match error.kind() {
            std::io::ErrorKind::ConnectionRefused => Refusal::Refused,
            std::io::ErrorKind::TimedOut => Refusal::Silent,
            std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable => Refusal::Unreachable,
            _ => other(error),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::super::root::Host;
    use super::super::super::scene::testing::scene;
    use super::*;
    use crate::iggy::config::ServerConfig;

    fn roster(scene: &mut Scene, ports: &[u16]) {
        let text =
            "[tcp]\nenabled = true\naddress = \"127.0.0.1:1\"\n[cluster]\nenabled = true\nname = \"c\"\n".to_owned();
        let node = |port: &u16| {
            format!("[[cluster.nodes]]\nname = \"n{port}\"\nip = \"127.0.0.1\"\nports = {{ tcp = {port} }}\n")
        };
        let nodes: Vec<String> = ports.iter().map(node).collect();
        let text = text + &nodes.concat();
        let server = ServerConfig::parse(&text).unwrap();
        scene.evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
    }

    #[test]
    fn nobody_is_contacted_unless_that_is_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut scene = scene(Host::live());
        roster(&mut scene, &[listener.local_addr().unwrap().port()]);
        assert_eq!(peers(&scene).unwrap_err().reason, GapReason::Offline);
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_port_that_listens_and_one_that_does_not_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        let ports = [listener.local_addr().unwrap().port(), gone.local_addr().unwrap().port()];
        drop(gone);
        let mut scene = scene(Host::live());
        scene.request.contact_peers = ContactPeers::Allowed;
        roster(&mut scene, &ports);
        let found = peers(&scene).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].connected_ms.as_ref().map(Vec::len), Ok(TRIES));
        assert_eq!(found[1].connected_ms, Err(Refusal::Refused));
        assert_eq!(found[1].place, format!("127.0.0.1:{}", ports[1]));
    }
}
