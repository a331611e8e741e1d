//! Interfaces, counters and settings of the network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Key;

/// The interfaces of this host.
pub const LINKS: Key<Vec<Link>> = Key::new("net.links");
/// The settings of the kernel that servers depend on.
pub const NET_SETTINGS: Key<NetSettings> = Key::new("net.settings");
/// What the network's counters did during the sampling window.
pub const NET_COUNTERS: Key<NetCounters> = Key::new("net.counters");

/// An interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// `up`, `down`, `unknown` (loopback and tunnels).
    pub state: String,
    /// The largest packet, bytes.
    pub mtu: Option<u64>,
    /// Megabits a second, where its driver knows.
    pub speed_mbit: Option<u64>,
    /// `full` or `half`, where its driver knows.
    pub duplex: Option<String>,
    /// How often the link came or went since boot.
    pub carrier_changes: Option<u64>,
    /// What it is.
    pub kind: LinkKind,
    /// Of a bond, its members and whether each has a link.
    pub members: Vec<(String, bool)>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// What an interface is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// It stands on a device.
    Device,
    /// It joins others.
    Bond,
    /// Bridges, tunnels, containers' ends, loopback.
    #[default]
    Virtual,
}

impl Link {
    /// Whether it is down. Loopback and tunnels do not say.
    #[must_use]
    pub fn is_down(&self) -> bool {
        ["down", "lowerlayerdown", "notpresent"].contains(&self.state.as_str())
    }
}

/// An address of this host, as the kernel gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAddress {
    /// The interface's number.
    pub link: u32,
    /// The address.
    pub address: IpAddr,
}

/// Settings of the kernel; `None` where it does not have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetSettings {
    /// `net.core.somaxconn`: the longest accept queue.
    pub accept_queue_max: Option<u64>,
    /// `net.ipv4.tcp_max_syn_backlog`.
    pub syn_queue_max: Option<u64>,
    /// `net.ipv4.tcp_syncookies`.
    pub syn_cookies: Option<u64>,
    /// `net.ipv4.ip_local_port_range`.
    pub local_ports: Option<(u16, u16)>,
    /// `net.ipv4.tcp_max_orphans`.
    pub orphans_max: Option<u64>,
    /// `net.ipv4.tcp_mem`, pages: low, pressure, most.
    pub tcp_pages: Option<[u64; 3]>,
    /// `net.core.rmem_max`, bytes.
    pub receive_buffer_max_bytes: Option<u64>,
    /// `net.core.wmem_max`, bytes.
    pub send_buffer_max_bytes: Option<u64>,
}

/// Counters at the start and the end of the sampling window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NetCounters {
    /// Length of the window, seconds.
    pub window_s: f64,
    /// `TcpExt.ListenDrops` → at its start, at its end.
    pub values: BTreeMap<String, (u64, u64)>,
    /// Interfaces.
    pub links: Vec<LinkRate>,
}

impl NetCounters {
    /// How much a counter grew during the window; `None` where the kernel does not have it.
    #[must_use]
    pub fn grown(&self, name: &str) -> Option<u64> {
        self.values.get(name).map(|(first, second)| second.saturating_sub(*first))
    }

    /// What a counter stood at in the end; `None` where the kernel does not have it.
    #[must_use]
    pub fn total(&self, name: &str) -> Option<u64> {
        self.values.get(name).map(|(_, second)| *second)
    }
}

/// Packets of one interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkRate {
    /// Its name.
    pub name: String,
    /// Received, during the window.
    pub received: Packets,
    /// Sent, during the window.
    pub sent: Packets,
    /// Received, since it came up.
    pub received_ever: Packets,
    /// Sent, since it came up.
    pub sent_ever: Packets,
}

/// Packets in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packets {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Packets that were damaged.
    pub errors: u64,
    /// Packets that found no room.
    pub dropped: u64,
}

impl Packets {
    fn since(self, first: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(first.bytes),
            packets: self.packets.saturating_sub(first.packets),
            errors: self.errors.saturating_sub(first.errors),
            dropped: self.dropped.saturating_sub(first.dropped),
        }
    }
}

/// Counters in the text of /proc/net/netstat or /proc/net/snmp: a line of names, then a line of numbers.
#[must_use]
pub fn named_counters(text: &str) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        let (Some((group, names)), Some((same, numbers))) = (pair[0].split_once(": "), pair[1].split_once(": ")) else {
            continue;
        };
        if group != same || names.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            continue;
        }
        for (name, number) in names.split_ascii_whitespace().zip(numbers.split_ascii_whitespace()) {
            if let Ok(number) = number.parse() {
                found.insert(format!("{group}.{name}"), number);
            }
        }
    }
    found
}

/// Received and sent packets of each interface in the text of /proc/net/dev.
#[must_use]
pub fn link_counters(text: &str) -> BTreeMap<String, (Packets, Packets)> {
    let line = |line: &str| -> Option<(String, (Packets, Packets))> {
        let (name, numbers) = line.split_once(':')?;
        let numbers: Vec<u64> = numbers.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
        let packets = |at: usize| -> Option<Packets> {
            let [bytes, packets, errors, dropped] = *numbers.get(at..at + 4)?.first_chunk::<4>()?;
            Some(Packets { bytes, packets, errors, dropped })
        };
        Some((name.trim().to_owned(), (packets(0)?, packets(8)?)))
    };
    text.lines().filter_map(line).collect()
}

/// What each interface did between two readings of /proc/net/dev.
#[must_use]
pub fn link_rates(first: &str, second: &str) -> Vec<LinkRate> {
    let first = link_counters(first);
    link_counters(second)
        .into_iter()
        .map(|(name, (received_ever, sent_ever))| {
            let (received, sent) = first.get(&name).copied().unwrap_or((received_ever, sent_ever));
            LinkRate {
                received: received_ever.since(received),
                sent: sent_ever.since(sent),
                name,
                received_ever,
                sent_ever,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_the_name_of_their_group() {
        let text = "TcpExt: SyncookiesSent ListenDrops MaxConn\nTcpExt: 1 22 -1\nUdp: InErrors\nUdp: 3\nbroken\n";
        let found = named_counters(text);
        let expected = [("TcpExt.ListenDrops", 22), ("TcpExt.SyncookiesSent", 1), ("Udp.InErrors", 3)];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn an_interface_counts_in_both_directions() {
        let head = "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n";
        let first = format!("{head}  eth0: 1000 10 1 2 0 0 0 0 500 5 0 0 0 0 0 0\n");
        let second =
            format!("{head}  eth0: 3000 30 1 5 0 0 0 0 900 9 1 0 0 0 0 0\n    lo:1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
        let rates = link_rates(&first, &second);
        assert_eq!(rates.len(), 2);
        let packets = |bytes, packets, errors, dropped| Packets { bytes, packets, errors, dropped };
        assert_eq!(
            rates[0],
            LinkRate {
                name: "eth0".into(),
                received: packets(2000, 20, 0, 3),
                sent: packets(400, 4, 1, 0),
                received_ever: packets(3000, 30, 1, 5),
                sent_ever: packets(900, 9, 1, 0),
            }
        );
    }
}
