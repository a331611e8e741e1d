//! What a bundle does at its limits: deadline, budget, free space, and files that change under it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use snapvisor::bundle::BundleError;
use snapvisor::bundle::data::{self, DataBundleSpec};
use snapvisor::bundle::manifest::{Cut, Reason};
use snapvisor::bundle::plan::Plan;

use crate::directory::{clear, content, left_out, masked, put, recorded, unlimited, unmasked};

const SEGMENT: &str = "streams/0/topics/0/partitions/0/00000000000000000000.log";

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(bytes)
    .collect()
}

#[test]
fn past_the_deadline_nothing_goes_in_and_everything_is_listed() {
    let spec = DataBundleSpec { finish_by: Instant::now(), ..unlimited() };
    let bundle = masked(Plan::of_path(&recorded("iggy-0.8.0-killed")).unwrap(), &spec).unwrap();
    assert!(bundle.section.entries.is_empty() && !bundle.section.complete);
    assert_eq!(bundle.section.left_out.len(), 8);
    assert!(bundle.section.left_out.iter().all(|file| file.reason == Reason::Deadline));
    assert!(content(&bundle.zip).is_empty(), "and the ZIP is a valid empty one");
}

#[test]
fn a_budget_cuts_the_newest_segment_last() {
    let tree = tempfile::tempdir().unwrap();
    let whole = noise(8 << 20);
    for (name, age_s) in [(SEGMENT, 10), (&SEGMENT.replace("0.log", "1.log"), 5)] {
        let path = put(tree.path(), name, &whole);
        let changed = std::time::SystemTime::now() - Duration::from_secs(age_s);
        File::options().write(true).open(path).unwrap().set_modified(changed).unwrap();
    }
    put(tree.path(), "state/info", b"small");
    let spec = DataBundleSpec { max_bytes: 5 << 20, ..unlimited() };
    let bundle = unmasked(Plan::of_path(tree.path()).unwrap(), &spec).unwrap();
    let newest = SEGMENT.replace("0.log", "1.log");
    assert_eq!(left_out(&bundle), [(SEGMENT, "budget")]);
    assert_eq!(bundle.section.entries[0].name.as_str(), "state/info");
    let cut = &bundle.section.entries[1];
    assert_eq!(
        (cut.name.as_str(), cut.cut.as_ref()),
        (newest.as_str(), Some(&Cut { reason: Reason::Budget, of_bytes: 8 << 20 }))
    );
    let packed = &content(&bundle.zip)[&newest];
    assert!(packed.len() >= 5 << 20 && packed.len() < 8 << 20 && whole.starts_with(packed), "{}", packed.len());
    // What is under way when the limit is reached still goes in: a few chunks.
    assert!(bundle.packed_bytes < 10 << 20, "{}", bundle.packed_bytes);
}

#[test]
fn the_reserve_of_the_disk_is_kept() {
    let spec = DataBundleSpec { reserve_bytes: u64::MAX / 4, ..unlimited() };
    let bundle = unmasked(Plan::of_path(&recorded("iggy-0.8.0-killed")).unwrap(), &spec).unwrap();
    assert!(bundle.section.left_out.iter().all(|file| file.reason == Reason::Space));
    assert_eq!(bundle.section.left_out.len(), 8);
}

