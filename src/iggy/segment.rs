//! Segments of 0.8: messages back to back, each a header of 64 bytes, its payload and its user headers.

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// Bytes of a message's header. All its numbers are little-endian.
pub const HEADER_BYTES: usize = 64;

/// The longest message that is believed: Iggy refuses payloads over 64 MB and user headers over 100 kB, and encryption
/// adds a few bytes. A header that claims more is corrupt, and reading on after it would be a guess.
pub const MESSAGE_BYTES_MAX: u64 = 65 << 20;

/// The checksum covers everything after itself.
const CHECKSUM_BYTES: usize = 8;

/// The header of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageHeader {
    /// XXH3-64 of everything after this field.
    pub checksum: u64,
    /// The message's id.
    pub id: u128,
    /// Its offset in the partition.
    pub offset: u64,
    /// When the server took it, in microseconds since 1970.
    pub timestamp_us: u64,
    /// When its producer made it, in microseconds since 1970.
    pub origin_timestamp_us: u64,
    /// Bytes of user headers, after the payload.
    pub user_headers_bytes: u32,
    /// Bytes of payload.
    pub payload_bytes: u32,
    /// Must be 0.
    pub reserved: u64,
}

impl MessageHeader {
    /// The header in these bytes; nothing is checked.
    #[must_use]
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Self {
        Self {
            checksum: u64_at(bytes, 0),
            id: u128::from(u64_at(bytes, 8)) | u128::from(u64_at(bytes, 16)) << 64,
            offset: u64_at(bytes, 24),
            timestamp_us: u64_at(bytes, 32),
            origin_timestamp_us: u64_at(bytes, 40),
            user_headers_bytes: u32_at(bytes, 48),
            payload_bytes: u32_at(bytes, 52),
            reserved: u64_at(bytes, 56),
        }
    }

    /// Bytes of the whole message, header included.
    #[must_use]
    pub fn message_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.user_headers_bytes) + u64::from(self.payload_bytes)
    }
}

fn u64_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes within the header"))
}

fn u32_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes within the header"))
}

/// A whole message that was found in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Where its header starts in the segment.
    pub position: u64,
    /// Its header.
    pub header: MessageHeader,
}

impl Message {
    /// Where it ends in the segment: what the index holds.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.position + self.header.message_bytes()
    }
}

/// Why the bytes of a segment cannot be messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CorruptionKind {
    /// The reserved field is not 0.
    #[error("reserved field is {0:#x}, not 0")]
    Reserved(u64),
    /// The lengths are beyond what the server accepts.
    #[error("claims {0} bytes, more than a message can have")]
    Length(u64),
    /// The checksum does not match.
    #[error("checksum is {computed:016x}, header says {stored:016x}")]
    Checksum {
        /// What the header says.
        stored: u64,
        /// What the bytes give.
        computed: u64,
    },
}

/// A message that is there in full length and wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message at byte {position}: {kind}")]
pub struct Corruption {
    /// Where its header starts in the segment.
    pub position: u64,
    /// What is wrong with it.
    pub kind: CorruptionKind,
}

/// How a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// With a whole message, or empty.
    Whole,
    /// In the middle of a message. Normal at the end of a partition's newest segment, and only there.
    Torn {
        /// Where that message starts.
        position: u64,
        /// Bytes of it that are there.
        bytes: u64,
        /// Bytes that it should have; `None` when not even its header is whole.
        expected_bytes: Option<u64>,
    },
}

/// Whether message checksums are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksums {
    /// Compute and compare each.
    Verify,
    /// Only walk the headers.
    Skip,
}

/// Decodes a segment that arrives in pieces of any size, in constant memory.
pub struct SegmentDecoder {
    checksums: Checksums,
    /// Where the next message starts, or the present one started.
    position: u64,
    /// The header as far as it has arrived.
    header: [u8; HEADER_BYTES],
    header_filled: usize,
    /// The message whose body is arriving.
    body: Option<Body>,
    corruption: Option<Corruption>,
}

struct Body {
    header: MessageHeader,
    left: u64,
    hash: Xxh3Default,
}

impl SegmentDecoder {
    /// A decoder at the start of a segment.
    #[must_use]
    pub fn new(checksums: Checksums) -> Self {
        Self { checksums, position: 0, header: [0; HEADER_BYTES], header_filled: 0, body: None, corruption: None }
    }

