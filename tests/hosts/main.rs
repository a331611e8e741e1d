//! Recorded hosts, and what an expert would say of each.
//!
//! A `.host` file is a host: its own recording, or another host with changes (the format stands in `host.rs`). The real
//! binary plays each one back; verdicts and sentences are compared with `expected/`, which `UPDATE_GOLDEN=1` rewrites.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its recordings has failed")]

mod host;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use host::Host;
use serde_json::Value;

/// What one check said: verdict, severity and sentence.
struct Said {
    verdict: String,
    severity: String,
    summary: String,
}

/// What the checks said of a host, in the order of the report.
struct Verdicts(Vec<(String, Said)>);

impl Verdicts {
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        Host::read(name).write(&tree);
        let output = Command::new(env!("CARGO_BIN_EXE_snapvisor"))
            .args(["collect", "--include-iggy", "false", "--format", "json", "--output", "out.zip", "--root"])
            .arg(&tree)
            .current_dir(folder.path())
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report["failure"].is_null(), "{name}: {}", report["failure"]);
        let word = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
        let said = |check: &Value| {
            let [id, verdict, severity, summary] =
                ["id", "verdict", "severity", "summary"].map(|field| word(check, field));
            (id, Said { verdict, severity, summary })
        };
        Self(report["checks"].as_array().unwrap().iter().map(said).collect())
    }

    fn find(&self, id: &str) -> &Said {
        &self.0.iter().find(|(known, _)| known == id).unwrap_or_else(|| panic!("no check {id}")).1
    }

    /// Those that an operator would be woken or bothered for.
    fn bad(&self) -> BTreeMap<&str, &str> {
        let bad = self.0.iter().filter(|(_, said)| ["warn", "fail"].contains(&said.verdict.as_str()));
        bad.map(|(id, said)| (id.as_str(), said.verdict.as_str())).collect()
    }

    /// As `expected/` keeps them.
    fn text(&self) -> String {
        self.0.iter().fold(String::new(), |text, (id, said)| {
            text + &format!("{:<4}  {id:<20}  {}\n", said.verdict, said.summary.replace('\n', " "))
        })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts")
}

fn golden(name: &str) {
    let path = folder().join(format!("expected/{name}.txt"));
    let text = Verdicts::of(name).text();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
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
    let verdicts = Verdicts::of("bare-metal");
    assert_eq!(verdicts.bad(), BTreeMap::new());
    let seen = verdicts.0.iter().filter(|(_, said)| said.verdict != "skip").count();
    assert!(seen > 60, "a host of which little is known proves nothing: {seen}");
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

/// `SNAPVISOR_RECORDING=tree:name` takes what `collect --record tree` wrote into `name.host`. Read it before it is kept:
/// secrets are masked, names and addresses are not.
#[test]
#[ignore = "makes a recording part of the repository"]
fn take_a_recording() {
    let recording = std::env::var("SNAPVISOR_RECORDING").unwrap();
    let (tree, name) = recording.split_once(':').unwrap();
    fs::write(folder().join(format!("{name}.host")), Host::recorded(Path::new(tree)).text()).unwrap();
}
