//! The facts row: what a reader looks for first.

use crate::domain::size;
use crate::evidence::Evidence;
use crate::evidence::api::IGGY_API;
use crate::evidence::boot::BOOT;
use crate::evidence::cpu::{LOAD, TOPOLOGY};
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::memory::MEMORY;
use crate::evidence::mounts::DATA_VOLUME;
use crate::evidence::state::{DATA_VERSION, DataVersion};
use crate::evidence::system::KERNEL;
use crate::evidence::time::{KERNEL_CLOCK, UTC_OFFSET};
use crate::report::model::Fact;

/// The host's own name.
pub(super) fn hostname(evidence: &Evidence) -> Option<String> {
    evidence.read(KERNEL).ok().map(|kernel| kernel.host_name.clone())
}

/// How far its local time is ahead of UTC.
pub(super) fn utc_offset_s(evidence: &Evidence) -> Option<i32> {
    evidence.read(UTC_OFFSET).ok().map(|offset| offset.ahead_s)
}

/// The facts that could be observed, in the order of the page.
pub(super) fn row(evidence: &Evidence) -> Vec<Fact<String>> {
    [iggy(evidence), kernel(evidence), cpu(evidence), memory(evidence), volume(evidence), clock(evidence)]
        .into_iter()
        .flatten()
        .collect()
}

fn fact(id: &'static str, label: &'static str, value: String, detail: Option<String>) -> Fact<String> {
    Fact { id: id.into(), label: label.into(), value, detail }
}

/// The version that the server says, else the one that wrote the data.
fn iggy(evidence: &Evidence) -> Option<Fact<String>> {
    let stats = evidence.read(IGGY_API).ok().and_then(|api| api.stats.as_ref().ok());
    let running = stats.map(|stats| stats.iggy_server_version.clone());
    let written = || evidence.read(DATA_VERSION).ok().map(|DataVersion(version)| version.clone());
    let process = evidence.read(IGGY_PROCESS).ok();
    let detail = match process {
        Some(process) => match process.age_s {
            Some((age_s, _)) => format!("up {}", duration(age_s)),
            None => format!("pid {}", process.pid),
        },
        None => "not seen running".to_owned(),
    };
    let version = running.or_else(written).or_else(|| process.map(|_| "of an unknown version".to_owned()))?;
    Some(fact("iggy", "Iggy server", version, Some(detail)))
}

/// `22 d 19 h`, `3 h 5 min`, `42 s`: the two largest units.
fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds % 86_400 / 3600, seconds % 3600 / 60);
    match (days, hours, minutes) {
        (1.., _, _) => format!("{days} d {hours} h"),
        (0, 1.., _) => format!("{hours} h {minutes} min"),
        (0, 0, 1..) => format!("{minutes} min"),
        (0, 0, 0) => format!("{seconds} s"),
    }
}

fn kernel(evidence: &Evidence) -> Option<Fact<String>> {
    let kernel = evidence.read(KERNEL).ok()?;
    let up = evidence.read(BOOT).ok().map(|boot| format!(", up {}", duration(boot.uptime_s))).unwrap_or_default();
    Some(fact("kernel", "Kernel", kernel.release.clone(), Some(format!("{}{up}", kernel.architecture))))
}

fn cpu(evidence: &Evidence) -> Option<Fact<String>> {
    let cores = evidence.read(TOPOLOGY).ok()?.allowed.0.len();
    let noun = if cores == 1 { "core" } else { "cores" };
    let load = evidence.read(LOAD).ok().map(|load| format!("load {:.2}", load.averages[0]));
    Some(fact("cpu", "CPU", format!("{cores} {noun}"), load))
}

fn memory(evidence: &Evidence) -> Option<Fact<String>> {
    let memory = evidence.read(MEMORY).ok()?;
    let available = format!("{} available", size::human(memory.available_bytes));
    Some(fact("memory", "Memory", size::human(memory.total_bytes), Some(available)))
}

fn volume(evidence: &Evidence) -> Option<Fact<String>> {
    let space = evidence.read(DATA_VOLUME).ok()?.space.as_ref().ok()?;
    let available = format!("{} available", size::human(space.available_bytes));
    Some(fact("volume", "Data volume", size::human(space.total_bytes), Some(available)))
}

fn clock(evidence: &Evidence) -> Option<Fact<String>> {
    let clock = evidence.read(KERNEL_CLOCK).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds, shown with two digits")]
    let offset_ms = clock.offset_us as f64 / 1000.0;
    let (value, detail) =
        if clock.synchronised { (format!("{offset_ms:.2} ms"), None) } else { ("unsynchronised".to_owned(), None) };
    Some(fact("clock", "Clock offset", value, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_something_is_up_is_told_in_two_units() {
        for (seconds, told) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (11_100, "3 h 5 min"), (1_969_200, "22 d 19 h")]
        {
            assert_eq!(duration(seconds), told);
        }
    }
}
