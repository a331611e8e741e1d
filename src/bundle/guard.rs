//! When to stop: the deadline, the budget and the free space of the disk that is written to.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

/// Why nothing more goes into the ZIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// What was written so far has to be copied, hashed, read back and synced before the deadline.
    Deadline,
    /// `bundle.max_bytes` or the archives' limit is reached.
    Budget,
    /// The disk would fall below its reserve.
    Space,
}

/// Bytes a second at which a finished ZIP is surely copied, hashed, read back and synced, all together.
const FINISH_BYTES_PER_S: u64 = 100 << 20;
/// Bytes a second at which what was masked is surely unpacked, hashed and searched once more.
const READ_BACK_BYTES_PER_S: u64 = 50 << 20;
/// How often the time that masking took is kept for reading back what was masked: seen on idle and on busy machines. On
/// a machine that gives us a fiftieth of a processor no fixed speed is sure.
const READ_BACK_PER_MASKING: u64 = 3;
/// Time kept for finishing whatever the size.
const FINISH_FLOOR: Duration = Duration::from_secs(2);
/// Free space is asked again after this many bytes: others write too.
const SPACE_EVERY_BYTES: u64 = 32 << 20;
/// Bytes for the central directory, the manifest and the report.
const SPACE_MARGIN_BYTES: u64 = 16 << 20;

/// The limits of one bundle.
#[derive(Debug)]
pub(super) struct Guard {
    /// When the archive must be finished.
    pub(super) finish_by: Instant,
    /// Bytes that the ZIP may have; 0 is no limit.
    pub(super) max_bytes: u64,
    /// Free bytes that must stay on the disk.
    pub(super) reserve_bytes: u64,
    space_asked_at: Option<u64>,
    /// Bytes, unpacked, that are searched once more in the finished archive.
    read_back_bytes: u64,
    started: Instant,
}

impl Guard {
    pub(super) fn new(finish_by: Instant, max_bytes: u64, reserve_bytes: u64) -> Self {
        Self { finish_by, max_bytes, reserve_bytes, space_asked_at: None, read_back_bytes: 0, started: Instant::now() }
    }

    /// Counts bytes that are to be searched once more.
    pub(super) fn read_back(&mut self, bytes: u64) {
        self.read_back_bytes = self.read_back_bytes.saturating_add(bytes);
    }

    /// Whether another chunk may be added to the `written` bytes of `out`.
    pub(super) fn check(&mut self, out: &File, written: u64) -> Result<(), Stop> {
        let finishing = finishing_time(written, self.read_back_bytes, self.started.elapsed());
        if self.finish_by.saturating_duration_since(Instant::now()) < finishing {
            return Err(Stop::Deadline);
        }
        if self.max_bytes > 0 && written >= self.max_bytes {
            return Err(Stop::Budget);
        }
        if self.space_asked_at.is_none_or(|at| written.abs_diff(at) >= SPACE_EVERY_BYTES) {
            self.space_asked_at = Some(written);
            // The finished ZIP is copied into the archive on the same disk, so it has to fit once more.
            if free_bytes(out).is_ok_and(|free| free < self.reserve_bytes + written + SPACE_MARGIN_BYTES) {
                return Err(Stop::Space);
            }
        }
        Ok(())
    }
}

/// Time that it takes to finish an archive of which `written` bytes are packed and `read_back` unpacked ones searched: at
/// speeds that are sure elsewhere, or as slow as writing has been here in the time that it took.
fn finishing_time(written: u64, read_back: u64, took: Duration) -> Duration {
    let at_sure_speeds =
        written.saturating_mul(1000) / FINISH_BYTES_PER_S + read_back.saturating_mul(1000) / READ_BACK_BYTES_PER_S;
    let took_ms = u128::from(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let work = u128::from(written) + u128::from(read_back) * u128::from(READ_BACK_PER_MASKING);
    let as_seen_here = took_ms * work / (u128::from(written) + u128::from(read_back)).max(1);
    FINISH_FLOOR + Duration::from_millis(at_sure_speeds.max(u64::try_from(as_seen_here).unwrap_or(u64::MAX)))
}

/// Free bytes of the file system that holds `file`, as far as an ordinary user may take them.
pub(super) fn free_bytes(file: &File) -> io::Result<u64> {
    let space = rustix::fs::fstatvfs(file)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far() -> Instant {
        Instant::now() + Duration::from_hours(1)
    }

    #[test]
    fn each_limit_stops_by_its_own_name() {
        let out = tempfile::tempfile().unwrap();
        let check =
            |finish_by, max_bytes, reserve, written| Guard::new(finish_by, max_bytes, reserve).check(&out, written);
        assert_eq!(check(far(), 0, 0, 0), Ok(()));
        assert_eq!(check(far(), 10, 0, 9), Ok(()));
        assert_eq!(check(far(), 10, 0, 10), Err(Stop::Budget));
        assert_eq!(check(far(), 0, u64::MAX / 2, 0), Err(Stop::Space));
        assert_eq!(check(Instant::now() + Duration::from_secs(1), 0, 0, 0), Err(Stop::Deadline));
    }

    #[test]
    fn what_is_written_needs_time_to_finish() {
        let out = tempfile::tempfile().unwrap();
        let mut guard = Guard::new(Instant::now() + Duration::from_secs(10), 0, 0);
        assert_eq!(guard.check(&out, 0), Ok(()));
        assert_eq!(guard.check(&out, 10 * FINISH_BYTES_PER_S), Err(Stop::Deadline));
        guard.read_back(5 * READ_BACK_BYTES_PER_S);
        assert_eq!(guard.check(&out, 0), Ok(()));
        guard.read_back(5 * READ_BACK_BYTES_PER_S);
        assert_eq!(guard.check(&out, 0), Err(Stop::Deadline), "a log of few packed bytes takes its time, too");
    }

    #[test]
    fn what_was_slow_to_write_is_slow_to_read_back() {
        let finishing = |written, read_back, took_s| finishing_time(written, read_back, Duration::from_secs(took_s));
        assert_eq!(finishing(0, 0, 100), FINISH_FLOOR, "nothing is written yet");
        assert_eq!(finishing(1 << 20, 0, 100), FINISH_FLOOR + Duration::from_secs(100));
        assert_eq!(finishing(0, 1 << 20, 100), FINISH_FLOOR + Duration::from_mins(5));
        let fast = Duration::from_secs(1);
        assert_eq!(finishing_time(10 * FINISH_BYTES_PER_S, 0, fast), FINISH_FLOOR + Duration::from_secs(10));
    }
}
