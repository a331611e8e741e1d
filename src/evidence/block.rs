//! Block devices: what they are and how fast they answer.

use serde::{Deserialize, Serialize};

use super::pressure::Pressure;
use super::{Key, Observed};

/// The block devices of this host, partitions aside.
pub const BLOCK_DEVICES: Key<Vec<BlockDevice>> = Key::new("disk.devices");
/// How they answered during the sampling window.
pub const BLOCK_RATES: Key<BlockRates> = Key::new("disk.rates");

/// A whole block device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDevice {
    /// `nvme0n1`, `dm-3`.
    pub name: String,
    /// Its number, major and minor.
    pub device: (u32, u32),
    /// The numbers of its partitions.
    pub partitions: Vec<(u32, u32)>,
    /// Devices that it is made of, by name (device mapper, software RAID).
    pub made_of: Vec<String>,
    /// Its size, bytes.
    pub size_bytes: u64,
    /// Whether the kernel believes that it rotates. Virtual disks often say so without a reason.
    pub rotational: Option<bool>,
    /// Whether it is a device of a hypervisor, which says nothing of the disk behind it.
    pub backing: Backing,
    /// The I/O scheduler in use.
    pub scheduler: Option<String>,
    /// Read-ahead, KiB.
    pub read_ahead_kib: Option<u64>,
    /// 0 merges all requests, 2 none.
    pub merges: Option<u8>,
    /// `write back` or `write through`.
    pub write_cache: Option<String>,
    /// Bytes that one discard may take; 0 means that it knows none.
    pub discard_max_bytes: Option<u64>,
}

/// What stands behind a block device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backing {
    /// A drive, as far as the kernel knows.
    #[default]
    Physical,
    /// Something that a hypervisor shows as a drive.
    Virtual,
    /// Other devices.
    Layered,
}

impl BlockDevice {
    /// Whether this number is its own or one of its partitions'.
    #[must_use]
    pub fn holds(&self, number: (u32, u32)) -> bool {
        self.device == number || self.partitions.contains(&number)
    }

    /// Whether it is a drive whose heads must move.
    #[must_use]
    pub fn is_rotating_drive(&self) -> bool {
        self.rotational == Some(true) && self.backing == Backing::Physical
    }
}

/// The device of this number and, of one that is made of others, those below it.
#[must_use]
pub fn stack(devices: &[BlockDevice], number: (u32, u32)) -> Vec<&BlockDevice> {
    /// Layers: a file system on LVM on LUKS on RAID on partitions.
    const LAYERS_MAX: usize = 8;
    let mut found: Vec<&BlockDevice> = devices.iter().filter(|device| device.holds(number)).collect();
    let mut from = 0;
    for _ in 0..LAYERS_MAX {
        let below: Vec<&BlockDevice> = found[from..]
            .iter()
            .flat_map(|device| &device.made_of)
            .filter_map(|name| devices.iter().find(|device| device.name == *name))
            .filter(|device| !found.iter().any(|known| known.name == device.name))
            .collect();
        if below.is_empty() {
            break;
        }
        from = found.len();
        found.extend(below);
    }
    found
}

/// How the devices answered during the window.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockRates {
    /// Length of the window, seconds.
    pub window_s: f64,
    /// The devices that were sampled.
    pub devices: Vec<BlockRate>,
    /// The pressure that I/O puts on programs.
    pub pressure: Observed<Pressure>,
}

/// One device's figures over the window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockRate {
    /// Its name.
    pub name: String,
    /// Reads that were completed.
    pub reads: u64,
    /// Writes that were completed.
    pub writes: u64,
    /// Flushes that were completed.
    pub flushes: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Milliseconds that reads took, together.
    pub read_ms: u64,
    /// Milliseconds that writes took, together.
    pub write_ms: u64,
    /// Milliseconds that flushes took, together.
    pub flush_ms: u64,
    /// Milliseconds in which at least one request was under way.
    pub busy_ms: u64,
    /// Milliseconds of all requests, waiting included.
    pub weighted_ms: u64,
}

