//! Asking the kernel over netlink.

use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// Bytes of one answer of the kernel; it sends at most 32 KiB at a time.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Messages that are taken.
const MESSAGES_MAX: usize = 16_384;

/// All messages that the kernel answers to a request for a table.
pub(super) fn dump(request: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;

    let mut found = Vec::new();
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    while found.len() < MESSAGES_MAX {
        let length = socket.recv(&mut &mut answer[..], 0)?;
        let mut rest = answer.get(..length).ok_or_else(|| io::Error::other("an answer was too long"))?;
        if rest.is_empty() {
            break;
        }
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(io::Error::other)?;
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(found),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(inner) => found.push(inner),
                _ => {}
            }
            // Each message is padded to four bytes.
            let taken = usize::try_from(message.header.length).unwrap_or(0).next_multiple_of(4);
            if taken == 0 {
                break;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
    }
    Ok(found)
}
