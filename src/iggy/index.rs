//! Indexes: where each message of a segment is.

/// Bytes of an index entry of 0.8.
pub const ENTRY_BYTES: usize = 16;
/// Bytes of an index entry of 0.9 edge.
pub const EDGE_ENTRY_BYTES: usize = 24;

/// An entry of 0.8: one for every message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// The message's offset, relative to the segment's first.
    pub relative_offset: u32,
    /// Where the message **ends** in the log.
    pub end_position: u32,
    /// When the server took the message, in microseconds since 1970.
    pub timestamp_us: u64,
}

impl IndexEntry {
    /// The entry in these bytes.
    #[must_use]
    pub fn decode(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let word = u128::from_le_bytes(*bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the fields are cut out of one word")]
        Self { relative_offset: word as u32, end_position: (word >> 32) as u32, timestamp_us: (word >> 64) as u64 }
    }
}

/// An entry of 0.9 edge: one for a batch here and there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeIndexEntry {
    /// The batch's first offset.
    pub offset: u64,
    /// When the server took the batch, in microseconds since 1970.
    pub timestamp_us: u64,
    /// Where the batch starts in the log.
    pub position: u64,
}

impl EdgeIndexEntry {
    /// The entry in these bytes.
    #[must_use]
    pub fn decode(bytes: &[u8; EDGE_ENTRY_BYTES]) -> Self {
        let field = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes of an entry"));
        Self { offset: field(0), timestamp_us: field(8), position: field(16) }
    }
}

/// Cuts an index that arrives in pieces of any size into entries of `N` bytes.
#[derive(Debug)]
pub struct IndexDecoder<const N: usize> {
    carry: [u8; N],
    filled: usize,
}

impl<const N: usize> Default for IndexDecoder<N> {
    fn default() -> Self {
        Self { carry: [0; N], filled: 0 }
    }
}

impl<const N: usize> IndexDecoder<N> {
    /// Takes the next `bytes` of the index and reports each entry that they complete.
    pub fn feed(&mut self, mut bytes: &[u8], found: &mut impl FnMut(&[u8; N])) {
        if self.filled > 0 {
            let taken = bytes.len().min(N - self.filled);
            self.carry[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled < N {
                return;
            }
            found(&self.carry);
        }
        let (entries, rest) = bytes.as_chunks::<N>();
        for entry in entries {
            found(entry);
        }
        self.carry[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    /// Bytes of an entry that the index breaks off in; 0 when it ends with a whole one.
    #[must_use]
    pub fn finish(self) -> usize {
        self.filled
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_index_of_a_real_server_points_at_the_end_of_each_message() {
        let path = "tests/data/iggy-0.8.0-killed/streams/0/topics/0/partitions/1/00000000000000070000.index";
        let bytes = fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        for piece in [1, 15, 16, 17, 4096, usize::MAX] {
            let mut entries = Vec::new();
            let mut decoder = IndexDecoder::<ENTRY_BYTES>::default();
            for part in bytes.chunks(piece) {
                decoder.feed(part, &mut |entry| entries.push(IndexEntry::decode(entry)));
            }
            assert_eq!(decoder.finish(), 0);
            assert_eq!(entries.len(), 4000);
            assert!(
                entries
                    .iter()
                    .zip(0u32..)
                    .all(|(entry, n)| entry.relative_offset == n && entry.end_position == (n + 1) * 184)
            );
        }
    }

    #[test]
    fn a_cut_entry_is_counted() {
        let mut decoder = IndexDecoder::<ENTRY_BYTES>::default();
        decoder.feed(&[0; 39], &mut |_| ());
        assert_eq!(decoder.finish(), 7);
    }

    #[test]
    fn an_edge_entry_has_three_numbers() {
        let mut bytes = [0; EDGE_ENTRY_BYTES];
        bytes[0] = 1;
        bytes[8] = 2;
        bytes[23] = 0x80;
        let entry = EdgeIndexEntry { offset: 1, timestamp_us: 2, position: 1 << 63 };
        assert_eq!(EdgeIndexEntry::decode(&bytes), entry);
    }
}