impl BlockRate {
    /// Requests that were completed.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.reads + self.writes + self.flushes
    }

    /// Milliseconds that a request took on average; 0 without any.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an average of milliseconds")]
    pub fn wait_ms(&self) -> f64 {
        if self.requests() == 0 {
            0.0
        } else {
            (self.read_ms + self.write_ms + self.flush_ms) as f64 / self.requests() as f64
        }
    }

    /// Requests that were under way on average.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an average of milliseconds")]
    pub fn queue(&self, window_s: f64) -> f64 {
        self.weighted_ms as f64 / (window_s * 1000.0)
    }
}

/// The lines of /proc/diskstats: name → its counters from field 4 on.
#[must_use]
pub fn counters(diskstats: &str) -> Vec<(&str, Vec<u64>)> {
    fn line(line: &str) -> Option<(&str, Vec<u64>)> {
        let mut words = line.split_ascii_whitespace().skip(2);
        let name = words.next()?;
        let numbers: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() >= 11).map(|numbers| (name, numbers))
    }
    diskstats.lines().filter_map(line).collect()
}

/// A sector of /proc/diskstats, whatever the device's own is.
const SECTOR_BYTES: u64 = 512;

/// What happened between two readings of one device's counters.
#[must_use]
pub fn rate(name: &str, first: &[u64], second: &[u64]) -> BlockRate {
    // Since 4.18 there are four counters of discards, since 5.5 two of flushes behind them.
    let grown = |at: usize| match (first.get(at), second.get(at)) {
        (Some(first), Some(second)) => second.saturating_sub(*first),
        _ => 0,
    };
    BlockRate {
        name: name.to_owned(),
        reads: grown(0),
        writes: grown(4),
        flushes: grown(15),
        read_bytes: grown(2).saturating_mul(SECTOR_BYTES),
        written_bytes: grown(6).saturating_mul(SECTOR_BYTES),
        read_ms: grown(3),
        write_ms: grown(7),
        flush_ms: grown(16),
        busy_ms: grown(9),
        weighted_ms: grown(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_old_and_new_kernels_are_read() {
        let first = " 254       0 vda 100 5 800 50 200 7 1600 400 0 90 450 0 0 0 0 10 30\n   8 0 sda 1 0 8 2 0 0 0 0 0 2 2\nshort 1 2\n";
        let second = " 254       0 vda 110 5 880 60 230 7 1840 700 1 190 950 0 0 0 0 15 130\n   8 0 sda 3 0 24 4 0 0 0 0 0 4 4\n";
        let (first, second) = (counters(first), counters(second));
        assert_eq!(first.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["vda", "sda"]);
        let vda = rate("vda", &first[0].1, &second[0].1);
        assert_eq!(
            vda,
            BlockRate {
                name: "vda".into(),
                reads: 10,
                writes: 30,
                flushes: 5,
                read_bytes: 40_960,
                written_bytes: 122_880,
                read_ms: 10,
                write_ms: 300,
                flush_ms: 100,
                busy_ms: 100,
                weighted_ms: 500,
            }
        );
        assert!((vda.wait_ms() - 410.0 / 45.0).abs() < 1e-9 && (vda.queue(1.0) - 0.5).abs() < 1e-9);
        assert_eq!(rate("sda", &first[1].1, &second[1].1).requests(), 2);
    }

    #[test]
    fn a_device_is_followed_down_to_its_drives() {
        let device = |name: &str, minor, made_of: &[&str]| BlockDevice {
            name: name.into(),
            device: (253, minor),
            partitions: vec![(8, minor)],
            made_of: made_of.iter().map(|name| (*name).to_owned()).collect(),
            ..BlockDevice::default()
        };
        let devices = [
            device("dm-0", 0, &["md0"]),
            device("md0", 1, &["sda", "sdb", "dm-0"]),
            device("sda", 2, &[]),
            device("sdb", 3, &[]),
            device("sdc", 4, &[]),
        ];
        let names = |number| stack(&devices, number).iter().map(|device| device.name.clone()).collect::<Vec<_>>();
        assert_eq!(names((253, 0)), ["dm-0", "md0", "sda", "sdb"]);
        assert_eq!(names((8, 4)), ["sdc"]);
        assert!(names((1, 1)).is_empty());
    }
}
