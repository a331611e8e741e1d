//! The one-shot command, as the real binary: what it writes, prints and answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot start the program has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn collect(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapvisor"));
    command.arg("collect").args(arguments).current_dir(directory).env_clear();
    command.env("SNAPVISOR_SNAPSHOT_SAMPLING_MS", "50");
    command
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn names(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn it_writes_one_archive_for_its_owner_alone_and_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let text = done(&collect(directory.path(), &["--include-iggy", "false"]).output().unwrap());
    let archives = names(directory.path());
    let [archive] = archives.as_slice() else { panic!("{archives:?}") };
    assert_eq!(fs::metadata(archive).unwrap().permissions().mode() & 0o777, 0o600);
    let name = archive.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("snapshot-"), "{name}");
    assert_eq!(archive.extension().unwrap(), "zip");
    assert!(text.lines().last().unwrap().contains(name), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where there is no terminal: {text}");
    let mut zip = zip::ZipArchive::new(fs::File::open(archive).unwrap()).unwrap();
    let entries: Vec<String> =
        (0..zip.len()).map(|at| zip.by_index(at).unwrap().name().unwrap().into_owned()).collect();
    assert_eq!(entries, ["report.html", "report.json", "manifest.json"]);
}

#[test]
fn json_is_the_report_itself_and_output_is_taken_at_its_word() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--include-iggy", "false", "--format", "json", "--output", "node.zip"];
    let report: Value = serde_json::from_str(&done(&collect(directory.path(), &arguments).output().unwrap())).unwrap();
    assert!(report["schema"].as_str().unwrap().starts_with("snapvisor-report/"), "{}", report["schema"]);
    assert!(!report["checks"].as_array().unwrap().is_empty());
    assert_eq!(names(directory.path()), [directory.path().join("node.zip")]);
}

#[test]
fn clear_text_is_loud_and_a_node_may_forbid_it() {
    for (allowed, loud) in [("true", true), ("false", false)] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = collect(directory.path(), &["--include-iggy", "false", "--redact-secrets", "false"]);
        let text = done(&command.env("SNAPVISOR_SNAPSHOT_ALLOW_UNREDACTED", allowed).output().unwrap());
        let archive = names(directory.path()).remove(0);
        assert_eq!(archive.to_str().unwrap().ends_with("-UNREDACTED.zip"), loud, "{}", archive.display());
        let refused = "left out: clear text: this node does not give it (snapshot.allow_unredacted = false)";
        assert_eq!(text.lines().any(|line| line == refused), !loud, "{text}");
    }
}

#[test]
fn fail_on_tells_scripts_how_bad_it_is() {
    let directory = tempfile::tempdir().unwrap();
    for threshold in ["warn", "fail"] {
        let arguments = ["--include-iggy", "false", "--format", "json", "--fail-on", threshold];
        let output = collect(directory.path(), &arguments).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let counts = &report["summary"]["counts"];
        let bad =
            counts["fail"].as_u64().unwrap() + if threshold == "warn" { counts["warn"].as_u64().unwrap() } else { 0 };
        assert_eq!(output.status.code(), Some(i32::from(bad > 0)), "{counts}");
    }
}

#[test]
fn an_output_that_no_archive_can_go_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (given, told) in [
        ("missing/node.zip", "there is no directory missing"),
        ("-", "an archive is written into a file, not to standard output"),
    ] {
        let output = collect(directory.path(), &["--output", given]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, format!("error: --output: {told}\n"));
    }
    assert!(names(directory.path()).is_empty());
}

/// A directory that looks like a data directory of Iggy's.
fn iggy_data(directory: &Path) -> PathBuf {
    let data = directory.join("local_data");
    for name in ["state", "streams", "runtime"] {
        fs::create_dir_all(data.join(name)).unwrap();
    }
    data
}

#[test]
fn nothing_is_ever_written_into_a_data_directory_of_iggys() {
    let directory = tempfile::tempdir().unwrap();
    let data = iggy_data(directory.path());
    for arguments in [
        ["--output", "local_data", "--include-iggy", "false"],
        ["--output", "local_data/state/node.zip", "--include-iggy", "false"],
        ["--record", "local_data/tree", "--include-iggy", "false"],
    ] {
        let output = collect(directory.path(), &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("is in a data directory of Iggy's"), "{stderr}");
        assert_eq!((names(&data).len(), names(&data.join("state")).len()), (3, 0), "{arguments:?}");
    }
}

#[test]
fn what_is_no_file_is_not_replaced_and_a_recording_is_not_mixed_with_another() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
    fs::create_dir(directory.path().join("tree")).unwrap();
    fs::write(directory.path().join("tree/old"), "").unwrap();
    for (arguments, says) in [
        (["--output", "pipe"], "pipe is there and is no file"),
        (["--output", "missing/"], "there is no directory missing/"),
        (["--record", "tree"], "tree is not empty"),
        (["--root", "nowhere"], "--root: there is no directory nowhere"),
    ] {
        let output = collect(directory.path(), &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(says), "{stderr}");
    }
    assert_eq!(names(directory.path()).len(), 2);
}

#[test]
fn a_cancel_ends_the_child_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = collect(directory.path(), &["--include-iggy", "false"]);
    let child = command.env("SNAPVISOR_SNAPSHOT_SAMPLING_MS", "60000").stderr(Stdio::piped()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let examining = loop {
        // The child is started by the main thread, after the signals are handled.
        if let Some(pid) = fs::read_to_string(&children).unwrap().split_whitespace().next() {
            break pid.to_owned();
        }
        std::thread::yield_now();
    };
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let expected = format!(
        "error: no archive was written to {}: the snapshot of this node was cancelled\n",
        directory.path().display()
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
    assert_eq!(names(directory.path()), Vec::<PathBuf>::new());
    assert!(!Path::new("/proc").join(examining).exists());
}

#[test]
fn a_dry_run_says_what_would_be_bundled_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/iggy-0.8.0-killed");
    let arguments = ["--dry-run", "--iggy-data-dir", data.to_str().unwrap()];
    let text = done(&collect(folder.path(), &arguments).output().unwrap());
    let first = text.lines().next().unwrap();
    assert!(first.starts_with(&format!("{}: layout 0.8, ", data.display())), "{first}");
    assert!(text.contains("streams/0/topics/0/partitions/1/00000000000000070000.log"), "{text}");
    assert_eq!(names(folder.path()), [] as [PathBuf; 0]);
}
