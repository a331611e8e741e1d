//! Sockets, from the tables of /proc/PID/net: they exist in every kernel, for every network namespace, and reading them
//! loads no module.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::file::Truncated;
use super::super::scene::Scene;
use netlink_packet_core::{Emitable, Parseable};
use netlink_packet_sock_diag::constants::SOCK_DIAG_BY_FAMILY;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags};

use super::super::processes;
use super::super::root::Host;
use super::netlink;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::sockets::{Completeness, Listener, Network, Sockets, TcpState, Transport, line};

/// Bytes of one table that are read: some 28,000 sockets. The kernel walks its whole hash for it.
const TABLE_BYTES_MAX: usize = 4 << 20;
/// Open files that are looked at to find who holds a socket.
const FILES_MAX: usize = 50_000;
/// Peers that are kept.
const PEERS_MAX: usize = 10;

/// Where a process's socket is seen: `socket:[12345]`.
const SOCKET_LINK: &str = "socket:[";

pub(super) fn sockets(scene: &Scene) -> Observed<Sockets> {
    let host = &scene.host;
    let server = scene.evidence.read(IGGY_PROCESS).ok().map(|process| process.pid);
    let namespace = |who: &str| host.link(&format!("/proc/{who}/ns/net"));
    let (who, network) = match server.map(|pid| (pid, namespace(&pid.to_string()), namespace("self"))) {
        Some((pid, Ok(theirs), Ok(ours))) if theirs != ours => (pid.to_string(), Network::Servers),
        _ => ("self".to_owned(), Network::Ours),
    };
    let mut found = Sockets { network, ..Sockets::default() };
    let mut peers: BTreeMap<IpAddr, u64> = BTreeMap::new();
    for (table, transport) in
        [("tcp", Transport::Tcp), ("tcp6", Transport::Tcp), ("udp", Transport::Udp), ("udp6", Transport::Udp)]
    {
        let read = match host.bounded(&format!("/proc/{who}/net/{table}"), TABLE_BYTES_MAX) {
            Ok(read) => read,
            // A kernel without IPv6 has no such table.
            Err(gap) if gap.reason == GapReason::Absent && table.ends_with('6') => continue,
            Err(gap) => return Err(gap),
        };
        if read.truncated == Truncated::Yes {
            found.completeness = Completeness::Cut;
        }
        take(&String::from_utf8_lossy(&read.bytes), transport, &mut found, &mut peers);
    }
    found.time_wait_peers = peers.into_iter().collect();
    found.time_wait_peers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found.time_wait_peers.truncate(PEERS_MAX);
    if let Ok(text) = host.text(&format!("/proc/{who}/net/sockstat")) {
        (found.orphans, found.tcp_pages) = (sockstat(&text, "orphan"), sockstat(&text, "mem"));
    }
    let owners = owners(host, server);
    // The table of another network is only in /proc, which does not tell how long a queue may get.
    let room = if network == Network::Ours { room(host).unwrap_or_default() } else { BTreeMap::new() };
    for listener in &mut found.listeners {
        listener.owner = owners.holders.get(&listener.inode).copied();
        listener.room = room.get(&listener.inode).copied().filter(|_| listener.transport == Transport::Tcp);
    }
    found.hidden_processes = owners.hidden;
    Ok(found)
}

fn take(text: &str, transport: Transport, found: &mut Sockets, peers: &mut BTreeMap<IpAddr, u64>) {
    for socket in text.lines().filter_map(line) {
        // A UDP socket without a peer is in the state that TCP calls closed.
        let waits = match transport {
            Transport::Tcp => socket.state == TcpState::Listen,
            Transport::Udp => socket.state == TcpState::Close,
        };
        if waits {
            found.listeners.push(Listener {
                transport,
                address: socket.local.0,
                port: socket.local.1,
                uid: socket.uid,
                inode: socket.inode,
                waiting: socket.waiting,
                dropped: socket.dropped,
                room: None,
                owner: None,
            });
        } else if transport == Transport::Tcp {
            *found.states.entry((socket.local.1, socket.state)).or_default() += 1;
            if socket.state == TcpState::TimeWait {
                *peers.entry(socket.remote.0).or_default() += 1;
            }
        }
    }
}