    /// Takes the next `bytes` of the segment and reports each message that they complete.
    ///
    /// # Errors
    /// The first message that is wrong; every later call returns the same.
    pub fn feed(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Message)) -> Result<(), Corruption> {
        if let Some(corruption) = self.corruption {
            return Err(corruption);
        }
        while !bytes.is_empty() {
            let step = if self.body.is_some() {
                self.body_bytes(bytes, found)
            } else if self.header_filled == 0 && bytes.len() >= HEADER_BYTES {
                self.message_in_place(bytes, found)
            } else {
                self.header_bytes(bytes, found)
            };
            match step {
                Ok(taken) => bytes = &bytes[taken..],
                Err(kind) => {
                    let corruption = Corruption { position: self.position, kind };
                    self.corruption = Some(corruption);
                    return Err(corruption);
                }
            }
        }
        Ok(())
    }

    /// How the segment ends, when no bytes follow.
    #[must_use]
    pub fn finish(self) -> Tail {
        match self.body {
            Some(body) => {
                let expected = body.header.message_bytes();
                Tail::Torn { position: self.position, bytes: expected - body.left, expected_bytes: Some(expected) }
            }
            None if self.header_filled > 0 => {
                Tail::Torn { position: self.position, bytes: self.header_filled as u64, expected_bytes: None }
            }
            None => Tail::Whole,
        }
    }

    /// The fast path: a message that lies within `bytes` as a whole.
    fn message_in_place(&mut self, bytes: &[u8], found: &mut impl FnMut(Message)) -> Result<usize, CorruptionKind> {
        let raw: &[u8; HEADER_BYTES] = bytes[..HEADER_BYTES].try_into().expect("the caller saw a whole header");
        let header = plausible(MessageHeader::decode(raw))?;
        let message_bytes = usize::try_from(header.message_bytes()).expect("at most MESSAGE_BYTES_MAX");
        if bytes.len() < message_bytes {
            return self.header_bytes(bytes, found);
        }
        if self.checksums == Checksums::Verify {
            matching(header.checksum, xxh3_64(&bytes[CHECKSUM_BYTES..message_bytes]))?;
        }
        found(Message { position: self.position, header });
        self.position += message_bytes as u64;
        Ok(message_bytes)
    }

    fn header_bytes(&mut self, bytes: &[u8], found: &mut impl FnMut(Message)) -> Result<usize, CorruptionKind> {
        let taken = bytes.len().min(HEADER_BYTES - self.header_filled);
        self.header[self.header_filled..self.header_filled + taken].copy_from_slice(&bytes[..taken]);
        self.header_filled += taken;
        if self.header_filled == HEADER_BYTES {
            let header = plausible(MessageHeader::decode(&self.header))?;
            let mut hash = Xxh3Default::new();
            if self.checksums == Checksums::Verify {
                hash.update(&self.header[CHECKSUM_BYTES..]);
            }
            self.body = Some(Body { header, left: header.message_bytes() - HEADER_BYTES as u64, hash });
            self.complete(found)?;
        }
        Ok(taken)
    }

    fn body_bytes(&mut self, bytes: &[u8], found: &mut impl FnMut(Message)) -> Result<usize, CorruptionKind> {
        let body = self.body.as_mut().expect("only called within a body");
        let taken = usize::try_from(body.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        if self.checksums == Checksums::Verify {
            body.hash.update(&bytes[..taken]);
        }
        body.left -= taken as u64;
        self.complete(found)?;
        Ok(taken)
    }

    fn complete(&mut self, found: &mut impl FnMut(Message)) -> Result<(), CorruptionKind> {
        let Some(body) = self.body.take_if(|body| body.left == 0) else { return Ok(()) };
        if self.checksums == Checksums::Verify {
            matching(body.header.checksum, body.hash.digest())?;
        }
        found(Message { position: self.position, header: body.header });
        self.position += body.header.message_bytes();
        self.header_filled = 0;
        Ok(())
    }
}

fn plausible(header: MessageHeader) -> Result<MessageHeader, CorruptionKind> {
    if header.reserved != 0 {
        Err(CorruptionKind::Reserved(header.reserved))
    } else if header.message_bytes() > MESSAGE_BYTES_MAX {
        Err(CorruptionKind::Length(header.message_bytes()))
    } else {
        Ok(header)
    }
}

