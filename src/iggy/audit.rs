//! Auditing a segment of 0.8: its messages, their offsets, and the index beside them.
//!
//! The log arrives in pieces of any size and the index entry by entry, so a segment of any length takes constant memory.
//! An audit says where the first thing is wrong, and does not guess what comes after it.

use super::index::IndexEntry;
use super::segment::{Checksums, Message, SegmentDecoder, Tail};

/// What is wrong in a segment, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentDefect {
    /// The file.
    pub file: SegmentFile,
    /// The byte at which it is wrong.
    pub position: u64,
    /// What is wrong there.
    pub what: String,
}

/// A file of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentFile {
    /// `.log`.
    Log,
    /// `.index`.
    Index,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentReport {
    /// Whole messages.
    pub messages: u64,
    /// Bytes of whole messages.
    pub bytes: u64,
    /// The last message's offset.
    pub last_offset: Option<u64>,
    /// When the server took the first message and the last, microseconds since 1970.
    pub times_us: Option<(u64, u64)>,
    /// How the log ends.
    pub tail: Tail,
    /// Messages that the index does not have: it is written after the log.
    pub unindexed: u64,
    /// Where the first of those starts in the log.
    pub unindexed_from: Option<u64>,
    /// The first thing that is wrong.
    pub defect: Option<SegmentDefect>,
    /// Where the log ends before its index does: wrong, unless the log was read before it had grown.
    pub surplus: Option<SegmentDefect>,
}

/// Audits one segment.
pub struct SegmentAudit {
    decoder: SegmentDecoder,
    progress: Progress,
}

/// What has been seen so far.
struct Progress {
    start_offset: u64,
    messages: u64,
    bytes: u64,
    times_us: Option<(u64, u64)>,
    unindexed: u64,
    unindexed_from: Option<u64>,
    defect: Option<SegmentDefect>,
}

impl SegmentAudit {
    /// An audit of the segment whose name says that it starts at this offset.
    #[must_use]
    pub fn new(start_offset: u64, checksums: Checksums) -> Self {
        let progress = Progress {
            start_offset,
            messages: 0,
            bytes: 0,
            times_us: None,
            unindexed: 0,
            unindexed_from: None,
            defect: None,
        };
        Self { decoder: SegmentDecoder::new(checksums), progress }
    }

    /// Takes the next bytes of the log. `index` gives the next entry of the index each time, while there is one.
    ///
    /// Gives whether it is worth going on: after a defect it is not.
    pub fn feed(&mut self, bytes: &[u8], index: &mut impl FnMut() -> Option<IndexEntry>) -> GoOn {
        let Self { decoder, progress } = self;
        let fed = decoder.feed(bytes, &mut |message| {
            if progress.defect.is_none() {
                progress.message(message, index);
            }
        });
        if let (Err(corruption), None) = (fed, &progress.defect) {
            let what = corruption.kind.to_string();
            progress.defect = Some(SegmentDefect { file: SegmentFile::Log, position: corruption.position, what });
        }
        if progress.defect.is_some() { GoOn::No } else { GoOn::Yes }
    }

    /// The report, when no bytes follow. `index` is asked for what it has beyond the messages.
    #[must_use]
    pub fn finish(self, index: &mut impl FnMut() -> Option<IndexEntry>) -> SegmentReport {
        let Self { decoder, progress } = self;
        let tail = decoder.finish();
        let surplus = (progress.defect.is_none() && index().is_some()).then(|| match tail {
            // The index is written after the log: what it knows was whole once.
            Tail::Torn { position, bytes, .. } => SegmentDefect {
                file: SegmentFile::Log,
                position,
                what: format!("ends {bytes} bytes into a message that the index has whole"),
            },
            Tail::Whole => SegmentDefect {
                file: SegmentFile::Index,
                position: progress.messages * super::index::ENTRY_BYTES as u64,
                what: format!(
                    "an entry for message {} of a log that holds {}",
                    progress.messages + 1,
                    progress.messages
                ),
            },
        });
        SegmentReport {
            messages: progress.messages,
            bytes: progress.bytes,
            last_offset: progress.messages.checked_sub(1).map(|last| progress.start_offset + last),
            times_us: progress.times_us,
            tail,
            unindexed: progress.unindexed,
            unindexed_from: progress.unindexed_from,
            defect: progress.defect,
            surplus,
        }
    }
}

/// Whether an audit goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoOn {
    /// It does.
    Yes,
    /// Something is wrong: what follows would be a guess.
    No,
}

