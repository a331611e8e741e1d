//! The hardware, the hypervisor and the cloud, without a serial number and without asking the network.

use std::collections::BTreeMap;

use super::super::root::Host;
use super::super::scalar::counter;
use super::super::scene::Scene;
use super::sys;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::system::{Platform, Virtualised};

/// Fields of the firmware's tables that name a kind of machine. Those that name one machine (serial numbers, UUIDs,
/// asset tags) are never read into evidence.
const FIRMWARE: &[&str] = &[
    "sys_vendor",
    "product_name",
    "product_version",
    "board_vendor",
    "board_name",
    "bios_vendor",
    "bios_version",
    "bios_date",
];

/// Clouds by the beginning of a firmware field.
const CLOUDS: &[(&str, &str, &str)] = &[
    ("sys_vendor", "Amazon EC2", "Amazon EC2"),
    ("bios_version", "amazon", "Amazon EC2 (Xen)"),
    ("sys_vendor", "Google", "Google Compute Engine"),
    ("sys_vendor", "DigitalOcean", "DigitalOcean"),
    ("sys_vendor", "Hetzner", "Hetzner"),
    ("sys_vendor", "Alibaba Cloud", "Alibaba Cloud"),
    ("sys_vendor", "Tencent Cloud", "Tencent Cloud"),
    ("sys_vendor", "OpenStack", "OpenStack"),
    ("product_name", "OpenStack", "OpenStack"),
    ("sys_vendor", "Scaleway", "Scaleway"),
    ("sys_vendor", "Vultr", "Vultr"),
    ("sys_vendor", "Akamai", "Akamai (Linode)"),
    ("sys_vendor", "Linode", "Akamai (Linode)"),
    ("sys_vendor", "UpCloud", "UpCloud"),
    ("sys_vendor", "Exoscale", "Exoscale"),
    ("sys_vendor", "OVH", "OVHcloud"),
];

/// Clouds by their constant asset tag; the tag itself does not become evidence.
const CLOUD_TAGS: &[(&str, &str)] =
    &[("7783-7084-3265-9085-8269-3286-77", "Microsoft Azure"), ("OracleCloud.com", "Oracle Cloud")];

/// Bytes of /proc/cpuinfo that are read: the first processors say what all are.
const CPUINFO_BYTES_MAX: usize = 16 * 1024;

pub(super) fn platform(scene: &Scene) -> Observed<Platform> {
    let host = &scene.host;
    let firmware = firmware(host);
    let cpuinfo = host.bounded("/proc/cpuinfo", CPUINFO_BYTES_MAX).map(|read| read.bytes).unwrap_or_default();
    let cpuinfo = String::from_utf8_lossy(&cpuinfo);
    let flags = cpuinfo_field(&cpuinfo, "flags");
    let present = |flags: &str| flags.split_ascii_whitespace().any(|flag| flag == "hypervisor");
    let virtualised = flags.map(|flags| if present(flags) { Virtualised::Yes } else { Virtualised::No });
    let named = host.call("hypervisor", || Ok(sys::hypervisor())).ok().flatten();
    let platform = Platform {
        cloud: cloud(host, &firmware),
        hypervisor: host.trimmed("/sys/hypervisor/type").ok().or(named).filter(|name| !name.is_empty()),
        virtualised,
        container: container(host),
        processor: cpuinfo_field(&cpuinfo, "model name").map(str::to_owned),
        memory_bytes: host.text("/proc/meminfo").ok().and_then(|text| counter(&text, "MemTotal")).map(|kib| kib * 1024),
        firmware,
    };
    if platform == Platform::default() {
        return Err(Gap::absent("neither the firmware nor the processor says what this machine is"));
    }
    Ok(platform)
}

fn firmware(host: &Host) -> BTreeMap<&'static str, String> {
    let field = |name: &&'static str| Some((*name, host.trimmed(&format!("/sys/class/dmi/id/{name}")).ok()?));
    FIRMWARE.iter().filter_map(field).filter(|(_, value)| !value.is_empty()).collect()
}

fn cloud(host: &Host, firmware: &BTreeMap<&'static str, String>) -> Option<&'static str> {
    let tagged = || {
        let tag = host.first_word("/sys/class/dmi/id/chassis_asset_tag", 256).ok()?;
        CLOUD_TAGS.iter().find(|(known, _)| *known == tag).map(|(_, cloud)| *cloud)
    };
    let named = CLOUDS.iter().find(|(field, prefix, _)| firmware.get(field).is_some_and(|value| begins(value, prefix)));
    named.map(|(_, _, cloud)| *cloud).or_else(tagged)
}

/// Whether the text contains the prefix at its start, or, for old Xen machines, at its end (`4.11.amazon`).
fn begins(value: &str, prefix: &str) -> bool {
    value.starts_with(prefix) || (prefix == "amazon" && value.ends_with(prefix))
}

/// What the init system or the marker file of a container manager says.
fn container(host: &Host) -> Option<String> {
    let exists = |path: &str| host.metadata(path).is_ok();
    host.trimmed("/run/systemd/container")
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(|| exists("/run/.containerenv").then(|| "podman".to_owned()))
        .or_else(|| (exists("/.dockerenv") && !root_is_a_disk(host)).then(|| "docker".to_owned()))
}

/// Whether the root file system lies on a device of its own: then a marker file is left over from the image that the
/// machine was made of.
fn root_is_a_disk(host: &Host) -> bool {
    let mounts = host.text("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().any(|line| {
        let root = line.split(' ').nth(4) == Some("/");
        root && line
            .split_once(" - ")
            .is_some_and(|(_, tail)| tail.split(' ').nth(1).is_some_and(|source| source.starts_with("/dev/")))
    })
}

fn cpuinfo_field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    cpuinfo.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_is_recognised_by_the_firmware_it_gives_its_machines() {
        let host = Host::recorded(tempfile::tempdir().unwrap().path()).unwrap();
        for (field, value, expected) in [
            ("sys_vendor", "Amazon EC2", Some("Amazon EC2")),
            ("bios_version", "4.11.amazon", Some("Amazon EC2 (Xen)")),
            ("sys_vendor", "Google", Some("Google Compute Engine")),
            ("sys_vendor", "Dell Inc.", None),
            ("board_vendor", "Google", None),
        ] {
            assert_eq!(cloud(&host, &BTreeMap::from([(field, value.to_owned())])), expected, "{field} = {value}");
        }
    }

    #[test]
    fn a_constant_asset_tag_names_its_cloud() {
        let tree = tempfile::tempdir().unwrap();
        let folder = tree.path().join("sys/class/dmi/id");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("chassis_asset_tag"), "OracleCloud.com\n").unwrap();
        let host = Host::recorded(tree.path()).unwrap();
        assert_eq!(cloud(&host, &BTreeMap::new()), Some("Oracle Cloud"));
    }
}