fn matching(stored: u64, computed: u64) -> Result<(), CorruptionKind> {
    if stored == computed { Ok(()) } else { Err(CorruptionKind::Checksum { stored, computed }) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn recorded(path: &str) -> Vec<u8> {
        fs::read(format!("{}/tests/data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn clean() -> Vec<u8> {
        recorded("iggy-0.8.0-clean/streams/1/topics/2/partitions/0/00000000000000000000.log")
    }

    fn torn() -> Vec<u8> {
        recorded("iggy-0.8.0-killed/streams/0/topics/0/partitions/1/00000000000000070000.log")
    }

    /// The messages, and how it ends, when fed in pieces of this size.
    fn decoded(bytes: &[u8], piece: usize, checksums: Checksums) -> (Vec<Message>, Result<Tail, Corruption>) {
        let mut decoder = SegmentDecoder::new(checksums);
        let mut messages = Vec::new();
        for part in bytes.chunks(piece) {
            if let Err(corruption) = decoder.feed(part, &mut |message| messages.push(message)) {
                assert_eq!(decoder.feed(b"more", &mut |_| panic!("nothing follows")), Err(corruption));
                return (messages, Err(corruption));
            }
        }
        (messages, Ok(decoder.finish()))
    }

    #[test]
    fn a_whole_segment_gives_all_its_messages() {
        let (messages, tail) = decoded(&clean(), usize::MAX, Checksums::Verify);
        assert_eq!(tail, Ok(Tail::Whole));
        assert_eq!(messages.len(), 3000);
        assert!(messages.iter().zip(0..).all(|(message, offset)| message.header.offset == offset));
        assert_eq!(messages.last().map(Message::end), Some(clean().len() as u64));
    }

    #[test]
    fn the_size_of_the_pieces_changes_nothing() {
        let whole = decoded(&torn(), usize::MAX, Checksums::Verify);
        for piece in [1, 7, 63, 64, 65, 4096] {
            assert_eq!(decoded(&torn(), piece, Checksums::Verify), whole, "pieces of {piece}");
        }
    }

    #[test]
    fn a_torn_message_at_the_end_is_told_from_corruption() {
        let (messages, tail) = decoded(&torn(), usize::MAX, Checksums::Verify);
        assert_eq!(messages.len(), 5508);
        assert_eq!(messages[0].header.offset, 70_000);
        assert_eq!(tail, Ok(Tail::Torn { position: 1_013_472, bytes: 160, expected_bytes: Some(184) }));
        let (_, tail) = decoded(&torn()[..1_013_472 + 10], 100, Checksums::Verify);
        assert_eq!(tail, Ok(Tail::Torn { position: 1_013_472, bytes: 10, expected_bytes: None }));
    }

    #[test]
    fn a_wrong_byte_is_located() {
        let (messages, _) = decoded(&clean(), usize::MAX, Checksums::Verify);
        let position = messages[100].position;
        let at = |field: usize| usize::try_from(position).unwrap() + field;
        for (byte, expected) in [(70, "Checksum"), (57, "Reserved"), (55, "Length"), (8, "Checksum")] {
            let mut bytes = clean();
            bytes[at(byte)] ^= 0x80;
            for piece in [usize::MAX, 97] {
                let (before, outcome) = decoded(&bytes, piece, Checksums::Verify);
                let corruption = outcome.unwrap_err();
                assert_eq!(before.len(), 100);
                assert_eq!(corruption.position, position);
                assert!(format!("{:?}", corruption.kind).starts_with(expected), "{corruption}");
            }
        }
    }

    #[test]
    fn without_checksums_only_the_headers_count() {
        let mut bytes = clean();
        bytes[70] ^= 1;
        let (messages, tail) = decoded(&bytes, 1000, Checksums::Skip);
        assert_eq!((messages.len(), tail), (3000, Ok(Tail::Whole)));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_are_decoded_alike_in_any_pieces(
            start in 0..2000usize,
            noise: Vec<u8>,
            at in 0..2000usize,
            piece in 1..300usize,
        ) {
            let mut bytes = torn()[..4000].to_vec();
            let at = at.min(bytes.len() - noise.len().min(bytes.len()));
            let end = (at + noise.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&noise[..end - at]);
            let bytes = &bytes[start..];
            assert_eq!(decoded(bytes, piece, Checksums::Verify), decoded(bytes, usize::MAX, Checksums::Verify));
        }
    }
}
