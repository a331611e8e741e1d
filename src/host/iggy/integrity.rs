//! Reads the messages of a data directory through, the newest segments first, bounded by time and bytes.

use std::fs::File;
use std::io::{BufReader, Read};
use std::time::{Duration, Instant};

use super::super::root::Host;
use super::super::scene::Scene;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::iggy::{IGGY_PLACE, IGGY_PROCESS};
use crate::evidence::integrity::{Defect, Integrity, PartitionAudit, Writer};
use crate::iggy::audit::{GoOn, SegmentAudit, SegmentFile, SegmentReport};
use crate::iggy::edge_audit::EdgeAudit;
use crate::iggy::{Checksums, ConsumerOffset, ENTRY_BYTES, EdgeIndexEntry, IndexEntry, Layout, Tail};

/// How long is read.
pub(super) const READ_MAX: Duration = Duration::from_secs(10);
/// Bytes that are read.
const BYTES_MAX: u64 = 16 << 30;
/// Partitions that are looked at.
const PARTITIONS_MAX: usize = 10_000;
/// Consumers and groups of one partition that are looked at.
const CONSUMERS_MAX: usize = 1_000;
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 * 1024;
/// Name of a segment without its extension.
pub(super) const NAME_DIGITS: usize = 20;

/// A partition and its segments, the newest last.
struct Partition {
    path: String,
    starts: Vec<u64>,
    audit: PartitionAudit,
}

pub(super) fn integrity(scene: &Scene) -> Observed<Integrity> {
    let place = scene.evidence.read(IGGY_PLACE)?;
    let root = place.below("")?;
    let root = root.trim_end_matches('/').to_owned();
    let layout = place.believed().map_or(Layout::Unknown, |(_, directory)| directory.layout);
    if !layout.is_known() {
        return Err(Gap::not_applicable(format!("segments of this layout ({}) are not decoded", layout.label())));
    }
    let writer = match scene.evidence.read(IGGY_PROCESS) {
        // One that is hidden from us may be writing.
        Ok(_) | Err(Gap { reason: GapReason::Denied, .. }) => Writer::Live,
        Err(_) => Writer::None,
    };
    scene.host.call("iggy-integrity", || audit(&scene.host, &root, layout, writer, Instant::now() + READ_MAX))
}

/// Audits the partitions below `root`.
pub(super) fn audit(host: &Host, root: &str, layout: Layout, writer: Writer, until: Instant) -> Observed<Integrity> {
    let (folders, unlisted) = partition_folders(host, root)?;
    let mut partitions: Vec<Partition> = folders.into_iter().map(|folder| partition(host, folder)).collect();
    let mut found = Integrity { unlisted, writer, ..Integrity::default() };
    let longest = partitions.iter().map(|partition| partition.starts.len()).max().unwrap_or(0);
    let mut reader = Reader { host, root, layout, writer, until, piece: vec![0; PIECE_BYTES] };
    for back in 0..longest {
        for partition in &mut partitions {
            let Some(at) = partition.starts.len().checked_sub(back + 1) else { continue };
            if partition.audit.defect.is_some() {
                continue;
            }
            if Instant::now() >= until || found.bytes_read >= BYTES_MAX {
                found.segments_left += 1;
                continue;
            }
            found.bytes_read += partition.segment(&mut reader, at);
        }
    }
    for partition in &mut partitions {
        partition.consumers(host, writer);
    }
    found.partitions = partitions.into_iter().map(|partition| partition.audit).collect();
    Ok(found)
}

