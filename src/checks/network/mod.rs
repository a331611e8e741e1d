//! Checks of the network.

use std::net::IpAddr;

use super::{Case, Check};
use crate::domain::gap::Gap;
use crate::evidence::config::{IGGY_CONFIG, address};
use crate::evidence::network::Link;
use crate::evidence::sockets::{Network, SOCKETS};

mod accept_queue;
mod backlog;
mod conntrack;
mod firewall;
mod links;
mod listeners;
mod peers;
mod qdisc;
mod retransmits;
mod routes;
mod tcp_states;
mod udp;

pub(super) const CHECKS: &[Check] = &[
    links::CHECK,
    routes::CHECK,
    listeners::CHECK,
    accept_queue::CHECK,
    tcp_states::CHECK,
    udp::CHECK,
    firewall::CHECK,
    qdisc::CHECK,
    retransmits::CHECK,
    conntrack::CHECK,
    backlog::CHECK,
    peers::CHECK,
];

/// The addresses at which Iggy can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scope {
    /// `None`: at every address of this host, or it is not known at which.
    addresses: Option<Vec<IpAddr>>,
    network: Network,
}

/// Where Iggy's listeners stand.
fn scope(case: &Case<'_>) -> Scope {
    let config = case.read(IGGY_CONFIG).ok();
    let bound = config.map(|config| {
        let on = config.all_listeners().into_iter().filter(|(_, _, listener)| listener.is_on());
        on.map(|(_, _, listener)| address(listener).map(|address| address.ip())).collect::<Vec<_>>()
    });
    // A listener on every address, or on a name that is not looked up, can be reached anywhere.
    let bound = bound.and_then(|bound| bound.into_iter().collect::<Option<Vec<IpAddr>>>());
    let addresses = bound.filter(|all| !all.is_empty() && !all.iter().any(IpAddr::is_unspecified));
    Scope { addresses, network: case.read(SOCKETS).map(|sockets| sockets.network).unwrap_or_default() }
}

impl Scope {
    /// Whether packets for Iggy can come and go by this interface.
    fn reaches(&self, link: &Link) -> bool {
        match &self.addresses {
            Some(addresses) => link.addresses.iter().any(|own| addresses.contains(own)),
            None => !link.addresses.is_empty(),
        }
    }

    /// What these checks cannot see when the server stands in a network of its own.
    fn gap(&self) -> Option<Gap> {
        (self.network == Network::Servers).then(|| {
            Gap::not_applicable("Iggy's container has a network of its own; this is the host's")
                .unlocked_by("take the snapshot inside of the container too")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, find};
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::evidence::Evidence;
    use crate::evidence::config::IggyConfig;
    use crate::iggy::config::ServerConfig;

    #[test]
    fn iggy_is_reached_where_its_listeners_stand() {
        let link = |address: &str| Link { addresses: vec![address.parse().unwrap()], ..Link::default() };
        for (tcp, reached) in [
            ("127.0.0.1:8090", ["127.0.0.1"].as_slice()),
            ("10.0.0.1:8090", &["10.0.0.1"]),
            ("0.0.0.0:8090", &["127.0.0.1", "10.0.0.1"]),
            ("broker.internal:8090", &["127.0.0.1", "10.0.0.1"]),
        ] {
            let text = format!("[tcp]\nenabled = true\naddress = \"{tcp}\"\n");
            let server = ServerConfig::parse(&text).unwrap();
            let mut evidence = Evidence::default();
            evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
            let (check, settings) = (find("net.qdisc").unwrap(), Settings::default());
            let now = Timestamp::from_unix(0);
            let scope = scope(&Case { evidence: &evidence, now, findings: &[], check, settings: &settings });
            for address in ["127.0.0.1", "10.0.0.1"] {
                assert_eq!(scope.reaches(&link(address)), reached.contains(&address), "{tcp} {address}");
            }
            assert!(scope.gap().is_none() && !scope.reaches(&Link::default()));
        }
    }
}
