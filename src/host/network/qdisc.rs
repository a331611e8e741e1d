//! Queueing disciplines, over netlink.

use super::super::scene::Scene;
use super::netlink::{self, Message, NETLINK_ROUTE, attribute, attributes, number, text};
use crate::evidence::Observed;
use crate::evidence::qdisc::Qdisc;

/// `RTM_GETQDISC`.
const GET: u16 = 38;
/// `RTM_NEWQDISC`.
const NEW: u16 = 36;
/// Bytes of `struct tcmsg`.
const HEADER_BYTES: usize = 20;
/// `TCA_KIND`, `TCA_STATS2`, and in it `TCA_STATS_BASIC`, `TCA_STATS_QUEUE`, `TCA_STATS_PKT64`.
const KIND: u16 = 1;
const STATISTICS: u16 = 7;
const BASIC: u16 = 1;
const QUEUE: u16 = 3;
const PACKETS_64: u16 = 8;

pub(super) fn early(scene: &Scene) -> Observed<Vec<Qdisc>> {
    scene.host.call("qdiscs", ask)
}

pub(super) fn later(scene: &Scene) -> Observed<Vec<Qdisc>> {
    scene.host.call("qdiscs-later", ask)
}

fn ask() -> Observed<Vec<Qdisc>> {
    let found = netlink::table(NETLINK_ROUTE, GET, &[0; HEADER_BYTES])
        .map_err(|error| netlink::gap(&error, "queueing disciplines", "run the snapshot outside of the sandbox"))?;
    Ok(found.iter().filter_map(qdisc).collect())
}

fn qdisc(message: &Message) -> Option<Qdisc> {
    let body = Some(&message.body).filter(|_| message.kind == NEW)?;
    let rest = body.get(HEADER_BYTES..)?;
    let statistics = attribute(rest, STATISTICS).unwrap_or_default();
    let queue = attribute(statistics, QUEUE).unwrap_or_default();
    // Bytes first, 64 bits, then packets in 32 bits; newer kernels count them in 64 bits apart.
    let basic = attribute(statistics, BASIC).and_then(|basic| number(basic, 8)).map(u64::from);
    let whole = attributes(statistics).find(|(kind, _)| *kind == PACKETS_64);
    let whole = whole.and_then(|(_, value)| value.first_chunk().copied().map(u64::from_ne_bytes));
    let counted = |at: usize| u64::from(number(queue, at).unwrap_or(0));
    Some(Qdisc {
        link: number(body, 4)?,
        handle: number(body, 8)?,
        parent: number(body, 12)?,
        kind: text(attribute(rest, KIND)?),
        packets: whole.or(basic).unwrap_or(0),
        waiting: counted(0),
        dropped: counted(8),
        requeued: counted(12),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::network::netlink::attribute_of;

    #[test]
    fn a_discipline_is_read_with_its_counters() {
        let mut body = vec![0; HEADER_BYTES];
        for (at, value) in [(4, 2_u32), (8, 0x8001_0000), (12, 0xffff_ffff)] {
            body[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        let mut basic = 9_000_u64.to_ne_bytes().to_vec();
        basic.extend(12_u32.to_ne_bytes());
        let queue: Vec<u8> = [1_u32, 2, 3, 4, 5].iter().flat_map(|value| value.to_ne_bytes()).collect();
        let statistics = [attribute_of(BASIC, &basic), attribute_of(QUEUE, &queue)].concat();
        body.extend(attribute_of(KIND, b"netem\0"));
        body.extend(attribute_of(STATISTICS, &statistics));
        let expected = Qdisc {
            link: 2,
            kind: "netem".into(),
            handle: 0x8001_0000,
            parent: 0xffff_ffff,
            packets: 12,
            waiting: 1,
            dropped: 3,
            requeued: 4,
        };
        assert_eq!(qdisc(&Message { kind: NEW, body: body.clone() }), Some(expected));
        assert_eq!(qdisc(&Message { kind: 3, body }), None);
        assert_eq!(qdisc(&Message { kind: NEW, body: vec![0; 10] }), None);
    }

    #[test]
    fn this_kernel_tells_of_its_disciplines() {
        assert!(ask().unwrap().iter().all(|one| !one.kind.is_empty() && one.link > 0));
    }
}
