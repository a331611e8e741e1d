//! Recorded hosts, and what an expert would say of each.
//!
//! A `.host` file is a host: its own recording, or another host with changes (the format stands in `host.rs`). The real
//! binary plays each one back; verdicts and sentences, `report.json` and of two hosts the page are compared with `expected/`,
//! which `UPDATE_GOLDEN=1` rewrites.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its recordings has failed")]

mod host;
mod normal;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use host::Host;
use normal::{Normal, Report};
use serde_json::Value;
use snapvisor::report::diff;

/// What one check said: verdict, severity and sentence.
struct Said {
    verdict: String,
    severity: String,
    summary: String,
}

/// Takes a snapshot in this folder: what is printed, and the report of the archive.
fn collect(folder: &Path, arguments: &[&str]) -> (Vec<u8>, Report) {
    let output = Command::new(env!("CARGO_BIN_EXE_snapvisor"))
        .args(["collect", "--include-iggy", "false", "--format", "json", "--output", "out.zip"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (output.stdout, snapvisor::archive::read_report(&folder.join("out.zip")).unwrap())
}

/// What the checks said of a host, in the order of the report, and the report of its archive.
struct Verdicts(Vec<(String, Said)>, Report);

impl Verdicts {
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        Host::read(name).write(&tree);
        let (json, archived) = collect(folder.path(), &["--root", tree.to_str().unwrap()]);
        let report: Value = serde_json::from_slice(&json).unwrap();
        assert!(report["failure"].is_null(), "{name}: {}", report["failure"]);
        let word = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
        let said = |check: &Value| {
            let [id, verdict, severity, summary] =
                ["id", "verdict", "severity", "summary"].map(|field| word(check, field));
            (id, Said { verdict, severity, summary })
        };
        Self(report["checks"].as_array().unwrap().iter().map(said).collect(), archived)
    }

    fn find(&self, id: &str) -> &Said {
        &self.0.iter().find(|(known, _)| known == id).unwrap_or_else(|| panic!("no check {id}")).1
    }

    /// Those that an operator would be woken or bothered for.
    fn bad(&self) -> BTreeMap<&str, &str> {
        let bad = self.0.iter().filter(|(_, said)| ["warn", "fail"].contains(&said.verdict.as_str()));
        bad.map(|(id, said)| (id.as_str(), said.verdict.as_str())).collect()
    }
}

/// The verdicts as `expected/` keeps them.
fn text(said: &[(String, Said)]) -> String {
    said.iter().fold(String::new(), |text, (id, said)| {
        text + &format!("{:<4}  {id:<20}  {}\n", said.verdict, said.summary.replace('\n', " "))
    })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts")
}

/// The hosts whose page is kept, too: one on which much is wrong, and one on which much cannot be seen.
const PAGES: &[&str] = &["sick", "hidepid"];

/// What a file of `expected/` holds; `now`, and the file with it, when `UPDATE_GOLDEN` is set.
fn kept(file: &str, now: &str) -> String {
    let path = folder().join("expected").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, now).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_default()
}

/// Compares with a file of `expected/`, line by line.
fn whole(file: &str, now: &str) {
    let was = kept(file, now);
    let differs = was.lines().zip(now.lines()).enumerate().find(|(_, (was, now))| was != now);
    if let Some((at, (was, now))) = differs {
        panic!("{file}, line {} (UPDATE_GOLDEN=1 writes it anew):\n- {was}\n+ {now}", at + 1);
    }
    assert_eq!(was.len(), now.len(), "{file}: one is longer (UPDATE_GOLDEN=1 writes it anew)");
}

fn golden(name: &str) {
    let Verdicts(said, report) = Verdicts::of(name);
    let report = Normal::of(report);
    whole(&format!("{name}.json"), &report.json());
    if PAGES.contains(&name) {
        whole(&format!("{name}.html"), &report.page());
    }
    let text = text(&said);
    let expected = kept(&format!("{name}.txt"), &text);
    let changed: Vec<String> = text
        .lines()
        .filter(|line| !expected.lines().any(|other| other == *line))
        .map(|line| format!("+ {line}"))
        .chain(
            expected.lines().filter(|line| !text.lines().any(|other| other == *line)).map(|line| format!("- {line}")),
        )
        .collect();
    assert!(
        text == expected,
        "{name} is judged in another way (UPDATE_GOLDEN=1 writes it down):\n{}",
        changed.join("\n")
    );
}

#[test]
fn every_host_is_judged_as_written_down() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".host")?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        golden(&name);
    }
}

