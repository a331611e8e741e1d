//! What the server's configuration says.

use std::net::{IpAddr, SocketAddr};

use super::Key;
use super::sockets::Transport;
use crate::iggy::config::{Listener, ServerConfig};

/// The server's configuration: the one that it wrote at its start, else the file that it reads.
pub const IGGY_CONFIG: Key<IggyConfig> = Key::new("iggy.config");

/// A configuration, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IggyConfig {
    /// Its path as we can open it.
    pub path: String,
    /// What it says.
    pub server: ServerConfig,
}

impl IggyConfig {
    /// Each listener with its name and transport, on or off.
    #[must_use]
    pub fn all_listeners(&self) -> [(&'static str, Transport, &Listener); 4] {
        [
            ("TCP", Transport::Tcp, &self.server.tcp),
            ("HTTP", Transport::Tcp, &self.server.http),
            ("QUIC", Transport::Udp, &self.server.quic),
            ("WebSocket", Transport::Tcp, &self.server.websocket),
        ]
    }

    /// Name, transport and port of each listener that is on. A port of 0 is chosen by the kernel and says nothing.
    #[must_use]
    pub fn listeners(&self) -> Vec<(&'static str, Transport, u16)> {
        let on = self.all_listeners().into_iter().filter(|(_, _, listener)| listener.is_on());
        on.filter_map(|(name, transport, listener)| Some((name, transport, listener.port().filter(|port| *port != 0)?)))
            .collect()
    }

    /// The ports of the listeners that are on.
    #[must_use]
    pub fn ports(&self, transport: Transport) -> Vec<u16> {
        self.listeners().into_iter().filter(|(_, of, _)| *of == transport).map(|(_, _, port)| port).collect()
    }

    /// The addresses of the listeners that are on, names and unspecified ones aside.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        let on = self.all_listeners().into_iter().filter(|(_, _, listener)| listener.is_on());
        on.filter_map(|(_, _, listener)| address(listener))
            .map(|address| address.ip())
            .filter(|ip| !ip.is_unspecified())
            .collect()
    }

    /// The first listener that stands on loopback while every entry of the roster, this node's own among them, has another
    /// address.
    #[must_use]
    pub fn advertised_elsewhere(&self) -> Option<(&'static str, String)> {
        let cluster = &self.server.cluster;
        let is_loopback = |ip: &str| ip == "localhost" || ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let ips: Vec<&str> = cluster.nodes.iter().filter_map(|node| node.ip.as_deref()).collect();
        if cluster.enabled != Some(true) || ips.iter().any(|ip| is_loopback(ip)) {
            return None;
        }
        let mut on = self.all_listeners().into_iter().filter(|(_, _, listener)| listener.is_on());
        let (name, ..) =
            on.find(|(_, _, listener)| address(listener).is_some_and(|address| address.ip().is_loopback()))?;
        Some((name, (*ips.first()?).to_owned()))
    }
}

/// The address of a listener, when it is one and no name; `localhost` is loopback.
#[must_use]
pub fn address(listener: &Listener) -> Option<SocketAddr> {
    let text = listener.address.as_deref()?;
    text.parse().ok().or_else(|| {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok()?;
        (host == "localhost").then(|| SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port))
    })
}
