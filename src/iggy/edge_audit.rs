//! Auditing a segment of 0.9 edge: its batches, the messages in them, and the sparse index beside them.
//!
//! The layout is read from Iggy's own source (`binary_protocol/src/batch.rs`, 2026-08): a batch header of 256 bytes, then
//! frames of 48 bytes, payload and user headers. A message's checksum covers its frame after itself; a batch's covers six
//! fields of its header and the checksums of its messages. The log arrives in pieces of any size and takes constant memory.

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::audit::{GoOn, SegmentDefect, SegmentFile, SegmentReport};
use super::index::{EDGE_ENTRY_BYTES, EdgeIndexEntry};
use super::segment::{CorruptionKind, MESSAGE_BYTES_MAX, Tail};

/// Bytes of a batch's header.
const BATCH_BYTES: usize = 256;
/// Bytes of a message's frame before its payload.
const FRAME_BYTES: usize = 48;
/// Where the zeros of a batch's header begin.
const BATCH_ZEROS: usize = 52;
/// The longest batch that is believed: the bus takes frames of 64 MiB, and one message may fill it.
const BATCH_BYTES_MAX: u64 = 128 << 20;
/// A message's checksum covers what follows it.
const CHECKSUM_BYTES: usize = 8;

/// Audits one segment.
pub struct EdgeAudit {
    start_offset: u64,
    /// Where the next byte stands in the log.
    position: u64,
    /// A header or frame as far as it has arrived.
    carry: Vec<u8>,
    batch: Option<Batch>,
    body: Option<Body>,
    pending: Option<EdgeIndexEntry>,
    entries: u64,
    messages: u64,
    bytes: u64,
    times_us: Option<(u64, u64)>,
    defect: Option<SegmentDefect>,
}

/// The batch that is arriving.
struct Batch {
    start: u64,
    end: u64,
    stored: u64,
    count: u32,
    seen: u32,
    time_us: u64,
    hash: Xxh3Default,
}

/// The body of the message that is arriving.
struct Body {
    start: u64,
    stored: u64,
    left: u64,
    hash: Xxh3Default,
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes of a header that is whole"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes of a header that is whole"))
}

impl EdgeAudit {
    /// An audit of the segment whose name says that it starts at this offset.
    #[must_use]
    pub fn new(start_offset: u64) -> Self {
        Self {
            start_offset,
            position: 0,
            carry: Vec::with_capacity(BATCH_BYTES),
            batch: None,
            body: None,
            pending: None,
            entries: 0,
            messages: 0,
            bytes: 0,
            times_us: None,
            defect: None,
        }
    }

    /// Takes the next bytes of the log. `index` gives the next entry of the index each time, while there is one.
    pub fn feed(&mut self, mut bytes: &[u8], index: &mut impl FnMut() -> Option<EdgeIndexEntry>) -> GoOn {
        while !bytes.is_empty() && self.defect.is_none() {
            let taken = if self.body.is_some() {
                self.body_bytes(bytes)
            } else if self.batch.is_some() {
                self.frame_bytes(bytes)
            } else {
                self.header_bytes(bytes, index)
            };
            bytes = &bytes[taken..];
        }
        if self.defect.is_some() { GoOn::No } else { GoOn::Yes }
    }

    /// The report, when no bytes follow. `index` is asked for what it has beyond the batches.
    #[must_use]
    pub fn finish(mut self, index: &mut impl FnMut() -> Option<EdgeIndexEntry>) -> SegmentReport {
        let whole = self.bytes;
        if self.defect.is_none() && self.pending.is_none() {
            self.pending = self.next_entry(index);
        }
        let surplus = self.pending.filter(|_| self.defect.is_none()).map(|entry| SegmentDefect {
            file: SegmentFile::Index,
            position: (self.entries - 1) * EDGE_ENTRY_BYTES as u64,
            what: format!("an entry for byte {} of a log whose batches end at {whole}", entry.position),
        });
        // What stands behind a defect is a guess.
        let tail = if self.position == whole || self.defect.is_some() {
            Tail::Whole
        } else {
            let expected_bytes = self.batch.as_ref().map(|batch| batch.end - batch.start);
            Tail::Torn { position: whole, bytes: self.position - whole, expected_bytes }
        };
        SegmentReport {
            messages: self.messages,
            bytes: whole,
            last_offset: self.messages.checked_sub(1).map(|last| self.start_offset + last),
            times_us: self.times_us,
            tail,
            unindexed: 0,
            unindexed_from: None,
            defect: self.defect,
            surplus,
        }
    }