fn numbers(host: &Host, path: &str) -> Observed<Vec<u64>> {
    let mut numbers: Vec<u64> = host.list(path)?.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// A folder that was not listed, unless it is gone: streams and topics may be removed meanwhile.
pub(super) fn lost(gap: Gap) -> Option<Gap> {
    (gap.reason != GapReason::Absent).then_some(gap)
}

/// A partition's folder: stream, topic and partition, and its path.
type Folder = ([u64; 3], String);

/// Each partition's folder below a data directory, and which folders above them could not be listed.
pub(super) fn partition_folders(host: &Host, root: &str) -> Observed<(Vec<Folder>, Vec<Gap>)> {
    let (mut found, mut unlisted) = (Vec::new(), Vec::new());
    let below = |path: &str, unlisted: &mut Vec<Gap>| {
        numbers(host, path).unwrap_or_else(|gap| {
            unlisted.extend(lost(gap));
            Vec::new()
        })
    };
    let streams = match numbers(host, &format!("{root}/streams")) {
        // A server that never had a stream has no such folder.
        Err(gap) if gap.reason == GapReason::Absent => return Ok((found, unlisted)),
        streams => streams?,
    };
    for stream in streams {
        for topic in below(&format!("{root}/streams/{stream}/topics"), &mut unlisted) {
            let above = format!("{root}/streams/{stream}/topics/{topic}/partitions");
            for partition in below(&above, &mut unlisted) {
                if found.len() == PARTITIONS_MAX {
                    unlisted.push(Gap::broken(format!(
                        "more than {PARTITIONS_MAX} partitions: the rest was not looked at"
                    )));
                    return Ok((found, unlisted));
                }
                found.push(([stream, topic, partition], format!("{above}/{partition}")));
            }
        }
    }
    Ok((found, unlisted))
}

fn partition(host: &Host, ([stream, topic, partition], path): Folder) -> Partition {
    let mut audit = PartitionAudit { stream, topic, partition, ..PartitionAudit::default() };
    let starts = match host.list(&path) {
        Ok(names) => starts(&names),
        Err(gap) => {
            audit.unread = Some(gap);
            Vec::new()
        }
    };
    Partition { path, starts, audit }
}

fn starts(names: &[String]) -> Vec<u64> {
    let stem = |name: &str| name.strip_suffix(".log").filter(|stem| stem.len() == NAME_DIGITS)?.parse().ok();
    let mut starts: Vec<u64> = names.iter().filter_map(|name| stem(name)).collect();
    starts.sort_unstable();
    starts
}

impl Partition {
    /// Audits the segment at this place; gives the bytes that were read.
    fn segment(&mut self, reader: &mut Reader<'_>, at: usize) -> u64 {
        let (root, writer) = (reader.root, reader.writer);
        let start = self.starts[at];
        let stem = format!("{}/{start:0NAME_DIGITS$}", self.path);
        let (read, report) = match reader.read(&stem, start) {
            Ok(read) => read,
            Err(gap) => {
                // A segment that was removed since it was listed is retention at work.
                if !(gap.reason == GapReason::Absent && writer == Writer::Live) {
                    self.audit.unread = Some(gap);
                }
                return 0;
            }
        };
        let Some(report) = report else {
            self.audit.unread = Some(Gap::timeout(format!("{stem}.log was not read to its end: time ran out")));
            return read;
        };
        let name = |file| {
            let extension = if file == SegmentFile::Log { "log" } else { "index" };
            format!("{}.{extension}", stem.strip_prefix(root).unwrap_or(&stem).trim_start_matches('/'))
        };
        self.audit.defect = self.defect(&report, at, writer, name);
        if self.is_newest(at) {
            stem.strip_prefix(root).unwrap_or(&stem).trim_start_matches('/').clone_into(&mut self.audit.newest);
        }
        self.take(&report, at);
        read
    }

    fn defect(
        &self,
        report: &SegmentReport,
        at: usize,
        writer: Writer,
        name: impl Fn(SegmentFile) -> String,
    ) -> Option<Defect> {
        let defect = |file, position, what| Some(Defect { file: name(file), position, what });
        let newest = self.is_newest(at);
        // The log was read to the length that it had first; the index of a live server's newest has grown since.
        let surplus = report.surplus.as_ref().filter(|_| !(newest && writer == Writer::Live));
        if let Some(found) = report.defect.as_ref().or(surplus) {
            return defect(found.file, found.position, found.what.clone());
        }
        if newest {
            return None;
        }
        if let Tail::Torn { position, bytes, .. } = report.tail {
            return defect(
                SegmentFile::Log,
                position,
                format!("ends {bytes} bytes into a message, and a newer segment follows"),
            );
        }
        if report.unindexed > 0 {
            let position = (report.messages - report.unindexed) * ENTRY_BYTES as u64;
            return defect(
                SegmentFile::Index,
                position,
                format!("ends {} messages before its log, and a newer segment follows", report.unindexed),
            );
        }
        let next = report.last_offset.map_or(self.starts[at], |last| last + 1);
        let following = self.starts[at + 1];
        (next != following).then(|| Defect {
            file: name(SegmentFile::Log),
            position: report.bytes,
            what: format!("ends before offset {next}, and the next segment starts at {following}"),
        })
    }

    fn is_newest(&self, at: usize) -> bool {
        at + 1 == self.starts.len()
    }

    fn take(&mut self, report: &SegmentReport, at: usize) {
        let newest = self.is_newest(at);
        let audit = &mut self.audit;
        audit.segments += 1;
        audit.messages += report.messages;
        audit.bytes += report.bytes;
        audit.times_us = match (audit.times_us, report.times_us) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (known, found) => known.or(found),
        };
        audit.last_offset = audit.last_offset.max(report.last_offset);
        if newest {
            (audit.unindexed, audit.unindexed_from) = (report.unindexed, report.unindexed_from);
            if let Tail::Torn { position, bytes, .. } = report.tail {
                audit.torn = Some((position, bytes));
            }
        }
    }

    /// Whether a consumer is further than the newest message. Of a live server's messages some are in memory alone.
    fn consumers(&mut self, host: &Host, writer: Writer) {
        if writer == Writer::Live || self.audit.defect.is_some() || self.audit.unread.is_some() {
            return;
        }
        let newest = self.audit.last_offset.or(self.starts.last().and_then(|start| start.checked_sub(1)));
        for kind in ["consumers", "groups"] {
            let folder = format!("{}/offsets/{kind}", self.path);
            for name in host.list(&folder).unwrap_or_default().iter().take(CONSUMERS_MAX) {
                let Ok(bytes) = host.bytes(&format!("{folder}/{name}")) else { continue };
                let Ok(ConsumerOffset(offset)) = ConsumerOffset::decode(&bytes) else { continue };
                // An offset of 0 is also what a consumer has that never read anything.
                if offset > newest.unwrap_or(0) {
                    let newest = newest
                        .map_or_else(|| "there is none".to_owned(), |newest| format!("the newest message is {newest}"));
                    self.audit.ahead = Some(format!("{kind}/{name} is at {offset}, and {newest}"));
                    return;
                }
            }
        }
    }
}