#[test]
fn a_full_disk_is_an_error_and_nothing_hangs() {
    let tree = tempfile::tempdir().unwrap();
    put(tree.path(), SEGMENT, &noise(16 << 20));
    let mut plan = Plan::of_path(tree.path()).unwrap();
    let out = File::options().write(true).open("/dev/full").unwrap();
    let outcome = data::write(&mut plan, &unlimited(), &clear(), out, &mut |_, _| ());
    let Err(BundleError::Write(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn a_dry_run_says_what_would_go_in_and_in_which_order() {
    let tree = tempfile::tempdir().unwrap();
    put(tree.path(), SEGMENT, &noise(5 << 20));
    put(tree.path(), "logs/iggy-server.log", &[b'x'; 14_112]);
    put(tree.path(), "state/info", &[0; 29]);
    std::os::unix::fs::symlink("/etc", tree.path().join("link")).unwrap();
    let said = Plan::of_path(tree.path()).unwrap().dry_run(&clear());
    let expected = format!(
        "layout 0.8, 3 files, 5.01 MiB\n      \
             29 B  state version           state/info\n  \
         13.8 KiB  server log              logs/iggy-server.log\n  \
         5.00 MiB  segment                 {SEGMENT}\n         \
                -  a link: recorded, not followed: link\n"
    );
    assert_eq!(said.as_str(), expected);
}

#[test]
fn progress_counts_every_byte() {
    let mut plan = Plan::of_path(&recorded("iggy-0.8.0-killed")).unwrap();
    let total = plan.size_bytes();
    let mut seen = Vec::new();
    let out = tempfile::tempfile().unwrap();
    let mut progress = |done, total| seen.push((done, total));
    data::write(&mut plan, &unlimited(), &clear(), out, &mut progress).unwrap();
    assert_eq!(seen.first(), Some(&(0, total)));
    assert_eq!(seen.last(), Some(&(total, total)));
    assert!(seen.is_sorted());
}

#[test]
fn files_that_change_after_the_walk_are_cut_marked_or_listed() {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("streams/0/topics/0/partitions/0/{name:0>20}.log");
    for name in ["1", "2", "3", "4"] {
        put(tree.path(), &at(name), name.repeat(1000).as_bytes());
    }
    let plan = Plan::of_path(tree.path()).unwrap();
    let path = |name: &str| tree.path().join(at(name));
    File::options().append(true).open(path("1")).unwrap().write_all(b"grown").unwrap();
    File::options().write(true).open(path("2")).unwrap().set_len(10).unwrap();
    fs::remove_file(path("3")).unwrap();
    fs::rename(path("4"), path("5")).unwrap();
    fs::write(path("4"), "another file of that name").unwrap();
    let bundle = unmasked(plan, &unlimited()).unwrap();
    let content = content(&bundle.zip);
    assert_eq!(content[&at("1")], "1".repeat(1000).as_bytes());
    assert_eq!(content[&at("2")], b"2222222222");
    let cuts: Vec<_> = bundle.section.entries.iter().map(|entry| (entry.name.as_str(), entry.cut.clone())).collect();
    let mut cuts = cuts;
    cuts.sort_by_key(|(name, _)| *name);
    assert_eq!(
        cuts,
        [(at("1").as_str(), None), (at("2").as_str(), Some(Cut { reason: Reason::Shrank, of_bytes: 1000 }))]
    );
    let mut missing = left_out(&bundle);
    missing.sort_unstable();
    assert_eq!(missing, [(at("3").as_str(), "vanished"), (at("4").as_str(), "vanished")]);
    assert!(!bundle.section.complete);
}

#[test]
fn a_directory_that_is_written_to_meanwhile_is_bundled_whole_up_to_the_cut() {
    let tree = tempfile::tempdir().unwrap();
    let line = b"2026-11-24T04:18:52.792805Z  INFO main: a message of a server that does not stop for us\n";
    put(tree.path(), "logs/iggy-server.log", &line.repeat(2000));
    put(tree.path(), SEGMENT, &line.repeat(20_000));
    let writing = AtomicBool::new(true);
    let (bundle, planned) = thread::scope(|scope| {
        scope.spawn(|| append_while(&writing, tree.path(), line));
        let plan = Plan::of_path(tree.path()).unwrap();
        let planned = plan.size_bytes();
        let bundle = masked(plan, &unlimited());
        writing.store(false, Ordering::Relaxed);
        (bundle.unwrap(), planned)
    });
    assert!(bundle.section.complete, "{:?}", left_out(&bundle));
    assert_eq!(bundle.section.size_bytes, planned);
    let now = fs::read(tree.path().join(SEGMENT)).unwrap();
    assert!(now.starts_with(&content(&bundle.zip)[SEGMENT]));
}

fn append_while(writing: &AtomicBool, tree: &Path, line: &[u8]) {
    let mut files =
        ["logs/iggy-server.log", SEGMENT].map(|name| File::options().append(true).open(tree.join(name)).unwrap());
    while writing.load(Ordering::Relaxed) {
        for file in &mut files {
            file.write_all(line).unwrap();
        }
        thread::yield_now();
    }
}