    fn fail(&mut self, file: SegmentFile, position: u64, what: String) {
        self.defect = Some(SegmentDefect { file, position, what });
    }

    fn next_entry(&mut self, index: &mut impl FnMut() -> Option<EdgeIndexEntry>) -> Option<EdgeIndexEntry> {
        let entry = index()?;
        self.entries += 1;
        Some(entry)
    }

    /// Fills the carry up to `wanted` bytes; gives what was taken, and whether it is full.
    fn fill(&mut self, bytes: &[u8], wanted: usize) -> (usize, bool) {
        let taken = bytes.len().min(wanted - self.carry.len());
        self.carry.extend_from_slice(&bytes[..taken]);
        self.position += taken as u64;
        (taken, self.carry.len() == wanted)
    }

    fn header_bytes(&mut self, bytes: &[u8], index: &mut impl FnMut() -> Option<EdgeIndexEntry>) -> usize {
        let (taken, full) = self.fill(bytes, BATCH_BYTES);
        if full {
            let header = std::mem::take(&mut self.carry);
            self.batch_begins(&header, index);
            self.carry = header;
            self.carry.clear();
        }
        taken
    }

    fn batch_begins(&mut self, header: &[u8], index: &mut impl FnMut() -> Option<EdgeIndexEntry>) {
        let start = self.bytes;
        let (offset, length, count) = (u64_at(header, 8), u64_at(header, 32), u32_at(header, 48));
        if let Some(at) = header[BATCH_ZEROS..].iter().position(|byte| *byte != 0) {
            let position = start + (BATCH_ZEROS + at) as u64;
            return self.fail(SegmentFile::Log, position, "a reserved byte of a batch is not 0".to_owned());
        }
        if !(BATCH_BYTES as u64..=BATCH_BYTES_MAX).contains(&length) {
            let what = CorruptionKind::Length(length).to_string();
            return self.fail(SegmentFile::Log, start, format!("a batch {what}"));
        }
        let expected = self.start_offset + self.messages;
        if offset != expected {
            return self.fail(SegmentFile::Log, start, format!("offset {offset} where {expected} should be"));
        }
        self.indexed(start, offset, index);
        let mut hash = Xxh3Default::new();
        hash.update(&header[..40]);
        hash.update(&header[48..52]);
        let (stored, time_us) = (u64_at(header, 40), u64_at(header, 16));
        self.batch = Some(Batch { start, end: start + length, stored, count, seen: 0, time_us, hash });
        self.batch_ends();
    }

    /// Whether the entries up to here point at batches: an entry between two of them points into one.
    fn indexed(&mut self, start: u64, offset: u64, index: &mut impl FnMut() -> Option<EdgeIndexEntry>) {
        if self.pending.is_none() {
            self.pending = self.next_entry(index);
        }
        let Some(entry) = self.pending.filter(|entry| entry.position <= start) else { return };
        let position = (self.entries - 1) * EDGE_ENTRY_BYTES as u64;
        if entry.position < start {
            let what = format!("position {} where no batch starts", entry.position);
            self.fail(SegmentFile::Index, position, what);
        } else if entry.offset != offset {
            let what = format!("an entry for offset {} where {offset} should be", entry.offset);
            self.fail(SegmentFile::Index, position, what);
        } else {
            self.pending = None;
        }
    }