/// How segments are read.
struct Reader<'a> {
    host: &'a Host,
    root: &'a str,
    layout: Layout,
    writer: Writer,
    until: Instant,
    piece: Vec<u8>,
}

/// Whether a log was read to its end, or to a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Reached,
    OutOfTime,
}

impl Reader<'_> {
    /// Reads a segment through; no report when time ran out.
    fn read(&mut self, stem: &str, start: u64) -> Observed<(u64, Option<SegmentReport>)> {
        let path = format!("{stem}.log");
        let log = self.host.open(&path)?;
        // What is appended meanwhile is left to the next snapshot.
        let length = log.metadata().map_err(|error| Gap::broken(format!("{path}: {error}")))?.len();
        let mut log = log.take(length);
        let mut index = match self.host.open(&format!("{stem}.index")) {
            Ok(file) => Some(BufReader::with_capacity(PIECE_BYTES, file)),
            Err(gap) if gap.reason == GapReason::Absent => None,
            Err(gap) => return Err(gap),
        };
        if self.layout == Layout::Edge {
            let mut entry = || next_entry(index.as_mut()?).map(|bytes| EdgeIndexEntry::decode(&bytes));
            let mut audit = EdgeAudit::new(start);
            let (bytes, end) = self.through(&path, &mut log, &mut |piece| audit.feed(piece, &mut entry))?;
            Ok((bytes, (end == End::Reached).then(|| audit.finish(&mut entry))))
        } else {
            let mut entry = || next_entry(index.as_mut()?).map(|bytes| IndexEntry::decode(&bytes));
            let mut audit = SegmentAudit::new(start, Checksums::Verify);
            let (bytes, end) = self.through(&path, &mut log, &mut |piece| audit.feed(piece, &mut entry))?;
            Ok((bytes, (end == End::Reached).then(|| audit.finish(&mut entry))))
        }
    }

    fn through(
        &mut self,
        path: &str,
        log: &mut impl Read,
        feed: &mut impl FnMut(&[u8]) -> GoOn,
    ) -> Observed<(u64, End)> {
        let mut bytes = 0;
        loop {
            let taken = log.read(&mut self.piece).map_err(|error| Gap::broken(format!("{path}: {error}")))?;
            bytes += taken as u64;
            if taken == 0 || feed(&self.piece[..taken]) == GoOn::No {
                return Ok((bytes, End::Reached));
            }
            if Instant::now() >= self.until {
                return Ok((bytes, End::OutOfTime));
            }
        }
    }
}

fn next_entry<const N: usize>(index: &mut BufReader<File>) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    index.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
#[path = "integrity_tests.rs"]
pub(super) mod tests;
