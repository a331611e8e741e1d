//! Who can reach a section's listener.

use crate::evidence::config::{IggyConfig, address};

/// Who can reach a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Programs on this host alone.
    Loopback,
    /// Whoever is on the network, or it is not known who.
    Network,
}

/// Who can reach the listener of this section.
pub(super) fn reach(config: &IggyConfig, section: &str) -> Reach {
    let sections = ["tcp.tls", "http.tls", "quic.certificate", "websocket.tls"];
    let listener = config.all_listeners().into_iter().zip(sections).find(|(_, name)| *name == section);
    match listener.and_then(|((_, _, listener), _)| address(listener)) {
        Some(address) if address.ip().is_loopback() => Reach::Loopback,
        _ => Reach::Network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iggy::config::ServerConfig;

    #[test]
    fn what_is_not_known_to_stand_on_loopback_is_on_the_network() {
        let text = "[tcp]\naddress = \"127.0.0.1:8090\"\n[http]\naddress = \"0.0.0.0:3000\"\n[quic]\naddress = \"localhost:8080\"\n";
        let config = IggyConfig { path: String::new(), server: ServerConfig::parse(text).unwrap() };
        for (section, expected) in [
            ("tcp.tls", Reach::Loopback),
            ("http.tls", Reach::Network),
            ("quic.certificate", Reach::Loopback),
            ("websocket.tls", Reach::Network),
            ("cluster.tls", Reach::Network),
        ] {
            assert_eq!(reach(&config, section), expected, "{section}");
        }
    }
}
