//! Asking the kernel over netlink: tables and single answers, as messages of bytes with attributes in them.

use std::io;

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr};

use crate::domain::gap::Gap;

pub(super) use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE, NETLINK_SOCK_DIAG};

/// Bytes of one answer of the kernel; it sends at most 32 KiB at a time.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Messages that are taken.
const MESSAGES_MAX: usize = 65_536;
/// Bytes of a message's header.
const HEADER_BYTES: usize = 16;

/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLM_F_MULTI`: more messages follow, up to one that says that it is done.
const MULTI: u16 = 2;
/// `NLM_F_ROOT | NLM_F_MATCH`: the whole table.
const DUMP: u16 = 0x300;
/// `NLMSG_ERROR`: an errno, 0 for none.
const ERROR: u16 = 2;
/// `NLMSG_DONE`.
const DONE: u16 = 3;

/// A message of the kernel without its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Its type.
    pub(super) kind: u16,
    /// What follows the header.
    pub(super) body: Vec<u8>,
}

/// All messages that the kernel answers to a request for a table.
pub(super) fn table(protocol: isize, kind: u16, body: &[u8]) -> io::Result<Vec<Message>> {
    exchange(protocol, kind, REQUEST | DUMP, body)
}

/// The one message that the kernel answers to a question.
pub(super) fn answer(protocol: isize, kind: u16, body: &[u8]) -> io::Result<Message> {
    let found = exchange(protocol, kind, REQUEST, body)?;
    found.into_iter().next().ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
}

/// What the kernel answers to a request of the routing protocol for a table; messages that are not understood are left out.
pub(super) fn dump(request: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut message = NetlinkMessage::from(request);
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    let kind = message.header.message_type;
    let found = table(NETLINK_ROUTE, kind, bytes.get(HEADER_BYTES..).unwrap_or_default())?;
    let read = |message: Message| {
        let bytes = framed(message.kind, 0, &message.body);
        match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&bytes).ok()?.payload {
            NetlinkPayload::InnerMessage(inner) => Some(inner),
            _ => None,
        }
    };
    Ok(found.into_iter().filter_map(read).collect())
}

/// Why the kernel refused, as a gap; `unlock` is what would make it answer.
pub(super) fn gap(error: &io::Error, what: &str, unlock: &str) -> Gap {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => Gap::denied(format!("{what} may not be read"), unlock),
        Some(libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT | libc::ENOENT | libc::EOPNOTSUPP) => {
            Gap::absent(format!("this kernel does not tell of {what}"))
        }
        _ => Gap::broken(format!("netlink, {what}: {error}")),
    }
}

fn framed(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER_BYTES + body.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    // One request a socket: neither a sequence number nor an address is needed.
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes
}

fn exchange(protocol: isize, kind: u16, flags: u16, body: &[u8]) -> io::Result<Vec<Message>> {
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&framed(kind, flags, body), 0)?;
    let mut found = Vec::new();
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    while found.len() < MESSAGES_MAX {
        let length = socket.recv(&mut &mut answer[..], 0)?;
        let mut rest = answer.get(..length).ok_or_else(|| io::Error::other("an answer was too long"))?;
        let mut more = false;
        while let Some((message, multi, after)) = split(rest) {
            rest = after;
            match message.kind {
                DONE => return Ok(found),
                ERROR => match number(&message.body, 0).map(u32::cast_signed) {
                    Some(0) => return Ok(found),
                    Some(errno) => return Err(io::Error::from_raw_os_error(errno.saturating_neg())),
                    None => return Err(io::Error::from(io::ErrorKind::InvalidData)),
                },
                _ => found.push(message),
            }
            more = multi;
        }
        if !more {
            break;
        }
    }
    Ok(found)
}

/// The first message, whether more follow it, and what stands behind it.
fn split(bytes: &[u8]) -> Option<(Message, bool, &[u8])> {
    let length = usize::try_from(number(bytes, 0)?).ok()?;
    let (kind, flags) = (half(bytes, 4)?, half(bytes, 6)?);
    let body = bytes.get(HEADER_BYTES..length)?.to_vec();
    // Each message is padded to four bytes, the last one perhaps not.
    let after = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((Message { kind, body }, flags & MULTI != 0, after))
}

/// Attributes of a message: type without its flags, and value.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    /// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER` stand above the type.
    const TYPE: u16 = 0x3fff;
    std::iter::from_fn(move || {
        let length = usize::from(half(bytes, 0)?);
        let (kind, value) = (half(bytes, 2)? & TYPE, bytes.get(4..length)?);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The attribute of this type.
pub(super) fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

/// An attribute as it is sent.
pub(super) fn attribute_of(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(8 + value.len());
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A number of 16 bits in the machine's own order.
pub(super) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.first_chunk().copied().map(u16::from_ne_bytes)
}

/// A number of 32 bits in the machine's own order.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// A number of 32 bits in the network's order, as netfilter writes them.
pub(super) fn number_be(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_be_bytes)
}

/// A text that ends at its first NUL.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_walked_with_their_padding() {
        let mut bytes = attribute_of(1, b"lo\0");
        bytes.extend(attribute_of(0x8002, &7_u32.to_ne_bytes()));
        bytes.extend([9, 0, 1, 0, 1]);
        let found: Vec<_> = attributes(&bytes).collect();
        assert_eq!(found, [(1, b"lo\0".as_slice()), (2, 7_u32.to_ne_bytes().as_slice())]);
        assert_eq!(attribute(&bytes, 1).map(text), Some("lo".to_owned()));
        assert_eq!(attribute(&bytes, 3), None);
    }

    #[test]
    fn messages_that_are_cut_end_the_walk() {
        let first = framed(16, MULTI, &[1, 2, 3, 4]);
        let (message, multi, rest) = split(&first).unwrap();
        assert_eq!((message, multi, rest), (Message { kind: 16, body: vec![1, 2, 3, 4] }, true, [].as_slice()));
        assert!(split(&first[..18]).is_none() && split(&[]).is_none() && split(&[0; 16]).is_none());
    }
}
