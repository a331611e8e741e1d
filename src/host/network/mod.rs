//! Collectors of the network.

use super::collector::{Collect, Collector, Stage};
use super::scene::Scene;
use crate::evidence::Observed;
use crate::evidence::conntrack::CONNTRACK;
use crate::evidence::firewall::FIREWALL;
use crate::evidence::network::{
    LINKS, NET_COUNTERS, NET_SETTINGS, NetCounters, NetSettings, link_rates, named_counters,
};
use crate::evidence::peers::PEERS;
use crate::evidence::qdisc::{QDISCS, QDISCS_LATER};
use crate::evidence::routes::{NAMES, PEER_ROUTES, ROUTES};
use crate::evidence::samples::SAMPLES;
use crate::evidence::sockets::SOCKETS;
use crate::evidence::softnet::BACKLOG;

mod conntrack;
mod firewall;
mod links;
mod netlink;
mod peers;
mod qdisc;
mod routes;
mod sockets;

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(LINKS, Stage::Facts, links::links),
    &Collector::new(NET_SETTINGS, Stage::Facts, settings),
    &Collector::new(SOCKETS, Stage::Detail, sockets::sockets),
    &Collector::new(ROUTES, Stage::Facts, routes::routes),
    &Collector::new(NAMES, Stage::Facts, routes::names),
    &Collector::new(FIREWALL, Stage::Facts, firewall::firewall),
    &Collector::new(CONNTRACK, Stage::Facts, conntrack::conntrack),
    &Collector::new(QDISCS, Stage::Facts, qdisc::early),
    &Collector::new(PEER_ROUTES, Stage::Questions, routes::peer_routes),
    &Collector::new(PEERS, Stage::Questions, peers::peers).within(peers::ALL_MAX),
    &Collector::new(NET_COUNTERS, Stage::Rates, counters),
    &Collector::new(QDISCS_LATER, Stage::Rates, qdisc::later),
    &Collector::new(BACKLOG, Stage::Rates, conntrack::backlog),
];

const NETSTAT: &str = "/proc/net/netstat";
const SNMP: &str = "/proc/net/snmp";
const DEV: &str = "/proc/net/dev";
/// Counter files of the sampling window.
pub(super) const SAMPLED: &[&str] = &[NETSTAT, SNMP, DEV, conntrack::SOFTNET];

fn settings(scene: &Scene) -> Observed<NetSettings> {
    // A kernel without one setting is an answer, one without any is not.
    scene.host.list("/proc/sys/net")?;
    let value = |name: &str| scene.host.value(&format!("/proc/sys/net/{name}")).ok();
    let several = |name: &str| -> Option<Vec<u64>> {
        let text = scene.host.text(&format!("/proc/sys/net/{name}")).ok()?;
        text.split_ascii_whitespace().map(|word| word.parse().ok()).collect()
    };
    Ok(NetSettings {
        accept_queue_max: value("core/somaxconn"),
        syn_queue_max: value("ipv4/tcp_max_syn_backlog"),
        syn_cookies: value("ipv4/tcp_syncookies"),
        local_ports: several("ipv4/ip_local_port_range").and_then(|range| match range[..] {
            [first, last] => Some((u16::try_from(first).ok()?, u16::try_from(last).ok()?)),
            _ => None,
        }),
        orphans_max: value("ipv4/tcp_max_orphans"),
        tcp_pages: several("ipv4/tcp_mem").and_then(|pages| pages.try_into().ok()),
        receive_buffer_max_bytes: value("core/rmem_max"),
        send_buffer_max_bytes: value("core/wmem_max"),
    })
}

fn counters(scene: &Scene) -> Observed<NetCounters> {
    let samples = scene.evidence.read(SAMPLES)?;
    let (first_dev, second_dev) = samples.pair(DEV)?;
    let mut counters = NetCounters {
        window_s: samples.span_s(DEV),
        links: link_rates(first_dev, second_dev),
        ..NetCounters::default()
    };
    for path in [NETSTAT, SNMP] {
        let (first, second) = samples.pair(path)?;
        let first = named_counters(first);
        for (name, second) in named_counters(second) {
            let at_start = first.get(&name).copied().unwrap_or(second);
            counters.values.insert(name, (at_start, second));
        }
    }
    Ok(counters)
}
