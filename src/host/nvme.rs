//! Collector of NVMe drives.

use std::fs::File;

use super::collector::{Collect, Collector, Stage};
use super::gap::gap;
use super::root::Host;
use super::scene::Scene;
use super::sys;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::nvme::{Health, NVME, NvmeDrive};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(NVME, Stage::Facts, drives)];

const FOLDER: &str = "/sys/class/nvme";
/// Drives that are looked at.
const DRIVES_MAX: usize = 64;
/// What makes a drive answer.
const UNLOCK: &str = "CAP_SYS_ADMIN and the device in /dev, or run as root";

/// Absent on a host without NVMe.
fn drives(scene: &Scene) -> Observed<Vec<NvmeDrive>> {
    let host = &scene.host;
    let names = host.list(FOLDER)?;
    let drives: Vec<NvmeDrive> =
        names.iter().filter(|name| is_controller(name)).take(DRIVES_MAX).map(|name| drive(host, name)).collect();
    if drives.is_empty() { Err(Gap::absent(format!("{FOLDER} names no drive"))) } else { Ok(drives) }
}

/// `nvme0`, and nothing that could leave the folder of devices.
fn is_controller(name: &str) -> bool {
    name.strip_prefix("nvme")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn drive(host: &Host, name: &str) -> NvmeDrive {
    let read = |file: &str| host.trimmed(&format!("{FOLDER}/{name}/{file}")).unwrap_or_default();
    let health = host.call(&format!("{name}-health"), || {
        let path = format!("/dev/{name}");
        // Not a regular file, and opening it changes nothing.
        let device = File::open(&path).map_err(|error| gap(&error, &path))?;
        sys::nvme_health(&device).map(|page| Health::parse(&page)).map_err(|errno| match errno {
            libc::EACCES | libc::EPERM => Gap::denied(format!("{name} does not tell its health to this user"), UNLOCK),
            libc::ENOTTY | libc::EINVAL => Gap::absent(format!("{name} knows no page of health information")),
            errno => Gap::broken(format!("{name} did not answer [status {errno}]")),
        })
    });
    NvmeDrive {
        name: name.to_owned(),
        model: read("model"),
        firmware: read("firmware_rev"),
        state: read("state"),
        transport: read("transport"),
        temperature_milli: temperature(host, name),
        health,
    }
}

/// The drive's own sensor, which anybody may read, with the temperature from which on it warns.
fn temperature(host: &Host, name: &str) -> Option<(i64, Option<i64>)> {
    let inside = host.list(&format!("{FOLDER}/{name}")).ok()?;
    let sensor = inside.iter().find(|inner| inner.starts_with("hwmon") && inner.len() > "hwmon".len())?;
    let read = |file: &str| host.value::<i64>(&format!("{FOLDER}/{name}/{sensor}/{file}")).ok();
    Some((read("temp1_input")?, read("temp1_max")))
}

#[cfg(test)]
mod tests {
    use super::super::scene::testing::{scene, write};
    use super::*;
    use crate::domain::gap::GapReason;

    #[test]
    fn a_drive_is_described_without_its_serial_number() {
        let tree = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("model", "ACME 4TB   \n"),
            ("firmware_rev", "1.0\n"),
            ("state", "live\n"),
            ("transport", "pcie\n"),
            ("serial", "S3CR3T\n"),
            ("hwmon3/temp1_input", "41850\n"),
            ("hwmon3/temp1_max", "81850\n"),
        ] {
            write(tree.path(), &format!("sys/class/nvme/nvme0/{file}"), text);
        }
        let seen = drives(&scene(Host::recorded(tree.path()).unwrap())).unwrap();
        assert_eq!((seen.len(), seen[0].model.as_str(), seen[0].state.as_str()), (1, "ACME 4TB", "live"));
        assert_eq!(seen[0].temperature_milli, Some((41_850, Some(81_850))));
        assert_eq!(seen[0].health.as_ref().unwrap_err().reason, GapReason::Absent);
        assert!(!format!("{seen:?}").contains("S3CR3T"));
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(drives(&scene(Host::recorded(empty.path()).unwrap())).unwrap_err().reason, GapReason::Absent);
    }

    #[test]
    fn only_controllers_are_opened() {
        for (name, expected) in
            [("nvme0", true), ("nvme12", true), ("nvme", false), ("nvme0n1", false), ("../x", false)]
        {
            assert_eq!(is_controller(name), expected, "{name}");
        }
    }
}
