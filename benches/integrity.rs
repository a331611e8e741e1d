//! `make bench-integrity`: how fast segments of 0.8 are audited, beside `sha256sum` of the same cached bytes.
//!
//! One thread does what `iggy.integrity` does with each segment: reads it in pieces of 256 KiB, compares the checksum,
//! header and offset of every message, and follows the index entry by entry.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot begin has failed")]

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use snapvisor::iggy::audit::{GoOn, SegmentAudit};
use snapvisor::iggy::{Checksums, ENTRY_BYTES, HEADER_BYTES, IndexEntry, Tail};
use xxhash_rust::xxh3::xxh3_64;

/// Payloads that are measured, bytes: small ones cost most, since each message is looked at.
const PAYLOADS: [usize; 3] = [200, 1_000, 16_000];
/// Bytes of the segment that is audited.
const SEGMENT_BYTES: usize = 512 << 20;
/// Bytes that are read at a time, as the collector does.
const PIECE_BYTES: usize = 256 * 1024;
/// Times that each is measured; the best counts, since what else runs only makes it slower.
const ROUNDS: usize = 3;
/// The least that an audit must do on one core.
const TARGET_MB_S: f64 = 500.0;

fn main() {
    // `cargo test --benches` and its like ask for a list of tests; there is none.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("00000000000000000000.log");
    println!("{:>8}  {:>10}  {:>10}  {:>12}  {:>6}", "payload", "messages", "audit MB/s", "sha256sum", "ratio");
    let mut slowest = f64::INFINITY;
    for payload in PAYLOADS {
        let messages = write_segment(&log, payload);
        let bytes = fs::metadata(&log).unwrap().len() + fs::metadata(log.with_extension("index")).unwrap().len();
        let audit = best(bytes, || assert_eq!(audited(&log), messages));
        let sha256sum = best(fs::metadata(&log).unwrap().len(), || {
            assert!(Command::new("sha256sum").arg(&log).stdout(Stdio::null()).status().unwrap().success());
        });
        println!("{payload:>8}  {messages:>10}  {audit:>10.0}  {sha256sum:>12.0}  {:>6.1}", audit / sha256sum);
        slowest = slowest.min(audit);
    }
    assert!(slowest >= TARGET_MB_S, "{slowest:.0} MB/s is less than {TARGET_MB_S:.0} MB/s");
}

/// Megabytes a second of the best round.
#[expect(clippy::cast_precision_loss, reason = "bytes of a file")]
fn best(bytes: u64, mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let started = Instant::now();
        work();
        bytes as f64 / 1e6 / started.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(once).fold(0.0, f64::max)
}

/// Writes a segment of messages with this payload, and its index; gives their number.
fn write_segment(log: &Path, payload: usize) -> u64 {
    let count = SEGMENT_BYTES / (HEADER_BYTES + payload);
    let mut out = BufWriter::new(File::create(log).unwrap());
    let mut index = BufWriter::new(File::create(log.with_extension("index")).unwrap());
    let mut message = vec![0_u8; HEADER_BYTES + payload];
    for (at, byte) in message[HEADER_BYTES..].iter_mut().enumerate() {
        *byte = u8::try_from(at % 251).unwrap();
    }
    message[52..56].copy_from_slice(&u32::try_from(payload).unwrap().to_le_bytes());
    for offset in 0..count as u64 {
        message[24..32].copy_from_slice(&offset.to_le_bytes());
        message[32..40].copy_from_slice(&(1_700_000_000_000_000 + offset).to_le_bytes());
        let checksum = xxh3_64(&message[8..]);
        message[..8].copy_from_slice(&checksum.to_le_bytes());
        out.write_all(&message).unwrap();
        let end = (offset + 1) * message.len() as u64;
        index.write_all(&u32::try_from(offset).unwrap().to_le_bytes()).unwrap();
        index.write_all(&u32::try_from(end).unwrap().to_le_bytes()).unwrap();
        index.write_all(&message[32..40]).unwrap();
    }
    out.flush().unwrap();
    index.flush().unwrap();
    count as u64
}

/// Audits the segment and gives its messages.
fn audited(log: &Path) -> u64 {
    let mut index = BufReader::with_capacity(PIECE_BYTES, File::open(log.with_extension("index")).unwrap());
    let mut entry = || {
        let mut bytes = [0; ENTRY_BYTES];
        index.read_exact(&mut bytes).ok()?;
        Some(IndexEntry::decode(&bytes))
    };
    let mut audit = SegmentAudit::new(0, Checksums::Verify);
    let mut file = File::open(log).unwrap();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).unwrap();
        if read == 0 || audit.feed(&piece[..read], &mut entry) == GoOn::No {
            break;
        }
    }
    let report = audit.finish(&mut entry);
    assert_eq!((report.defect, report.surplus, report.tail, report.unindexed), (None, None, Tail::Whole, 0));
    report.messages
}
