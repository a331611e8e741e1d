//! Collector of the host's time zone.

use jiff::tz::TimeZone;

use super::collector::{Collect, Collector, Stage};
use super::scene::Scene;
use crate::domain::gap::{Gap, GapReason};
use crate::domain::time::Timestamp;
use crate::evidence::Observed;
use crate::evidence::time::{UTC_OFFSET, UtcOffset};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(UTC_OFFSET, Stage::Facts, utc_offset)];

/// The host's time zone, in the format of tzfile(5).
const ZONE: &str = "/etc/localtime";

/// A host without the file is in UTC, tzset(3); a recorded tree without it says nothing.
fn utc_offset(scene: &Scene) -> Observed<UtcOffset> {
    match scene.host.bytes(ZONE) {
        Ok(zone) => offset(&zone, scene.now),
        Err(gap) if gap.reason == GapReason::Absent && scene.host.is_live() => Ok(UtcOffset { ahead_s: 0 }),
        Err(gap) => Err(gap),
    }
}

fn offset(zone: &[u8], now: Timestamp) -> Observed<UtcOffset> {
    let broken = |_| Gap::broken(format!("{ZONE} is not a time zone"));
    let zone = TimeZone::tzif("local", zone).map_err(broken)?;
    let now = jiff::Timestamp::from_second(now.unix()).map_err(broken)?;
    Ok(UtcOffset { ahead_s: zone.to_offset(now).seconds() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 2 of tzfile(5) without transitions: all that a zone needs whose rule is its footer.
    fn zone(rule: &str) -> Vec<u8> {
        let block = |header: &mut Vec<u8>| {
            header.extend(b"TZif2");
            header.extend([0; 15]);
            for count in [0_u32, 0, 0, 0, 1, 4] {
                header.extend(count.to_be_bytes());
            }
            // One kind of local time: no offset, no summer, named by the letters at 0.
            header.extend([0, 0, 0, 0, 0, 0]);
            header.extend(b"UTC\0");
        };
        let mut file = Vec::new();
        block(&mut file);
        block(&mut file);
        file.extend(format!("\n{rule}\n").bytes());
        file
    }

    #[test]
    fn the_offset_is_the_one_of_the_day() {
        let berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3");
        for (zone, now, ahead_s) in [
            (&berlin, "2026-11-24T03:12:40Z", 3600),
            (&berlin, "2026-07-01T00:00:00Z", 7200),
            (&zone("<+0545>-5:45"), "2026-07-01T00:00:00Z", 20_700),
            (&zone("EST5EDT,M3.2.0,M11.1.0"), "2026-01-01T00:00:00Z", -18_000),
            (&zone("UTC0"), "2026-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(offset(zone, now.parse().unwrap()), Ok(UtcOffset { ahead_s }), "{now}");
        }
    }

    #[test]
    fn a_file_that_is_no_zone_is_a_gap() {
        for bytes in [&b""[..], b"Europe/Berlin\n", &zone("CET-1")[..40]] {
            assert!(offset(bytes, Timestamp::from_unix(0)).is_err());
        }
    }
}
