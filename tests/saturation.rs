//! A snapshot of a host whose processors are all taken, for real: `make test-saturation`.
//!
//! Eight loops of normal priority and the snapshot, which gives itself the lowest, share one processor, so the snapshot
//! gets less than a hundredth of it. What it asks of the host answers at once all the same, so nothing may be lost.

#![expect(clippy::unwrap_used, reason = "a host that cannot be made busy has failed the test")]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;

/// Loops that take the processor.
const LOOPS: usize = 8;

/// Loops that end with the test.
struct Busy(Vec<Child>);

impl Busy {
    fn start() -> Self {
        let one = || {
            let mut shell = Command::new("sh");
            shell.args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn().unwrap()
        };
        Self((0..LOOPS).map(|_| one()).collect())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// This thread, and what it starts from now on, runs on one processor alone.
fn on_one_processor() {
    let allowed = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).find(|&cpu| allowed.is_set(cpu)).unwrap());
    sched_setaffinity(None, &one).unwrap();
}

/// The report of a snapshot, as `nobody` where we may choose.
fn snapshot() -> Value {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let program = folder.path().join("snapvisor");
    std::fs::copy(env!("CARGO_BIN_EXE_snapvisor"), &program).unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program);
        setpriv
    } else {
        Command::new(&program)
    };
    command.args(["collect", "--include-iggy", "false", "--format", "json", "--output", "out.zip"]);
    let output = command.current_dir(folder.path()).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Check → the reason why it was skipped.
fn skipped(report: &Value) -> BTreeMap<String, String> {
    let skipped = report["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == "skip");
    skipped.map(|check| (check["id"].as_str().unwrap().to_owned(), check["summary"].to_string())).collect()
}

fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap()
}

#[test]
#[ignore = "takes a processor for minutes"]
fn a_host_without_a_free_processor_costs_time_and_no_check() {
    let idle = snapshot();
    on_one_processor();
    let busy = Busy::start();
    let started = Instant::now();
    let report = snapshot();
    let took = started.elapsed();
    drop(busy);
    println!("{took:?}; {}", check(&report, "self.agent")["summary"]);
    assert_eq!(skipped(&report), skipped(&idle));
    let waited = check(&report, "self.agent")["summary"].as_str().unwrap().contains("waited");
    assert!(waited, "the host was not busy: {}", check(&report, "self.agent")["summary"]);
    assert_ne!(check(&report, "disk.stuck")["verdict"], "fail");
}
