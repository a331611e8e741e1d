//! The kernel's log from `/dev/kmsg`, read without waiting.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

use super::collector::{Collect, Collector, Stage};
use super::gap::gap;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::logs::{KERNEL_LOG, KernelLine, KernelLog};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(KERNEL_LOG, Stage::Facts, kernel_log)];

/// Where the kernel's log is read.
const PATH: &str = "/dev/kmsg";
/// Bytes of one record (the kernel's own limit, `PRINTKRB_RECORD_MAX` and its dictionary).
const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Lines kept, the newest.
const LINES_MAX: usize = 5_000;
/// Records read at most: a kernel that logs as fast as we read must not hold us.
const RECORDS_MAX: usize = 200_000;

fn kernel_log(scene: &Scene) -> Observed<KernelLog> {
    scene.host.call("kernel-log", || {
        let file = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(PATH);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                Gap::denied(format!("{PATH} is closed to this user (kernel.dmesg_restrict = 1)"), "CAP_SYSLOG")
            }
            _ => gap(&error, PATH),
        })?;
        let uptime = scene.host.text("/proc/uptime")?;
        let mut log = read(file)?;
        log.uptime_s = uptime.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        Ok(log)
    })
}

fn read(mut file: File) -> Observed<KernelLog> {
    let mut lines = std::collections::VecDeque::new();
    let mut dropped = 0;
    let mut record = vec![0; RECORD_BYTES_MAX];
    for _ in 0..RECORDS_MAX {
        match file.read(&mut record) {
            Ok(0) => break,
            Ok(length) => {
                lines.extend(parse(&String::from_utf8_lossy(&record[..length])));
                if lines.len() > LINES_MAX {
                    lines.pop_front();
                    dropped += 1;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            // The buffer overran the next record, or a record was longer than ours: go on with the next.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPIPE | libc::EINVAL)) => dropped += 1,
            Err(error) => return Err(gap(&error, PATH)),
        }
    }
    Ok(KernelLog { lines: lines.into(), dropped, uptime_s: 0 })
}

/// A record: `priority,sequence,microseconds,flags[,…];text`, then a dictionary of lines that begin with a space.
fn parse(record: &str) -> Option<KernelLine> {
    let (head, text) = record.split_once(';')?;
    let mut fields = head.split(',');
    let facility_and_priority: u32 = fields.next()?.parse().ok()?;
    let since_boot_us = fields.nth(1)?.parse().ok()?;
    let text = text.lines().next().unwrap_or_default().to_owned();
    Some(KernelLine { priority: (facility_and_priority & 7) as u8, since_boot_us, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_taken_apart() {
        let line = parse("6,339,5140900,-;NET: Registered PF_INET6\n SUBSYSTEM=net\n").unwrap();
        let expected = KernelLine { priority: 6, since_boot_us: 5_140_900, text: "NET: Registered PF_INET6".into() };
        assert_eq!(line, expected);
        assert_eq!(parse("30,5,1000,-,caller=T1;a;b").unwrap().text, "a;b");
        for garbage in ["", "x;y", "1;y", "1,2;y"] {
            assert_eq!(parse(garbage), None);
        }
    }
}
