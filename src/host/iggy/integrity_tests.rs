//! The audit of real data directories, whole and broken on purpose.

use std::path::{Path, PathBuf};

use super::*;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn audited(root: &Path, writer: Writer) -> Integrity {
    audit(&Host::live(), root.to_str().unwrap(), Layout::V0_8, writer, Instant::now() + READ_MAX).unwrap()
}

pub(in super::super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::write(&target, std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// A writable copy of a data directory in which one partition's only segment was cut into three, and those.
fn several() -> (tempfile::TempDir, Vec<PathBuf>) {
    const MESSAGES: usize = 1000;
    let folder = tempfile::tempdir().unwrap();
    copy(&data("iggy-0.8.0-clean"), folder.path());
    let partition = folder.path().join("streams/0/topics/0/partitions/0");
    let whole = partition.join("00000000000000000000.log");
    let (log, index) = (std::fs::read(&whole).unwrap(), std::fs::read(whole.with_extension("index")).unwrap());
    let entries: Vec<IndexEntry> = index.as_chunks::<ENTRY_BYTES>().0.iter().map(IndexEntry::decode).collect();
    let end = |message: usize| message.checked_sub(1).map_or(0, |last| entries[last].end_position);
    let mut segments = Vec::new();
    for (first, last) in [(0, MESSAGES), (MESSAGES, 2 * MESSAGES), (2 * MESSAGES, entries.len())] {
        let path = partition.join(format!("{first:020}.log"));
        let (from, to) = (end(first), end(last));
        std::fs::write(&path, &log[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]).unwrap();
        let index: Vec<u8> = (first..last)
            .flat_map(|message| {
                let relative = u32::try_from(message - first).unwrap().to_le_bytes();
                let end = (entries[message].end_position - from).to_le_bytes();
                [&relative[..], &end, &entries[message].timestamp_us.to_le_bytes()].concat()
            })
            .collect();
        std::fs::write(path.with_extension("index"), index).unwrap();
        segments.push(path);
    }
    (folder, segments)
}

#[test]
fn segments_of_one_partition_follow_each_other() {
    let (folder, _segments) = several();
    let found = audited(folder.path(), Writer::None);
    assert_eq!((found.partitions[0].segments, found.partitions[0].messages), (3, 4500));
    assert!(found.partitions.iter().all(|partition| partition.defect.is_none()), "{found:?}");
}

fn defect(folder: &tempfile::TempDir) -> Defect {
    let found = audited(folder.path(), Writer::None);
    let mut defects = found.partitions.into_iter().filter_map(|partition| partition.defect);
    let defect = defects.next().expect("something is wrong");
    assert_eq!(defects.next(), None);
    defect
}

#[test]
fn a_cleanly_stopped_server_left_every_message() {
    let found = audited(&data("iggy-0.8.0-clean"), Writer::None);
    let messages: u64 = found.partitions.iter().map(|partition| partition.messages).sum();
    let segments: u64 = found.partitions.iter().map(|partition| partition.segments).sum();
    assert_eq!((messages, segments, found.segments_left), (32_500, 10, 0));
    for partition in &found.partitions {
        assert_eq!(
            (&partition.defect, &partition.torn, &partition.ahead, &partition.unread),
            (&None, &None, &None, &None)
        );
    }
}

#[test]
fn a_killed_server_left_a_torn_tail_and_an_index_behind() {
    let found = audited(&data("iggy-0.8.0-killed"), Writer::None);
    let messages: u64 = found.partitions.iter().map(|partition| partition.messages).sum();
    assert_eq!(messages, 11_508);
    let torn: Vec<_> = found.partitions.iter().filter(|partition| partition.torn.is_some()).collect();
    assert_eq!(torn.len(), 1);
    assert_eq!((torn[0].partition, torn[0].messages, torn[0].unindexed), (1, 5_508, 1_508));
    assert_eq!(torn[0].newest, "streams/0/topics/0/partitions/1/00000000000000070000");
    // 4,000 messages of 184 bytes are in the index.
    assert_eq!(torn[0].unindexed_from, Some(4_000 * 184));
    assert_eq!(torn[0].torn.unwrap().1, 160);
    assert!(found.partitions.iter().all(|partition| partition.defect.is_none()));
}

#[test]
fn a_flipped_bit_is_located_to_its_message() {
    let (folder, segments) = several();
    let mut log = std::fs::read(&segments[1]).unwrap();
    let length = u64::from(u32::from_le_bytes(log[52..56].try_into().unwrap()))
        + 64
        + u64::from(u32::from_le_bytes(log[48..52].try_into().unwrap()));
    log[usize::try_from(length).unwrap() + 70] ^= 4;
    std::fs::write(&segments[1], log).unwrap();
    let defect = defect(&folder);
    assert_eq!(defect.position, length);
    assert!(defect.what.starts_with("checksum"), "{defect:?}");
    assert!(folder.path().join(&defect.file) == segments[1], "{defect:?}");
}

#[test]
fn a_cut_index_a_removed_segment_and_a_swapped_file_are_found() {
    let (folder, segments) = several();
    let index = segments[0].with_extension("index");
    let entries = std::fs::read(&index).unwrap();
    std::fs::write(&index, &entries[..entries.len() - 16 * 5]).unwrap();
    let found = defect(&folder);
    assert_eq!(found.position, entries.len() as u64 - 16 * 5);
    assert!(found.what.starts_with("ends 5 messages before its log"), "{found:?}");

    let (folder, segments) = several();
    std::fs::remove_file(&segments[1]).unwrap();
    let found = defect(&folder);
    assert!(found.what.contains("the next segment starts at"), "{found:?}");
    assert_eq!(found.position, std::fs::metadata(&segments[0]).unwrap().len());

    let (folder, segments) = several();
    let (first, second) = (std::fs::read(&segments[0]).unwrap(), std::fs::read(&segments[1]).unwrap());
    std::fs::write(&segments[0], second).unwrap();
    std::fs::write(&segments[1], first).unwrap();
    let found = defect(&folder);
    assert_eq!(found.position, 0);
    assert!(found.what.starts_with("offset "), "{found:?}");
}

#[test]
fn the_newest_index_of_a_stopped_server_cut_is_found_too() {
    let (folder, segments) = several();
    let index = segments[2].with_extension("index");
    let entries = std::fs::read(&index).unwrap();
    std::fs::write(&index, &entries[..entries.len() - 16 * 5]).unwrap();
    let found = audited(folder.path(), Writer::None);
    let partition = &found.partitions[0];
    let end = u64::from(u32::from_le_bytes(entries[entries.len() - 16 * 5 - 12..][..4].try_into().unwrap()));
    assert_eq!((partition.unindexed, partition.unindexed_from, &partition.defect), (5, Some(end), &None));
}

/// Nothing in a message of 0.8 says which partition it belongs to, so its file's own index must disagree.
#[test]
fn the_log_of_another_partition_is_found_where_its_index_first_disagrees() {
    let folder = tempfile::tempdir().unwrap();
    copy(&data("iggy-0.8.0-clean"), folder.path());
    let log = |partition: u8| {
        folder.path().join(format!("streams/0/topics/0/partitions/{partition}/00000000000000000000.log"))
    };
    std::fs::copy(log(1), log(0)).unwrap();
    let entries = |partition: u8| std::fs::read(log(partition).with_extension("index")).unwrap();
    let (own, foreign) = (entries(0), entries(1));
    let end = |entries: &[u8], at: usize| entries[16 * at + 4..16 * at + 8].to_vec();
    let first = (0..own.len() / 16).find(|&at| end(&own, at) != end(&foreign, at)).unwrap();
    let found = defect(&folder);
    assert_eq!(found.position, 16 * first as u64);
    assert!(found.file.ends_with("partitions/0/00000000000000000000.index"), "{found:?}");
}

#[test]
fn when_time_is_over_the_rest_is_counted() {
    let root = data("iggy-0.8.0-clean");
    let found = audit(&Host::live(), root.to_str().unwrap(), Layout::V0_8, Writer::None, Instant::now()).unwrap();
    assert_eq!((found.segments_left, found.bytes_read), (10, 0));
}

#[test]
fn segments_of_the_newer_layout_follow_each_other_too() {
    use crate::iggy::edge_audit::tests::batch;
    let folder = tempfile::tempdir().unwrap();
    let partition = folder.path().join("streams/0/topics/0/partitions/0");
    std::fs::create_dir_all(&partition).unwrap();
    let write = |start: u64, bytes: &[u8]| std::fs::write(partition.join(format!("{start:020}.log")), bytes).unwrap();
    let read = || {
        let root = folder.path().to_str().unwrap();
        audit(&Host::live(), root, Layout::Edge, Writer::None, Instant::now() + READ_MAX).unwrap()
    };
    write(0, &[batch(0, &[b"a", b"b"]), batch(2, &[b"c"])].concat());
    write(3, &batch(3, &[b"d"]));
    let found = read();
    assert_eq!((found.partitions[0].messages, found.partitions[0].defect.as_ref()), (4, None));
    write(3, &batch(3, &[b"d"])[..300]);
    assert_eq!(read().partitions[0].torn, Some((0, 300)));
    write(5, &batch(5, &[b"f"]));
    assert_eq!(read().partitions[0].defect.as_ref().map(|defect| defect.position), Some(0), "torn in the middle");
}
