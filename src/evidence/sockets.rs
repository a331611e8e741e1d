//! Sockets: who listens where, and in which states connections are.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::Key;

/// The sockets of the network that the server stands in: its own one in a container, else the host's.
pub const SOCKETS: Key<Sockets> = Key::new("net.sockets");

/// A table of sockets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sockets {
    /// Whose network it is.
    pub network: Network,
    /// Sockets that wait for connections or packets.
    pub listeners: Vec<Listener>,
    /// Connections by local port and state.
    pub states: BTreeMap<(u16, TcpState), u64>,
    /// Connections in `TIME_WAIT` by the other end's address, the most first; a handful.
    pub time_wait_peers: Vec<(IpAddr, u64)>,
    /// Lines that were not read because a table was too long.
    pub completeness: Completeness,
    /// Processes whose sockets may not be seen.
    pub hidden_processes: u64,
    /// `/proc/net/sockstat`: orphans, and pages of memory.
    pub orphans: Option<u64>,
    /// Pages of memory that TCP uses.
    pub tcp_pages: Option<u64>,
}

/// Whose network a table describes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    /// The one that we stand in.
    #[default]
    Ours,
    /// One of the server's own.
    Servers,
}

/// Whether a table was read to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Completeness {
    /// It was.
    #[default]
    Whole,
    /// It was cut: counts are lower bounds.
    Cut,
}

/// The transport of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// For a person.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A socket that waits for connections or packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its transport.
    pub transport: Transport,
    /// The address that it is bound to.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Its owner.
    pub uid: u32,
    /// Its number in the kernel.
    pub inode: u64,
    /// TCP: connections that wait to be accepted. UDP: bytes that wait to be read.
    pub waiting: u64,
    /// UDP: packets that found no room.
    pub dropped: u64,
    /// TCP: connections that its accept queue may hold, where the kernel told us.
    pub room: Option<u64>,
    /// The process that holds it, where that can be seen.
    pub owner: Option<u32>,
}

impl Listener {
    /// `ADDRESS:PORT`.
    #[must_use]
    pub fn place(&self) -> String {
        std::net::SocketAddr::new(self.address, self.port).to_string()
    }
}

/// The states of a TCP connection, by the kernel's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TcpState {
    /// Open.
    Established,
    /// We asked for it.
    SynSent,
    /// The other end asked for it.
    SynReceived,
    /// We closed it first.
    FinWait1,
    /// And the other end knows.
    FinWait2,
    /// Closed, and kept so that late packets find nothing new.
    TimeWait,
    /// Gone.
    Close,
    /// The other end closed it; the program here has not yet.
    CloseWait,
    /// Both closed it.
    LastAck,
    /// Waiting for connections.
    Listen,
    /// Both closed it at once.
    Closing,
    /// A request that has no socket yet.
    NewSynReceived,
}

impl TcpState {
    const BY_NUMBER: [Self; 12] = [
        Self::Established,
        Self::SynSent,
        Self::SynReceived,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::Close,
        Self::CloseWait,
        Self::LastAck,
        Self::Listen,
        Self::Closing,
        Self::NewSynReceived,
    ];

    /// As `ss` writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Established => "ESTAB",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived | Self::NewSynReceived => "SYN-RECV",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::TimeWait => "TIME-WAIT",
            Self::Close => "CLOSE",
            Self::CloseWait => "CLOSE-WAIT",
            Self::LastAck => "LAST-ACK",
            Self::Listen => "LISTEN",
            Self::Closing => "CLOSING",
        }
    }
}

/// One line of /proc/net/{tcp,tcp6,udp,udp6}.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketLine {
    /// The local end.
    pub local: (IpAddr, u16),
    /// The other end.
    pub remote: (IpAddr, u16),
    /// The state.
    pub state: TcpState,
    /// `rx_queue`.
    pub waiting: u64,
    /// Its owner.
    pub uid: u32,
    /// Its number in the kernel.
    pub inode: u64,
    /// The last column of UDP.
    pub dropped: u64,
}

/// Reads a line; `None` for the heading and for what is no line.
#[must_use]
pub fn line(line: &str) -> Option<SocketLine> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let word = |at: usize| words.get(at).copied();
    let (_, waiting) = word(4)?.split_once(':')?;
    let state = usize::from_str_radix(word(3)?, 16).ok()?;
    Some(SocketLine {
        local: end(word(1)?)?,
        remote: end(word(2)?)?,
        state: *TcpState::BY_NUMBER.get(state.checked_sub(1)?)?,
        waiting: u64::from_str_radix(waiting, 16).ok()?,
        uid: word(7)?.parse().ok()?,
        inode: word(9)?.parse().ok()?,
        dropped: word(12).and_then(|word| word.parse().ok()).unwrap_or(0),
    })
}

/// `0100007F:1F90`: the address in words of 32 bits in the machine's own order, the port as a number.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    match address.len() {
        8 => Some((Ipv4Addr::from(word(0)?).into(), port)),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Some((Ipv6Addr::from(bytes).to_canonical(), port))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_all_four_tables_are_read() {
        let tcp = "   0: 0100007F:1F9A 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000        0 54321 1 0000000000000000 100 0 0 10 0";
        let seen = line(tcp).unwrap();
        assert_eq!(seen.local, ("127.0.0.1".parse().unwrap(), 8090));
        assert_eq!((seen.state, seen.waiting, seen.uid, seen.inode), (TcpState::Listen, 3, 1000, 54_321));
        let tcp6 = "   1: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0";
        assert_eq!(line(tcp6).unwrap().local, ("::1".parse().unwrap(), 3000));
        let mapped = "   2: 0000000000000000FFFF00000100007F:0BB8 0000000000000000FFFF00000200007F:C350 08 00000000:00000001 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0";
        let seen = line(mapped).unwrap();
        assert_eq!((seen.local.0.to_string(), seen.remote.0.to_string()), ("127.0.0.1".into(), "127.0.0.2".into()));
        assert_eq!(seen.state, TcpState::CloseWait);
        let udp = " 1234: 00000000:1F90 00000000:0000 07 00000000:00000200 00:00000000 00000000   999        0 42 2 0000000000000000 17";
        let seen = line(udp).unwrap();
        assert_eq!((seen.local.1, seen.waiting, seen.dropped), (8080, 512, 17));
        for none in [
            "",
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "1: x",
        ] {
            assert_eq!(line(none), None);
        }
    }
}
