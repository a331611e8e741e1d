//! Sizes beyond 32 bits, in little memory.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use snapvisor::bundle::plan::Plan;

use crate::directory::{archived, put, save, unlimited, unmasked};
use crate::tools;

const SEGMENT: &str = "streams/0/topics/0/partitions/0/00000000000000000000.log";
const HUGE_BYTES: u64 = 6 << 30;
const MEMORY_BYTES_MAX: u64 = 64 << 20;

/// What another test runs in a process of its own, to see its memory.
#[test]
#[ignore = "the child of a_directory_beyond_four_gibibytes_takes_little_memory"]
fn bundle_as_a_child() {
    let tree = std::env::var_os("SNAPVISOR_TEST_TREE").unwrap();
    let archive = std::env::var_os("SNAPVISOR_TEST_ARCHIVE").unwrap();
    let bundle = unmasked(Plan::of_path(Path::new(&tree)).unwrap(), &unlimited()).unwrap();
    assert!(bundle.section.complete);
    archived(&bundle, Path::new(&archive));
    save(&bundle.zip, &Path::new(&archive).with_extension("data.zip"));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("PEAK KIB {}", peak.trim().trim_end_matches(" kB"));
}

#[test]
fn a_directory_beyond_four_gibibytes_takes_little_memory() {
    let tree = tempfile::tempdir().unwrap();
    put(tree.path(), "state/info", b"small");
    let segment = File::create(put(tree.path(), SEGMENT, b"")).unwrap();
    segment.set_len(HUGE_BYTES).unwrap();
    segment.write_all_at(b"in the middle", HUGE_BYTES / 2 + 12_345).unwrap();
    segment.write_all_at(b"end", HUGE_BYTES - 3).unwrap();
    let target = tempfile::tempdir().unwrap();
    let archive = target.path().join("archive.zip");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "huge::bundle_as_a_child", "--ignored", "--nocapture"])
        .env("SNAPVISOR_TEST_TREE", tree.path())
        .env("SNAPVISOR_TEST_ARCHIVE", &archive)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let peak = said.split_once("PEAK KIB ").unwrap().1;
    let peak_kib: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(peak_kib * 1024 < MEMORY_BYTES_MAX, "{peak_kib} KiB at its peak");
    tools::test(&archive);
    let data = archive.with_extension("data.zip");
    tools::list(&data);
    let mut zip = zip::ZipArchive::new(File::open(&data).unwrap()).unwrap();
    let index = zip.index_for_name(SEGMENT).unwrap();
    let entry = zip.by_index_raw(index).unwrap();
    assert_eq!(entry.size(), HUGE_BYTES);
    assert!(entry.compressed_size() < HUGE_BYTES / 500, "{}", entry.compressed_size());
}