    fn frame_bytes(&mut self, bytes: &[u8]) -> usize {
        if self.carry.is_empty() && bytes.len() >= FRAME_BYTES {
            let whole = usize::try_from(frame_length(bytes)).unwrap_or(usize::MAX);
            if whole <= bytes.len() {
                let start = self.position;
                if self.frame_begins(start, &bytes[..FRAME_BYTES]) {
                    self.position += whole as u64;
                    self.message_ends(start, u64_at(bytes, 0), xxh3_64(&bytes[CHECKSUM_BYTES..whole]));
                }
                return whole;
            }
        }
        let (taken, full) = self.fill(bytes, FRAME_BYTES);
        if full {
            let frame = std::mem::take(&mut self.carry);
            let start = self.position - FRAME_BYTES as u64;
            if self.frame_begins(start, &frame) {
                let mut hash = Xxh3Default::new();
                hash.update(&frame[CHECKSUM_BYTES..]);
                let left = frame_length(&frame) - FRAME_BYTES as u64;
                self.body = Some(Body { start, stored: u64_at(&frame, 0), left, hash });
                self.body_ends();
            }
            self.carry = frame;
            self.carry.clear();
        }
        taken
    }

    /// Whether a frame is one; a defect otherwise.
    fn frame_begins(&mut self, start: u64, frame: &[u8]) -> bool {
        let batch = self.batch.as_mut().expect("a frame stands in a batch");
        let (length, delta, reserved) = (frame_length(frame), u32_at(frame, 24), u64_at(frame, 40));
        let wrong = if reserved != 0 {
            CorruptionKind::Reserved(reserved).to_string()
        } else if length > MESSAGE_BYTES_MAX {
            CorruptionKind::Length(length).to_string()
        } else if delta != batch.seen {
            format!("message {delta} of its batch where {} should be", batch.seen)
        } else if start + length > batch.end {
            format!("a message of {length} bytes that its batch has no room for")
        } else {
            batch.hash.update(&frame[..CHECKSUM_BYTES]);
            return true;
        };
        self.fail(SegmentFile::Log, start, wrong);
        false
    }

    fn body_bytes(&mut self, bytes: &[u8]) -> usize {
        let body = self.body.as_mut().expect("only called within a body");
        let taken = usize::try_from(body.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        body.hash.update(&bytes[..taken]);
        body.left -= taken as u64;
        self.position += taken as u64;
        self.body_ends();
        taken
    }

    fn body_ends(&mut self) {
        if let Some(body) = self.body.take_if(|body| body.left == 0) {
            self.message_ends(body.start, body.stored, body.hash.digest());
        }
    }

    fn message_ends(&mut self, start: u64, stored: u64, computed: u64) {
        if stored != computed {
            let what = CorruptionKind::Checksum { stored, computed }.to_string();
            return self.fail(SegmentFile::Log, start, what);
        }
        self.batch.as_mut().expect("a message stands in a batch").seen += 1;
        self.batch_ends();
    }

    /// Takes the batch in when its last byte has arrived.
    fn batch_ends(&mut self) {
        let position = self.position;
        let Some(batch) = self.batch.take_if(|batch| batch.end <= position) else { return };
        let computed = batch.hash.digest();
        let wrong = if batch.seen != batch.count {
            format!("a batch of {} messages that holds {}", batch.count, batch.seen)
        } else if batch.stored != computed {
            CorruptionKind::Checksum { stored: batch.stored, computed }.to_string()
        } else {
            self.bytes = batch.end;
            self.messages += u64::from(batch.count);
            let time = batch.time_us;
            self.times_us = Some(self.times_us.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
            return;
        };
        self.fail(SegmentFile::Log, batch.start, wrong);
    }
}

/// Bytes of a message with its frame.
fn frame_length(frame: &[u8]) -> u64 {
    FRAME_BYTES as u64 + u64::from(u32_at(frame, 32)) + u64::from(u32_at(frame, 36))
}

#[cfg(test)]
#[path = "edge_audit_tests.rs"]
pub(crate) mod tests;
