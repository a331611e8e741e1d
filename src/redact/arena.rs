//! An arena for secrets: many of them in few allocations, wiped when dropped.

use zeroize::Zeroizing;

/// Bytes of a block, unless one entry needs more. Blocks never grow: a vector that does leaves a copy behind.
const BLOCK_BYTES: usize = 64 << 10;

/// The bytes of many secrets.
#[derive(Default)]
pub(super) struct Arena {
    blocks: Vec<Zeroizing<Vec<u8>>>,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    block: u32,
    start: u32,
    length: u32,
}

impl Entry {
    /// Bytes of the entry.
    pub(super) fn length(self) -> usize {
        self.length as usize
    }
}

/// A count of what the table of secrets holds, as small as it is kept.
pub(super) fn number(of: usize) -> u32 {
    u32::try_from(of).expect("the table of secrets is bounded")
}

impl Arena {
    /// Keeps a copy of these bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Entry {
        let room = self.blocks.last().map_or(0, |block| block.capacity() - block.len());
        if room < bytes.len() {
            self.blocks.push(Zeroizing::new(Vec::with_capacity(bytes.len().max(BLOCK_BYTES))));
        }
        let Some(block) = self.blocks.last_mut() else {
            return Entry { block: 0, start: 0, length: 0 };
        };
        let start = number(block.len());
        block.extend_from_slice(bytes);
        Entry { block: number(self.blocks.len() - 1), start, length: number(bytes.len()) }
    }

    /// An entry.
    pub(super) fn get(&self, place: Entry) -> &[u8] {
        let from = place.start as usize;
        self.blocks.get(place.block as usize).map_or(&[], |block| &block[from..from + place.length()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_any_length_are_kept_and_blocks_never_grow() {
        let lengths = [0, 1, 20, BLOCK_BYTES - 20, 3, BLOCK_BYTES * 2, 0, 7];
        let kept = lengths.map(|length| vec![b'x'; length]);
        let mut arena = Arena::default();
        let entries: Vec<Entry> = kept.iter().map(|bytes| arena.add(bytes)).collect();
        for (bytes, entry) in kept.iter().zip(entries) {
            assert_eq!(arena.get(entry), bytes);
        }
        let capacities: Vec<usize> = arena.blocks.iter().map(|block| block.capacity()).collect();
        assert_eq!(capacities, [BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES * 2, BLOCK_BYTES]);
    }
}
