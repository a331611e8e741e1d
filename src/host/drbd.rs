//! Collector of mirrored disks: /proc/drbd, and for version 9, which shows nothing there, its debugging files.

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::drbd::{DRBD, Drbd, DrbdDisk, disks, version};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(DRBD, Stage::Facts, drbd)];

const TABLE: &str = "/proc/drbd";
/// Where version 9 shows each resource; only root may look, and only where debugfs is mounted.
const RESOURCES: &str = "/sys/kernel/debug/drbd/resources";
/// Names that are followed on each level.
const NAMES_MAX: usize = 256;
/// What brings the state of version 9.
const UNLOCK: &str = "run as root with debugfs mounted, or look by hand: drbdsetup status --verbose --statistics";

fn drbd(scene: &Scene) -> Observed<Drbd> {
    let host = &scene.host;
    let text = host.text(TABLE)?;
    let version = version(&text).unwrap_or_default().to_owned();
    if !version.starts_with('9') {
        return Ok(Drbd { version, disks: disks(&text, |number| format!("drbd{number}")) });
    }
    let resources = host.list(RESOURCES).map_err(|gap| {
        Gap::denied(format!("DRBD {version} shows its state in {RESOURCES} alone, and {}", gap.detail), UNLOCK)
    })?;
    let disks = resources.iter().take(NAMES_MAX).flat_map(|resource| of_resource(host, resource)).collect();
    Ok(Drbd { version, disks })
}

/// `RESOURCE/connections/PEER/VOLUME/proc_drbd`.
fn of_resource(host: &Host, resource: &str) -> Vec<DrbdDisk> {
    let folder = format!("{RESOURCES}/{resource}/connections");
    let mut found = Vec::new();
    for peer in host.list(&folder).unwrap_or_default().iter().take(NAMES_MAX) {
        for volume in host.list(&format!("{folder}/{peer}")).unwrap_or_default().iter().take(NAMES_MAX) {
            if let Ok(text) = host.text(&format!("{folder}/{peer}/{volume}/proc_drbd")) {
                found.extend(disks(&text, |_| format!("{resource}/{peer}/{volume}")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::scene::testing::{scene, write};
    use super::*;
    use crate::domain::gap::GapReason;

    #[test]
    fn both_versions_are_read_and_none_is_absent() {
        let tree = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| write(tree.path(), path, text);
        let seen = || drbd(&scene(Host::recorded(tree.path()).unwrap()));
        assert_eq!(seen().unwrap_err().reason, GapReason::Absent);
        write("proc/drbd", "version: 9.1.2 (api:2/proto:86-121)\n");
        assert_eq!(seen().unwrap_err().reason, GapReason::Denied);
        let line = " 0: cs:Established ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n    ns:1 oos:0\n";
        write("sys/kernel/debug/drbd/resources/iggy/connections/node-2/0/proc_drbd", line);
        let found = seen().unwrap();
        assert_eq!((found.disks.len(), found.disks[0].name.as_str()), (1, "iggy/node-2/0"));
        write("proc/drbd", &format!("version: 8.4.11 (api:1)\n{}", line.replace("Established", "Connected")));
        assert_eq!(seen().unwrap().disks[0].name, "drbd0");
    }
}