impl Progress {
    fn message(&mut self, message: Message, index: &mut impl FnMut() -> Option<IndexEntry>) {
        let expected = self.start_offset + self.messages;
        if message.header.offset != expected {
            let what = format!("offset {} where {expected} should be", message.header.offset);
            self.defect = Some(SegmentDefect { file: SegmentFile::Log, position: message.position, what });
            return;
        }
        if let Some(entry) = index() {
            self.entry(entry, message);
        } else {
            self.unindexed += 1;
            self.unindexed_from.get_or_insert(message.position);
        }
        let time = message.header.timestamp_us;
        self.times_us = Some(self.times_us.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        self.messages += 1;
        self.bytes += message.header.message_bytes();
    }

    fn entry(&mut self, entry: IndexEntry, message: Message) {
        let wrong = if u64::from(entry.relative_offset) != self.messages {
            format!(
                "an entry for offset {} where {} should be",
                self.start_offset + u64::from(entry.relative_offset),
                message.header.offset
            )
        } else if u64::from(entry.end_position) != message.end() {
            // 0.8 goes on behind what a kill left in the log but not in the index.
            let skips =
                if u64::from(entry.end_position) > message.end() { ", the bytes between are in no entry" } else { "" };
            format!("position {} for a message that ends at {}{skips}", entry.end_position, message.end())
        } else if entry.timestamp_us != message.header.timestamp_us {
            format!("time {} for a message of {}", entry.timestamp_us, message.header.timestamp_us)
        } else {
            return;
        };
        let position = self.messages * super::index::ENTRY_BYTES as u64;
        self.defect = Some(SegmentDefect { file: SegmentFile::Index, position, what: wrong });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iggy::{ENTRY_BYTES, IndexDecoder};

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/iggy-0.8.0-clean/streams");

    /// The first segment of the recorded data that has messages: start offset, log, index.
    fn segment() -> (u64, Vec<u8>, Vec<u8>) {
        let mut folders = vec![std::path::PathBuf::from(FOLDER)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "log") {
                    let log = std::fs::read(&path).unwrap();
                    if log.len() > 10_000 {
                        let start = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
                        return (start, log, std::fs::read(path.with_extension("index")).unwrap());
                    }
                }
            }
        }
        panic!("no segment in {FOLDER}");
    }

    fn audit(start: u64, log: &[u8], index: &[u8]) -> SegmentReport {
        let mut entries = Vec::new();
        IndexDecoder::<ENTRY_BYTES>::default().feed(index, &mut |entry| entries.push(IndexEntry::decode(entry)));
        let mut entries = entries.into_iter();
        let mut next = || entries.next();
        let mut audit = SegmentAudit::new(start, Checksums::Verify);
        for piece in log.chunks(4099) {
            if audit.feed(piece, &mut next) == GoOn::No {
                break;
            }
        }
        audit.finish(&mut next)
    }

    #[test]
    fn a_real_segment_is_whole() {
        let (start, log, index) = segment();
        let report = audit(start, &log, &index);
        assert_eq!((report.bytes, report.tail, report.unindexed), (log.len() as u64, Tail::Whole, 0));
        assert_eq!((report.defect, report.surplus), (None, None));
        assert_eq!(report.messages, index.len() as u64 / 16);
        assert_eq!(report.last_offset, Some(start + report.messages - 1));
    }

    #[test]
    fn each_defect_is_located_to_the_byte() {
        let (start, log, index) = segment();
        let whole = audit(start, &log, &index);
        let end_of_third = u64::from(IndexEntry::decode(index[32..48].try_into().unwrap()).end_position);
        let place =
            |report: SegmentReport| report.defect.or(report.surplus).map(|defect| (defect.file, defect.position));

        let mut flipped = log.clone();
        flipped[usize::try_from(end_of_third).unwrap() + 40] ^= 1;
        assert_eq!(place(audit(start, &flipped, &index)), Some((SegmentFile::Log, end_of_third)));

        let mut pointed = index.clone();
        pointed[16 * 3 + 4] ^= 1;
        assert_eq!(place(audit(start, &log, &pointed)), Some((SegmentFile::Index, 48)));

        let mut dated = index.clone();
        dated[16 * 3 + 15] ^= 1;
        assert_eq!(place(audit(start, &log, &dated)), Some((SegmentFile::Index, 48)));

        assert_eq!(place(audit(start + 1, &log, &index)), Some((SegmentFile::Log, 0)), "a file with another's name");

        let cut = audit(start, &log, &index[..index.len() - 32]);
        assert_eq!((cut.unindexed, cut.defect), (2, None));

        let torn = audit(start, &log[..log.len() - 5], &index[..index.len() - 16]);
        assert!(matches!(torn.tail, Tail::Torn { .. }));
        assert_eq!((torn.messages, torn.defect), (whole.messages - 1, None));

        let begins = u64::from(IndexEntry::decode(index[index.len() - 32..][..16].try_into().unwrap()).end_position);
        let torn_behind_its_index = audit(start, &log[..log.len() - 5], &index);
        assert_eq!(place(torn_behind_its_index), Some((SegmentFile::Log, begins)));

        let short = audit(start, &log[..usize::try_from(begins).unwrap()], &index);
        assert_eq!(place(short), Some((SegmentFile::Index, index.len() as u64 - 16)));
    }
}
