//! Old archives, read again by the real binary: rendered, and compared.

#![expect(clippy::unwrap_used, reason = "a test that cannot start the program has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn snapvisor(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapvisor"));
    command.args(arguments).current_dir(directory).env_clear().env("SNAPVISOR_SNAPSHOT_SAMPLING_MS", "50");
    command.output().unwrap()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn collect(directory: &Path, name: &str, more: &[&str]) {
    let arguments = [&["collect", "--include-iggy", "false", "--output", name][..], more].concat();
    done(&snapvisor(directory, &arguments));
}

fn entry(archive: &Path, name: &str) -> String {
    let mut zip = zip::ZipArchive::new(fs::File::open(archive).unwrap()).unwrap();
    std::io::read_to_string(zip.by_name(name).unwrap()).unwrap()
}

/// A recorded tree of a host of this name, with this kernel parameter.
fn tree(root: &Path, name: &str, swappiness: &str) {
    let kernel = root.join("proc/sys/kernel");
    let vm = root.join("proc/sys/vm");
    fs::create_dir_all(&kernel).unwrap();
    fs::create_dir_all(&vm).unwrap();
    fs::write(kernel.join("hostname"), format!("{name}\n")).unwrap();
    fs::write(kernel.join("osrelease"), "6.8.0-49-generic\n").unwrap();
    fs::write(vm.join("swappiness"), format!("{swappiness}\n")).unwrap();
}

#[test]
fn a_rendered_archive_is_the_page_that_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    collect(directory.path(), "node.zip", &[]);
    let text = done(&snapvisor(directory.path(), &["report", "render", "node.zip"]));
    assert_eq!(text, "node.html\n");
    let page = directory.path().join("node.html");
    assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    let rendered = fs::read_to_string(&page).unwrap();
    assert!(rendered == entry(&directory.path().join("node.zip"), "report.html"), "the pages differ");
    assert!(done(&snapvisor(directory.path(), &["report", "render", "node.zip", "--output", "-"])) == rendered);
}

#[test]
fn what_is_no_archive_of_ours_is_named_and_an_archive_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("other.zip"), "hello").unwrap();
    let output = snapvisor(directory.path(), &["report", "render", "other.zip"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: the report of other.zip cannot be read: not an archive of this program: it is no ZIP\n"
    );
    collect(directory.path(), "node.zip", &[]);
    let was = fs::read(directory.path().join("node.zip")).unwrap();
    let output = snapvisor(directory.path(), &["report", "diff", "node.zip", "node.zip", "--output", "./node.zip"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(fs::read(directory.path().join("node.zip")).unwrap() == was);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "no part is left");
}

#[test]
fn two_recorded_nodes_differ_in_what_was_set_differently_and_in_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    for (name, swappiness) in [("iggy-01", "1"), ("iggy-02", "60")] {
        tree(&directory.path().join(name), name, swappiness);
        collect(directory.path(), &format!("{name}.zip"), &["--root", name]);
    }
    let text = done(&snapvisor(directory.path(), &["report", "diff", "iggy-01.zip", "iggy-02.zip"]));
    assert!(text.starts_with("- iggy-01, snapshot-"), "{text}");
    let changed: Vec<&str> = text.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect();
    assert!(changed.contains(&"- 1") && changed.contains(&"+ 60"), "{text}");
    assert!(text.contains("  vm.swappiness ("), "{text}");
    assert_eq!(text.matches("setting differs").count(), 1, "one setting and no more: {text}");
    assert!(!text.contains("hostname"), "{text}");
    assert!(text.ends_with("\ndiff-iggy-01-iggy-02.html\n"), "{text}");
    let page = fs::read_to_string(directory.path().join("diff-iggy-01-iggy-02.html")).unwrap();
    assert!(page.contains("Second node") && page.contains("vm.swappiness"));
}

#[test]
fn two_snapshots_of_this_machine_one_after_the_other_have_the_same_settings() {
    let directory = tempfile::tempdir().unwrap();
    collect(directory.path(), "first.zip", &[]);
    collect(directory.path(), "second.zip", &["--previous", "first.zip"]);
    let text = done(&snapvisor(directory.path(), &["report", "diff", "first.zip", "second.zip"]));
    // Whoever else works on this machine may listen on a port, or mount an image, in between: that is a real change.
    let by_others = ["(Listening sockets)", "(Interfaces)", "(Scheduler, read-ahead and merges)", "(Mount options"];
    let settings = text.split("\nSettings\n").nth(1).unwrap_or_default();
    let names = settings.lines().filter(|line| line.starts_with("  ") && !line.starts_with("    "));
    let noise: Vec<&str> = names.filter(|line| !by_others.iter().any(|title| line.contains(title))).collect();
    assert_eq!(noise, Vec::<&str>::new(), "nobody changed a setting: {text}");

    let [first, second] = ["first.zip", "second.zip"]
        .map(|name| serde_json::from_str::<Value>(&entry(&directory.path().join(name), "report.json")).unwrap());
    let verdicts = |report: &Value| -> Vec<(String, String)> {
        let checks = report["checks"].as_array().unwrap().iter();
        checks.map(|check| (check["id"].to_string(), check["verdict"].to_string())).collect()
    };
    // Between pass and information nothing has become better or worse.
    let fine = |(_, verdict): &(String, String)| ["\"pass\"", "\"info\""].contains(&verdict.as_str());
    let pairs = verdicts(&first).into_iter().zip(verdicts(&second));
    let moved: Vec<_> = pairs.filter(|(was, is)| was != is && !(fine(was) && fine(is))).collect();
    let changes = &second["changes"];
    assert_eq!(changes["since"], first["snapshot"]["name"]);
    assert_eq!(changes["checks"].as_array().unwrap().len(), moved.len(), "{changes} {moved:?}");
    assert_eq!(first["changes"], Value::Null);
}
