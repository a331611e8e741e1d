//! Who is at the other end: the peer of the connection, and the client behind the proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use warp::http::header::{FORWARDED, VIA};
use warp::http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
/// Entries of a forwarded chain that are looked at, from its near end.
const HOPS_MAX: usize = 32;

/// The address that a connection came from. The accept loop puts it into the extensions of each request:
/// `warp::addr::remote` knows nothing under a server of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The address that allowlists, rate limits and the log go by: the peer's own, unless the peer is one of `trusted`.
/// Then `x-forwarded-for` is read from its near end, and the first address that is not trusted is the client: what
/// stands further left was written by somebody we do not know. An entry that is no address ends the walk.
#[must_use]
pub fn address(peer: Peer, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let believed = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer.0.ip().to_canonical();
    let entries: Vec<&str> =
        headers.get_all(X_FORWARDED_FOR).iter().flat_map(|line| line.to_str().unwrap_or("?").split(',')).collect();
    for entry in entries.into_iter().rev().take(HOPS_MAX) {
        if !believed(client) {
            break;
        }
        let Some(address) = forwarded(entry.trim()) else { break };
        client = address;
    }
    client
}

/// Whether a request came through a proxy, trusted or not: then its peer is not its client.
#[must_use]
pub fn was_forwarded(headers: &HeaderMap) -> bool {
    [X_FORWARDED_FOR, X_REAL_IP, FORWARDED, VIA].iter().any(|name| headers.contains_key(name))
}

/// `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:80`.
fn forwarded(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        address(Peer(SocketAddr::new(peer.parse().unwrap(), 1)), &headers, &trusted).to_string()
    }

    #[test]
    fn a_forwarded_address_is_believed_from_a_trusted_proxy_alone() {
        let proxies = &["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"][..];
        for (peer, lines, trusted, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], &[][..], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.9"], proxies, "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.9"], proxies, "203.0.113.9"),
            ("10.0.0.1", &[], proxies, "10.0.0.1"),
            // The client wrote 1.1.1.1 itself; the proxy added where that came from.
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], proxies, "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"], proxies, "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9"], proxies, "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], proxies, "10.0.0.3"),
            ("10.0.0.1", &["203.0.113.9, unknown"], proxies, "10.0.0.1"),
            ("10.0.0.1", &["[2001:db8::7]:443"], proxies, "2001:db8::7"),
            ("10.0.0.1", &["2001:db8::7"], proxies, "2001:db8::7"),
            ("10.0.0.1", &["[2001:db8::7]"], proxies, "2001:db8::7"),
            ("10.0.0.1", &["203.0.113.9:80"], proxies, "203.0.113.9"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], proxies, "203.0.113.9"),
            ("fd00::1", &["203.0.113.9"], proxies, "203.0.113.9"),
        ] {
            assert_eq!(client(peer, lines, trusted), expected, "{peer} {lines:?}");
        }
    }
}
