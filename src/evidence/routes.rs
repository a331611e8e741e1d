//! Where packets would go: routes, the way to each peer of the roster, and what names stand for.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Key, Observed};

/// The routes of this host's main table.
pub const ROUTES: Key<Routes> = Key::new("net.routes");
/// What this host's own name stands for, and who would be asked for others.
pub const NAMES: Key<Names> = Key::new("net.names");
/// The way to each peer of Iggy's roster.
pub const PEER_ROUTES: Key<Vec<PeerRoute>> = Key::new("net.peer-routes");

/// The main table of routes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// The routes, default routes first.
    pub routes: Vec<Route>,
    /// Routes left out by a cap.
    pub dropped: u64,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where to; `None` is everywhere.
    pub destination: Option<IpAddr>,
    /// Bits of the destination that count.
    pub prefix: u8,
    /// By whom; `None` is directly.
    pub gateway: Option<IpAddr>,
    /// The interface's number; 0 for a route that refuses.
    pub link: u32,
    /// Less is better.
    pub metric: u32,
    /// What becomes of packets.
    pub kind: RouteKind,
}

/// What becomes of packets that a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// They are sent.
    Sends,
    /// They are dropped or refused, on purpose.
    Refuses,
}

impl Routes {
    /// Routes to everywhere.
    pub fn default_routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|route| route.prefix == 0 && route.kind == RouteKind::Sends)
    }
}

/// What names stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// This host's own name.
    pub host_name: String,
    /// Who knows it.
    pub known: KnownBy,
    /// Servers that are asked for names.
    pub servers: Vec<String>,
    /// The order in which names are looked up, from nsswitch.conf; empty if it does not say.
    pub order: Vec<String>,
}

/// Who knows this host's own name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KnownBy {
    /// Nobody here: neither a file nor a server is there to ask.
    #[default]
    Nobody,
    /// /etc/hosts.
    HostsFile,
    /// A module of the C library that answers for the host itself (`myhostname`, `resolve`).
    Library,
    /// At best a server of names, which was not asked.
    PerhapsServer,
}

/// The way to a peer of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRoute {
    /// Its name in the roster.
    pub node: String,
    /// Its address there, perhaps a name.
    pub named: String,
    /// Its address, or why it is not known.
    pub address: Observed<IpAddr>,
    /// The way to it, if the address is known: what the kernel would do with a packet.
    pub way: Option<Result<Way, String>>,
}

/// What the kernel would do with a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The interface's number.
    pub link: u32,
    /// The next hop; `None` is the peer itself.
    pub gateway: Option<IpAddr>,
    /// The address that we would send from.
    pub source: Option<IpAddr>,
    /// Whether the next hop was asked for its hardware address in vain.
    pub neighbour: Neighbour,
}

/// What is known of a next hop's hardware address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neighbour {
    /// It was not asked for lately.
    #[default]
    Unknown,
    /// It is known.
    Known,
    /// It was asked for and did not answer.
    Silent,
}