#[test]
fn a_healthy_host_is_left_alone() {
    for (name, seen_min) in [("bare-metal", 60), ("connectors", 85)] {
        let verdicts = Verdicts::of(name);
        assert_eq!(verdicts.bad(), BTreeMap::new(), "{name}");
        let seen = verdicts.0.iter().filter(|(_, said)| said.verdict != "skip").count();
        assert!(seen > seen_min, "a host of which little is known proves nothing: {name}, {seen}");
    }
}

#[test]
fn each_illness_of_the_sick_host_is_found() {
    let verdicts = Verdicts::of("sick");
    for (id, verdict, severity, named) in SICK {
        let said = verdicts.find(id);
        assert_eq!((said.verdict.as_str(), said.severity.as_str()), (*verdict, *severity), "{id}: {}", said.summary);
        assert!(said.summary.contains(named), "{id} does not name {named}: {}", said.summary);
    }
    let expected: BTreeMap<&str, &str> = SICK.iter().map(|(id, verdict, _, _)| (*id, *verdict)).collect();
    assert_eq!(verdicts.bad(), expected, "and nothing else is found");
}

/// What is wrong with the sick host: check, verdict, severity, and what the sentence names.
const SICK: &[(&str, &str, &str, &str)] = &[
    ("uring.probe", "fail", "critical", "EPERM"),
    ("uring.sysctl", "fail", "critical", "kernel.io_uring_disabled is 2"),
    ("limits.memlock", "fail", "critical", "64.0 KiB"),
    ("mem.swap", "warn", "medium", "swap"),
    ("mem.thp", "warn", "medium", "huge page"),
    ("disk.space", "fail", "critical", "/var/lib/iggy"),
    ("net.tcp-states", "warn", "medium", "port 8090"),
    ("systemd.state", "warn", "high", "backup.service"),
    ("tls.files", "fail", "critical", "/etc/iggy/tls/chain.pem"),
    // The server still serves it.
    ("tls.listener", "fail", "high", "10.20.0.11:8090"),
];

#[test]
fn a_node_without_iggy_is_no_broken_node() {
    let verdicts = Verdicts::of("no-iggy");
    assert_eq!(verdicts.find("proc.iggy").verdict, "info");
    let iggy = verdicts.0.iter().filter(|(id, _)| id.starts_with("iggy.") || id.starts_with("tls."));
    for (id, said) in iggy {
        assert_eq!(said.verdict, "skip", "{id}: {}", said.summary);
    }
}

#[test]
fn a_host_without_systemd_loses_its_units_alone() {
    let (with, without) = (Verdicts::of("debian-vm"), Verdicts::of("no-systemd"));
    for ((id, one), (_, other)) in with.0.iter().zip(&without.0) {
        if !id.starts_with("systemd.") && !id.starts_with("self.") {
            assert_eq!(one.verdict, other.verdict, "{id}: {}", other.summary);
        }
    }
}

/// What differs between two hosts, as `report diff` prints it. Each line was read: none is there because time passed.
#[test]
fn two_hosts_differ_in_what_an_expert_would_name() {
    for (first, second) in [("bare-metal", "sick"), ("debian-vm", "bare-metal"), ("debian-vm", "container")] {
        let [before, after] = [first, second].map(|name| Verdicts::of(name).1);
        let text = diff::compare(&before, &after).text();
        // The names of the snapshots have the time of this run in them.
        let text: String = text.lines().skip(2).map(|line| line.to_owned() + "\n").collect();
        whole(&format!("{first}-{second}.diff"), &text);
    }
}

#[test]
fn a_host_does_not_differ_from_itself() {
    let [before, after] = ["debian-vm"; 2].map(|name| Verdicts::of(name).1);
    assert_eq!(diff::compare(&before, &after).headline(), "Nothing changed.");
}

#[test]
#[ignore = "writes the pages that `make report-pictures` and `make report-bench` open, to the directory that REPORT_OUT names"]
fn write_the_pages() {
    let out = PathBuf::from(std::env::var("REPORT_OUT").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (_, machine) = collect(folder.path(), &[]);
    let recorded = ["sick", "bare-metal", "debian-vm"].map(|name| (name, Verdicts::of(name).1));
    for (name, report) in recorded.into_iter().chain([("machine", machine)]) {
        fs::write(out.join(format!("{name}.html")), snapvisor::report::html::render(&report)).unwrap();
    }
}

/// `SNAPVISOR_RECORDING=tree:name` takes what `collect --record tree` wrote into `name.host`. Read it before it is kept:
/// secrets are masked, names and addresses are not.
#[test]
#[ignore = "makes a recording part of the repository"]
fn take_a_recording() {
    let recording = std::env::var("SNAPVISOR_RECORDING").unwrap();
    let (tree, name) = recording.split_once(':').unwrap();
    fs::write(folder().join(format!("{name}.host")), Host::recorded(Path::new(tree)).text()).unwrap();
}
