//! NVMe drives: what the kernel shows of them, and what they say of their own health.

use serde::{Deserialize, Serialize};

use super::{Key, Observed};

/// The NVMe drives of this host.
pub const NVME: Key<Vec<NvmeDrive>> = Key::new("disk.nvme");

/// A drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NvmeDrive {
    /// `nvme0`.
    pub name: String,
    /// Its model. The serial number is not read.
    pub model: String,
    /// Its firmware.
    pub firmware: String,
    /// `live`, as it should be; `resetting`, `dead`.
    pub state: String,
    /// `pcie`, `tcp`, `rdma`.
    pub transport: String,
    /// Degrees Celsius of its sensor, and from which on it warns, thousandths.
    pub temperature_milli: Option<(i64, Option<i64>)>,
    /// What it says of itself.
    pub health: Observed<Health>,
}

/// The page of health information (log page 2 of the base specification).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Bits: 0 spare, 1 temperature, 2 reliability, 3 read-only, 4 its memory's backup, 5 persistent memory.
    pub critical: u8,
    /// Kelvin.
    pub temperature_kelvin: u16,
    /// Spare that is left, percent.
    pub spare_percent: u8,
    /// Spare below which it warns, percent.
    pub spare_min_percent: u8,
    /// Wear, percent of what it was made for; may go beyond 100.
    pub used_percent: u8,
    /// Bytes written by this host, in units of 512,000.
    pub written_units: u64,
    /// Hours that it was on.
    pub hours_on: u64,
    /// Times that it lost power unasked.
    pub unsafe_shutdowns: u64,
    /// Times that data could not be read back.
    pub media_errors: u64,
}

/// Bytes of the page.
pub const PAGE_BYTES: usize = 512;

impl Health {
    /// Reads the page. Numbers of 128 bits are cut at 64.
    #[must_use]
    pub fn parse(page: &[u8; PAGE_BYTES]) -> Self {
        let number = |at: usize| {
            let low = page[at..at + 8].first_chunk().copied().map_or(0, u64::from_le_bytes);
            if page[at + 8..at + 16].iter().any(|byte| *byte != 0) { u64::MAX } else { low }
        };
        Self {
            critical: page[0],
            temperature_kelvin: u16::from_le_bytes([page[1], page[2]]),
            spare_percent: page[3],
            spare_min_percent: page[4],
            used_percent: page[5],
            written_units: number(48),
            hours_on: number(128),
            unsafe_shutdowns: number(144),
            media_errors: number(160),
        }
    }

    /// What the critical bits say.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        const BITS: [&str; 6] = [
            "its spare has run low",
            "it is outside of its range of temperature",
            "it is no longer reliable",
            "it can only be read",
            "the backup of its memory has failed",
            "its persistent memory is read-only or unreliable",
        ];
        BITS.iter().enumerate().filter(|(bit, _)| self.critical >> bit & 1 == 1).map(|(_, text)| *text).collect()
    }

    /// Degrees Celsius; `None` if it does not say.
    #[must_use]
    pub fn celsius(&self) -> Option<i64> {
        (self.temperature_kelvin > 0).then(|| i64::from(self.temperature_kelvin) - 273)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_read_at_its_offsets() {
        let mut page = [0_u8; PAGE_BYTES];
        page[..6].copy_from_slice(&[0b1001, 0x40, 0x01, 90, 10, 120]);
        for (at, value) in [(48, 7_u64), (128, 8), (144, 9), (160, 10)] {
            page[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let health = Health::parse(&page);
        let expected = Health {
            critical: 0b1001,
            temperature_kelvin: 320,
            spare_percent: 90,
            spare_min_percent: 10,
            used_percent: 120,
            written_units: 7,
            hours_on: 8,
            unsafe_shutdowns: 9,
            media_errors: 10,
        };
        assert_eq!(health, expected);
        assert_eq!(health.warnings(), ["its spare has run low", "it can only be read"]);
        assert_eq!((health.celsius(), Health::default().celsius()), (Some(47), None));
        page[170] = 1;
        assert_eq!(Health::parse(&page).media_errors, u64::MAX);
    }
}
