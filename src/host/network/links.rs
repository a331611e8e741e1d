//! Interfaces: from /sys/class/net, their addresses over netlink.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};

use super::super::root::Host;
use super::super::scene::Scene;
use super::netlink;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::network::{Link, LinkKind, OwnAddress};

/// Interfaces that are looked at: a host of containers has one for each.
const LINKS_MAX: usize = 256;

pub(super) fn links(scene: &Scene) -> Observed<Vec<Link>> {
    let host = &scene.host;
    let names = host.list("/sys/class/net")?;
    let addresses = addresses(host).unwrap_or_default();
    Ok(names.iter().take(LINKS_MAX).filter_map(|name| link(host, name, &addresses)).collect())
}

/// The addresses of this host.
fn addresses(host: &Host) -> Observed<Vec<OwnAddress>> {
    host.call("addresses", || {
        let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let messages = netlink::dump(request).map_err(|error| Gap::broken(format!("netlink: {error}")))?;
        Ok(messages.into_iter().filter_map(own).collect())
    })
}

fn own(message: RouteNetlinkMessage) -> Option<OwnAddress> {
    let RouteNetlinkMessage::NewAddress(message) = message else { return None };
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let address = local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    });
    Some(OwnAddress { link: message.header.index, address: address? })
}

/// One interface; `None` for what stands in the folder and is none (`bonding_masters`).
fn link(host: &Host, name: &str, addresses: &[OwnAddress]) -> Option<Link> {
    let at = |file: &str| format!("/sys/class/net/{name}/{file}");
    let index: u32 = host.value(&at("ifindex")).ok()?;
    let bond = host.trimmed(&at("bonding/slaves")).ok();
    let kind = match (&bond, host.link(&at("device"))) {
        (Some(_), _) => LinkKind::Bond,
        (None, Ok(_)) => LinkKind::Device,
        (None, Err(_)) => LinkKind::Virtual,
    };
    let members = bond.unwrap_or_default();
    Some(Link {
        name: name.to_owned(),
        index,
        state: host.trimmed(&at("operstate")).unwrap_or_default(),
        mtu: host.value(&at("mtu")).ok(),
        // A device that is down refuses to say, and a virtual one says -1.
        speed_mbit: host
            .value::<i64>(&at("speed"))
            .ok()
            .and_then(|speed| u64::try_from(speed).ok())
            .filter(|speed| *speed > 0),
        duplex: host.trimmed(&at("duplex")).ok().filter(|duplex| duplex == "full" || duplex == "half"),
        carrier_changes: host.value(&at("carrier_changes")).ok(),
        kind,
        members: members
            .split_ascii_whitespace()
            .map(|member| {
                let status = host.trimmed(&format!("/sys/class/net/{member}/bonding_slave/mii_status"));
                (member.to_owned(), status.is_ok_and(|status| status == "up"))
            })
            .collect(),
        addresses: addresses.iter().filter(|own| own.link == index).map(|own| own.address).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_its_loopback_address() {
        let found = addresses(&Host::live()).unwrap();
        assert!(found.iter().any(|own| own.address.is_loopback()), "{found:?}");
    }
}
