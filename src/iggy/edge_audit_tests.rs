//! Segments made by the layout of 0.9 edge: no server of it has left any here.

use super::*;

/// A batch of these payloads, from this offset on, as the server writes it.
pub(crate) fn batch(base_offset: u64, payloads: &[&[u8]]) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut checksums = Vec::new();
    for (delta, payload) in (0u32..).zip(payloads) {
        let mut frame = vec![0; FRAME_BYTES];
        frame[8..24].copy_from_slice(&u128::from(delta + 1).to_le_bytes());
        frame[24..28].copy_from_slice(&delta.to_le_bytes());
        frame[36..40].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
        frame.extend_from_slice(payload);
        let checksum = xxh3_64(&frame[CHECKSUM_BYTES..]).to_le_bytes();
        frame[..CHECKSUM_BYTES].copy_from_slice(&checksum);
        checksums.extend_from_slice(&checksum);
        frames.extend(frame);
    }
    let mut header = vec![0; BATCH_BYTES];
    header[..8].copy_from_slice(&7u64.to_le_bytes());
    header[8..16].copy_from_slice(&base_offset.to_le_bytes());
    header[16..24].copy_from_slice(&(1_000_000 + base_offset).to_le_bytes());
    header[32..40].copy_from_slice(&((BATCH_BYTES + frames.len()) as u64).to_le_bytes());
    header[48..52].copy_from_slice(&u32::try_from(payloads.len()).unwrap().to_le_bytes());
    let mut hash = Xxh3Default::new();
    hash.update(&header[..40]);
    hash.update(&header[48..52]);
    hash.update(&checksums);
    header[40..48].copy_from_slice(&hash.digest().to_le_bytes());
    header.extend(frames);
    header
}

/// Three batches of two, one and three messages from offset 10 on, and where each starts.
fn segment() -> (Vec<u8>, [u64; 3]) {
    let batches = [batch(10, &[b"one", b"two"]), batch(12, &[&[b'x'; 300]]), batch(13, &[b"", b"five", b"six"])];
    let starts = [0, batches[0].len() as u64, (batches[0].len() + batches[1].len()) as u64];
    (batches.concat(), starts)
}

fn entry(offset: u64, position: u64) -> EdgeIndexEntry {
    EdgeIndexEntry { offset, timestamp_us: 0, position }
}

fn audit(start: u64, log: &[u8], index: &[EdgeIndexEntry], piece: usize) -> SegmentReport {
    let mut entries = index.iter().copied();
    let mut next = || entries.next();
    let mut audit = EdgeAudit::new(start);
    for piece in log.chunks(piece) {
        if audit.feed(piece, &mut next) == GoOn::No {
            break;
        }
    }
    audit.finish(&mut next)
}

#[test]
fn a_whole_segment_gives_its_messages_in_any_pieces() {
    let (log, starts) = segment();
    let index = [entry(10, 0), entry(13, starts[2])];
    for piece in [1, 7, 47, 48, 49, 255, 256, 257, usize::MAX] {
        let report = audit(10, &log, &index, piece);
        assert_eq!((report.messages, report.bytes, report.last_offset), (6, log.len() as u64, Some(15)), "{piece}");
        assert_eq!((&report.defect, &report.surplus, report.tail), (&None, &None, Tail::Whole), "{piece}");
        assert_eq!(report.times_us, Some((1_000_010, 1_000_013)));
    }
}

#[test]
fn each_defect_is_located_to_the_byte() {
    let (log, starts) = segment();
    let index = [entry(10, 0), entry(13, starts[2])];
    let at = |byte: u64, bit: u8| {
        let mut log = log.clone();
        log[usize::try_from(byte).unwrap()] ^= bit;
        let places: Vec<_> = [1, 100, usize::MAX]
            .map(|piece| audit(10, &log, &index, piece).defect.map(|defect| (defect.file, defect.position)))
            .into();
        assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
        places[0]
    };
    let second = starts[1] + BATCH_BYTES as u64;
    for (byte, bit, position) in [
        (starts[1] + 100, 1, starts[1] + 100),
        (starts[1] + 8, 1, starts[1]),
        (starts[1] + 38, 1, starts[1]),
        (starts[1] + 48, 2, starts[1]),
        (starts[1] + 40, 1, starts[1]),
        (starts[1], 1, starts[1]),
        (second + 60, 1, second),
        (second + 44, 1, second),
        (second + 24, 1, second),
        (second + 39, 1, second),
    ] {
        assert_eq!(at(byte, bit), Some((SegmentFile::Log, position)), "byte {byte}");
    }
    let place = |report: SegmentReport| report.defect.or(report.surplus).map(|defect| (defect.file, defect.position));
    let index_at = |index: &[EdgeIndexEntry]| place(audit(10, &log, index, 64));
    assert_eq!(index_at(&[entry(10, 0), entry(13, starts[2] - 1)]), Some((SegmentFile::Index, 24)));
    assert_eq!(index_at(&[entry(11, 0)]), Some((SegmentFile::Index, 0)));
    assert_eq!(index_at(&[entry(16, log.len() as u64)]), Some((SegmentFile::Index, 0)));
    assert_eq!(index_at(&[]), None, "it is sparse");
    assert_eq!(place(audit(11, &log, &[], 64)), Some((SegmentFile::Log, 0)), "a file with another's name");
}

#[test]
fn a_torn_batch_counts_none_of_its_messages() {
    let (log, starts) = segment();
    for kept in [starts[2] + 1, starts[2] + 255, starts[2] + 256, starts[2] + 310, log.len() as u64 - 1] {
        let report = audit(10, &log[..usize::try_from(kept).unwrap()], &[], 50);
        assert_eq!((report.messages, report.bytes, &report.defect), (3, starts[2], &None), "{kept}");
        let Tail::Torn { position, bytes, .. } = report.tail else { panic!("{kept} is whole") };
        assert_eq!((position, bytes), (starts[2], kept - starts[2]));
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_are_audited_alike_in_any_pieces(noise: Vec<u8>, at in 0..900usize, piece in 1..300usize) {
        let (mut log, _) = segment();
        let at = at.min(log.len() - noise.len().min(log.len()));
        let end = (at + noise.len()).min(log.len());
        log[at..end].copy_from_slice(&noise[..end - at]);
        assert_eq!(audit(10, &log, &[], piece), audit(10, &log, &[], usize::MAX));
    }
}