fn sockstat(text: &str, name: &str) -> Option<u64> {
    let tcp = text.lines().find_map(|line| line.strip_prefix("TCP: "))?;
    let mut words = tcp.split_ascii_whitespace().skip_while(|word| *word != name);
    words.nth(1)?.parse().ok()
}

/// How long the accept queue of each TCP listener may get: number in the kernel → connections. Asked over netlink, and
/// only where that loads no module.
fn room(host: &Host) -> Observed<BTreeMap<u64, u64>> {
    let modules = host.text("/proc/modules");
    let built_in = modules.is_err() || modules.is_ok_and(|text| text.lines().any(|line| line.starts_with("tcp_diag ")));
    host.call("accept-queues", || {
        if !built_in {
            return Err(Gap::not_applicable("asking for them would load a module"));
        }
        let mut found = BTreeMap::new();
        for (family, socket_id) in [(libc::AF_INET, SocketId::new_v4()), (libc::AF_INET6, SocketId::new_v6())] {
            let request = InetRequest {
                family: u8::try_from(family).expect("families of addresses are small numbers"),
                protocol: u8::try_from(libc::IPPROTO_TCP).expect("TCP has number 6"),
                extensions: ExtensionFlags::empty(),
                states: StateFlags::LISTEN,
                socket_id,
            };
            let mut body = vec![0; request.buffer_len()];
            request.emit(&mut body);
            let answers = netlink::table(netlink::NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, &body)
                .map_err(|error| netlink::gap(&error, "accept queues", "run the snapshot outside of the sandbox"))?;
            for answer in &answers {
                if let Ok(socket) = InetResponseHeader::parse(&answer.body[..]) {
                    // Of a listener the send queue is the length that its accept queue may have.
                    found.insert(u64::from(socket.inode), u64::from(socket.send_queue));
                }
            }
        }
        Ok(found)
    })
}

/// Who holds which socket.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Owners {
    /// Number in the kernel → process.
    holders: BTreeMap<u64, u32>,
    /// Processes that may not be looked at.
    hidden: u64,
}

/// The server's sockets first: whoever shares one with it got it from it.
fn owners(host: &Host, server: Option<u32>) -> Owners {
    host.call("socket-owners", || {
        let mut owners = Owners::default();
        let mut left = FILES_MAX;
        let others = processes::pids(host)?.into_iter().filter(|pid| Some(*pid) != server);
        for pid in server.into_iter().chain(others) {
            let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
                owners.hidden += 1;
                continue;
            };
            for file in files.flatten() {
                if left == 0 {
                    return Ok(owners);
                }
                left -= 1;
                let Ok(target) = std::fs::read_link(file.path()) else { continue };
                let inode =
                    target.to_str().and_then(|link| link.strip_prefix(SOCKET_LINK)?.strip_suffix(']')?.parse().ok());
                if let Some(inode) = inode {
                    owners.holders.entry(inode).or_insert(pid);
                }
            }
        }
        Ok(owners)
    })
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_orphans_stand_in_the_line_of_tcp() {
        let text = "sockets: used 9\nTCP: inuse 5 orphan 3 tw 7 alloc 8 mem 11\nUDP: inuse 2 mem 1\n";
        assert_eq!((sockstat(text, "orphan"), sockstat(text, "mem"), sockstat(text, "x")), (Some(3), Some(11), None));
    }

    #[test]
    fn a_socket_of_this_process_is_found_with_its_owner() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = Host::live();
        let text = host.text("/proc/self/net/tcp").unwrap();
        let mut found = Sockets::default();
        take(&text, Transport::Tcp, &mut found, &mut BTreeMap::new());
        let ours = found.listeners.iter().find(|listener| listener.port == port).unwrap();
        assert!(ours.address.is_loopback());
        // Whatever a program asks for, the kernel cuts it to net.core.somaxconn.
        let most = host.value::<u64>("/proc/sys/net/core/somaxconn").unwrap();
        assert!((1..=most).contains(&room(&host).unwrap()[&ours.inode]), "{:?}", room(&host));
        assert_eq!(owners(&host, Some(std::process::id())).holders.get(&ours.inode), Some(&std::process::id()));
    }
}
