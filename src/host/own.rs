//! Collector of what the snapshot itself has used; last, so that it has seen most of it.

use super::collector::{Collect, Collector, Stage};
use super::processes::status_field;
use super::scalar::counter;
use super::scene::Scene;
use super::sys;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::own::{OWN, OwnProcess};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(OWN, Stage::Rates, own)];

fn own(scene: &Scene) -> Observed<OwnProcess> {
    // One value of ours, not files: a recorded tree must not hold what the recorder's own process was.
    scene.host.call("own_process", live)
}

fn live() -> Observed<OwnProcess> {
    let refused = |error| Gap::broken(format!("getrusage: {error}"));
    let (own, children) = (sys::own_usage().map_err(refused)?, sys::children_usage().map_err(refused)?);
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let bits = |name: &str, radix| status_field(&status, name).and_then(|text| u64::from_str_radix(text, radix).ok());
    let open_files = std::fs::read_dir("/proc/self/fd").map(|names| names.count() as u64);
    Ok(OwnProcess {
        pid: std::process::id(),
        user_us: own.user_us + children.user_us,
        system_us: own.system_us + children.system_us,
        resident_max_bytes: own.resident_max_bytes.max(children.resident_max_bytes),
        threads: status_field(&status, "Threads").and_then(|text| text.parse().ok()),
        // The directory that counts them is one of them.
        open_files: open_files.ok().map(|count| count.saturating_sub(1)),
        read_bytes: counter(&read("/proc/self/io"), "rchar"),
        nice: rustix::process::getpriority_process(None).unwrap_or(0),
        uid: rustix::process::geteuid().as_raw(),
        capabilities: bits("CapEff", 16).unwrap_or(0),
        seccomp: bits("Seccomp", 10).and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_described() {
        let own = live().unwrap();
        assert_eq!(own.pid, std::process::id());
        assert!(own.resident_max_bytes > 0 && own.threads > Some(0) && own.open_files > Some(0), "{own:?}");
    }
}
