//! Collectors of block devices.

use std::collections::BTreeMap;

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::block::{BLOCK_DEVICES, BLOCK_RATES, Backing, BlockDevice, BlockRates, counters, rate};
use crate::evidence::samples::SAMPLES;

pub(super) const COLLECTORS: &[&dyn Collect] =
    &[&Collector::new(BLOCK_DEVICES, Stage::Facts, devices), &Collector::new(BLOCK_RATES, Stage::Rates, rates)];

const DISKSTATS: &str = "/proc/diskstats";
const PRESSURE: &str = "/proc/pressure/io";
/// Counter files of the sampling window.
pub(super) const SAMPLED: &[&str] = &[DISKSTATS, PRESSURE];
/// Devices that are looked at: a host with hundreds of volumes has some for Iggy too.
const DEVICES_MAX: usize = 256;
/// Beginnings of names behind which nothing is stored on a disk of its own.
const IGNORED: &[&str] = &["loop", "ram", "zram", "sr", "fd"];
/// Beginnings of names that hypervisors give.
const VIRTUAL: &[&str] = &["vd", "xvd", "ubd"];
/// A sector of /sys/block, whatever the device's own is.
const SECTOR_BYTES: u64 = 512;

fn is_ignored(name: &str) -> bool {
    IGNORED
        .iter()
        .any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
}

fn devices(scene: &Scene) -> Observed<Vec<BlockDevice>> {
    let host = &scene.host;
    let names = host.list("/sys/block")?;
    Ok(names.iter().filter(|name| !is_ignored(name)).take(DEVICES_MAX).map(|name| device(host, name)).collect())
}

fn device(host: &Host, name: &str) -> BlockDevice {
    let at = |file: &str| format!("/sys/block/{name}/{file}");
    let queue = |file: &str| host.trimmed(&at(&format!("queue/{file}"))).ok();
    let number = |path: &str| {
        host.trimmed(path).ok().and_then(|text| {
            let (major, minor) = text.split_once(':')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        })
    };
    let inside = host.list(&at("")).unwrap_or_default();
    let made_of = host.list(&at("slaves")).unwrap_or_default();
    let vendor = host.trimmed(&at("device/vendor")).unwrap_or_default();
    let backing = if !made_of.is_empty() {
        Backing::Layered
    } else if VIRTUAL.iter().any(|kind| name.starts_with(kind))
        || ["QEMU", "VMware", "Msft", "Google", "Amazon"].contains(&vendor.as_str())
    {
        Backing::Virtual
    } else {
        Backing::Physical
    };
    BlockDevice {
        name: name.to_owned(),
        device: number(&at("dev")).unwrap_or_default(),
        partitions: inside
            .iter()
            .filter(|inner| inner.starts_with(name))
            .filter_map(|inner| number(&at(&format!("{inner}/dev"))))
            .collect(),
        // A partition stands for the drive that it is on.
        made_of: made_of.iter().map(|part| whole(host, part)).collect(),
        size_bytes: host.value::<u64>(&at("size")).unwrap_or(0).saturating_mul(SECTOR_BYTES),
        rotational: queue("rotational").map(|value| value == "1"),
        backing,
        scheduler: queue("scheduler").map(|text| in_use(&text)),
        read_ahead_kib: queue("read_ahead_kb").and_then(|text| text.parse().ok()),
        merges: queue("nomerges").and_then(|text| text.parse().ok()),
        write_cache: queue("write_cache"),
        discard_max_bytes: queue("discard_max_bytes").and_then(|text| text.parse().ok()),
    }
}

/// The drive of a partition: the folder above its own in the tree of devices.
fn whole(host: &Host, part: &str) -> String {
    let link = host.link(&format!("/sys/class/block/{part}")).unwrap_or_default();
    let mut parts = link.rsplit('/');
    let (_, above) = (parts.next(), parts.next());
    match above {
        Some(above) if part.starts_with(above) && above != "block" => above.to_owned(),
        _ => part.to_owned(),
    }
}

/// The scheduler in brackets, or the only one.
fn in_use(text: &str) -> String {
    let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(chosen, _)| chosen);
    chosen.unwrap_or(text).to_owned()
}

fn rates(scene: &Scene) -> Observed<BlockRates> {
    let samples = scene.evidence.read(SAMPLES)?;
    let (first, second) = samples.pair(DISKSTATS)?;
    let known = scene.evidence.read(BLOCK_DEVICES)?;
    let first: BTreeMap<&str, Vec<u64>> = counters(first).into_iter().collect();
    let devices = counters(second)
        .into_iter()
        .filter(|(name, _)| known.iter().any(|device| device.name == *name))
        .filter_map(|(name, second)| Some(rate(name, first.get(name)?, &second)));
    let pressure = samples.pair(PRESSURE).and_then(|(_, second)| {
        second.parse().map_err(|_| Gap::broken(format!("{PRESSURE} is not pressure stall information")))
    });
    Ok(BlockRates { window_s: samples.span_s(DISKSTATS), devices: devices.collect(), pressure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheduler_in_use_stands_in_brackets() {
        for (text, scheduler) in [("[none] mq-deadline", "none"), ("mq-deadline [bfq]", "bfq"), ("none", "none")] {
            assert_eq!(in_use(text), scheduler);
        }
    }

    #[test]
    fn devices_without_a_disk_are_left_out() {
        for (name, ignored) in
            [("loop0", true), ("sr0", true), ("srx", false), ("sda", false), ("ram1", true), ("dm-0", false)]
        {
            assert_eq!(is_ignored(name), ignored, "{name}");
        }
    }
}
