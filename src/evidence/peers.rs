//! What came of knocking at the peers of Iggy's roster.

use serde::{Deserialize, Serialize};

use super::Key;

/// The peers that were knocked at.
pub const PEERS: Key<Vec<Peer>> = Key::new("net.peers");

/// One port of one peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// Its name in the roster.
    pub node: String,
    /// `ADDRESS:PORT`, as the roster names it.
    pub place: String,
    /// What the port is for.
    pub purpose: Purpose,
    /// Milliseconds until each connection stood, sorted; or why none did.
    pub connected_ms: Result<Vec<f64>, Refusal>,
}

/// What a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Other nodes of the cluster.
    Replica,
    /// Clients, while other nodes have a port of their own.
    Client,
}

/// Why no connection stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Nobody listens there, or a firewall rejects.
    Refused,
    /// Nothing came back in time.
    Silent,
    /// There is no way.
    Unreachable,
    /// Its name stands for no address that may be looked up.
    Unresolved,
    /// Something else.
    Other(String),
}

impl Refusal {
    /// For a person.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Refused => "the connection was refused",
            Self::Silent => "nothing answered within a second",
            Self::Unreachable => "no route leads there",
            Self::Unresolved => "its name stands for no address",
            Self::Other(reason) => reason,
        }
    }
}

impl Peer {
    /// The middle one of the times.
    #[must_use]
    pub fn median_ms(&self) -> Option<f64> {
        let times = self.connected_ms.as_ref().ok()?;
        times.get(times.len().checked_sub(1)? / 2).copied()
    }
}
