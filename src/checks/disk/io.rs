//! How fast the disks answer, and who waits for them.

use super::super::figures::{float, percent};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, ChartKind, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::block::{BLOCK_DEVICES, BLOCK_RATES, BlockDevice, BlockRate, BlockRates, stack};
use crate::evidence::mounts::DATA_VOLUME;

/// Requests below which an average says nothing.
const REQUESTS_MIN: u64 = 20;

pub(super) const CHECK: Check = Check {
    id: "disk.io",
    title: "Device latency, saturation and I/O pressure",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[BLOCK_RATES.source()],
    rule: "Fails when a request to a device took more than 200 ms on average (wait_fail_ms) during the window, or all tasks together waited for I/O during more than 40 % of the last minute (pressure_fail_percent). \
           Warns above 20 ms (wait_warn_ms; 100 ms on a rotating drive, rotating_warn_ms), above 10 requests under way on average (queue_warn) while each takes more than a quarter of that (many quick ones are throughput), or pressure above 10 % (pressure_warn_percent). \
           Information when a device served fewer than 20 requests; passes otherwise.",
    threshold_source: "node_exporter's mixin: 10 requests under way; the latencies and the pressure are our own.",
    why: "A produce request is acknowledged when it is written; what a disk takes longer, every producer waits longer.",
    remedy: "cat /proc/pressure/io\niostat -xz 1 5\npidstat -d 1 5\n# Move whoever writes besides Iggy to another disk, or the data to a faster one.",
    references: &["Linux documentation: admin-guide/iostats", "Linux documentation: accounting/psi"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "wait_warn_ms",
            default: 20.0,
            min: 0.1,
            max: 60_000.0,
            help: "average latency that warns, ms",
        },
        Setting {
            name: "rotating_warn_ms",
            default: 100.0,
            min: 0.1,
            max: 60_000.0,
            help: "the same of a rotating drive, ms",
        },
        Setting {
            name: "wait_fail_ms",
            default: 200.0,
            min: 0.1,
            max: 60_000.0,
            help: "average latency that fails, ms",
        },
        Setting {
            name: "queue_warn",
            default: 10.0,
            min: 0.1,
            max: 1e6,
            help: "requests under way on average that warn",
        },
        Setting {
            name: "pressure_warn_percent",
            default: 10.0,
            min: 0.1,
            max: 100.0,
            help: "pressure (full) of a minute that warns",
        },
        Setting {
            name: "pressure_fail_percent",
            default: 40.0,
            min: 0.1,
            max: 100.0,
            help: "pressure (full) of a minute that fails",
        },
    ],
    evaluate: io,
};

fn io(case: &Case<'_>) -> Result<Judgement, Gap> {
    let rates = case.read(BLOCK_RATES)?;
    let devices = case.read(BLOCK_DEVICES).map_or(&[][..], Vec::as_slice);
    let data: Vec<&str> = case
        .read(DATA_VOLUME)
        .map(|mount| stack(devices, mount.device).into_iter().map(|device| device.name.as_str()).collect())
        .unwrap_or_default();
    let judged = judged(case, rates, devices, &data).proof(table(rates, &data));
    let judged = if busy(rates).count() > 1 { judged.proof(latencies(rates)) } else { judged };
    Ok(rates.pressure.as_ref().err().cloned().into_iter().fold(judged, Judgement::gap))
}

/// The devices with enough requests in the window for an average.
fn busy(rates: &BlockRates) -> impl Iterator<Item = &BlockRate> {
    rates.devices.iter().filter(|rate| rate.requests() >= REQUESTS_MIN)
}

/// The average latency of each, the slowest first.
fn latencies(rates: &BlockRates) -> Proof {
    let mut slowest: Vec<&BlockRate> = busy(rates).collect();
    slowest.sort_by(|a, b| b.wait_ms().total_cmp(&a.wait_ms()).then_with(|| a.name.cmp(&b.name)));
    let bars = slowest.iter().map(|rate| (rate.name.clone(), rate.wait_ms()));
    Proof::chart("Average latency of a request", ChartKind::Bars, Unit::Milliseconds, bars, None)
}

fn table(rates: &BlockRates, data: &[&str]) -> Proof {
    let mut sorted: Vec<&BlockRate> = rates.devices.iter().collect();
    sorted.sort_by_key(|rate| std::cmp::Reverse((data.contains(&rate.name.as_str()), rate.requests())));
    let per_second = |count: u64| Cell::Number((float(count) / rates.window_s * 10.0).round() / 10.0);
    let rows = sorted.iter().map(|rate| {
        let mark = if data.contains(&rate.name.as_str()) { " (Iggy's data)" } else { "" };
        vec![
            format!("{}{mark}", rate.name).into(),
            per_second(rate.reads),
            per_second(rate.writes),
            per_second(rate.flushes),
            Cell::Number((rate.wait_ms() * 100.0).round() / 100.0),
            Cell::Number((rate.queue(rates.window_s) * 100.0).round() / 100.0),
            Cell::Number((float(rate.busy_ms) / (rates.window_s * 10.0)).min(100.0).round()),
        ]
    });
    let columns = vec![
        Column::text("Device"),
        Column::number("Reads", Unit::PerSecond),
        Column::number("Writes", Unit::PerSecond),
        Column::number("Flushes", Unit::PerSecond),
        Column::number("Average latency", Unit::Milliseconds),
        Column::number("Under way", Unit::Count),
        Column::number("Busy", Unit::Percent),
    ];
    Proof::table("Devices during the window", columns, rows.collect())
}

/// A queue counts when its requests take more than this part of the latency that warns.
const QUEUE_WAIT_SHARE: f64 = 4.0;

fn judged(case: &Case<'_>, rates: &BlockRates, devices: &[BlockDevice], data: &[&str]) -> Judgement {
    let full = rates.pressure.as_ref().map_or(0.0, |pressure| pressure.full.average_60s);
    let (pressure_warn, pressure_fail) = (case.setting("pressure_warn_percent"), case.setting("pressure_fail_percent"));
    let warn_ms = |rate: &BlockRate| {
        let rotating = devices.iter().any(|device| device.name == rate.name && device.is_rotating_drive());
        case.setting(if rotating { "rotating_warn_ms" } else { "wait_warn_ms" })
    };
    let (fail_ms, queue_warn) = (case.setting("wait_fail_ms"), case.setting("queue_warn"));
    let verdict = |rate: &&BlockRate| {
        if rate.wait_ms() > fail_ms {
            Verdict::Fail
        } else if rate.wait_ms() > warn_ms(rate)
            || (rate.queue(rates.window_s) > queue_warn && rate.wait_ms() > warn_ms(rate) / QUEUE_WAIT_SHARE)
        {
            Verdict::Warn
        } else {
            Verdict::Pass
        }
    };
    let worst = busy(rates).max_by(|a, b| {
        let rank = |rate: &BlockRate| (verdict(&rate), data.contains(&rate.name.as_str()));
        rank(a).cmp(&rank(b)).then(a.wait_ms().total_cmp(&b.wait_ms()))
    });
    if full > pressure_fail || (full > pressure_warn && worst.as_ref().map_or(Verdict::Pass, verdict) == Verdict::Pass)
    {
        let waited = |limit: f64| {
            format!("All tasks waited for I/O during {} of the last minute, more than {limit} %.", percent(full))
        };
        let (judged, limit) = if full > pressure_fail {
            (Judgement::fail(waited(pressure_fail)), pressure_fail)
        } else {
            (Judgement::warn(waited(pressure_warn)), pressure_warn)
        };
        return judged.measured(full, Unit::Percent, percent(full)).expected(format!("≤ {limit} %"));
    }
    let Some(rate) = worst else {
        let most = rates.devices.iter().map(BlockRate::requests).max().unwrap_or(0);
        return Judgement::info(format!(
            "The disks were idle: at most {most} requests to one device during the window, too few for an average."
        ));
    };
    let (wait, queue) = (rate.wait_ms(), rate.queue(rates.window_s));
    let took = format!("{} took {wait:.1} ms a request on average", rate.name);
    let judged = match verdict(&rate) {
        Verdict::Fail => Judgement::fail(format!("{took}, more than {fail_ms} ms.")),
        Verdict::Warn if wait > warn_ms(rate) => Judgement::warn(format!("{took}, more than {} ms.", warn_ms(rate))),
        Verdict::Warn => Judgement::warn(format!(
            "{} had {queue:.1} requests under way on average, more than {queue_warn}, and took {wait:.1} ms for each.",
            rate.name
        )),
        _ => Judgement::pass(format!("{took}, with {queue:.1} requests under way.")),
    };
    judged.measured(wait, Unit::Milliseconds, format!("{wait:.1} ms")).expected(format!("≤ {} ms", warn_ms(rate)))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::block::Backing;
    use crate::evidence::pressure::{Pressure, Stall};

    fn verdict(rate: BlockRate, rotational: bool, full_percent: f64) -> Verdict {
        let mut evidence = Evidence::default();
        let full = Stall { average_60s: full_percent, ..Stall::default() };
        let device = BlockDevice {
            name: "sda".into(),
            rotational: Some(rotational),
            backing: Backing::Physical,
            ..BlockDevice::default()
        };
        evidence.put(BLOCK_DEVICES, Ok(vec![device]));
        let pressure = Ok(Pressure { full, ..Pressure::default() });
        evidence.put(BLOCK_RATES, Ok(BlockRates { window_s: 2.0, devices: vec![rate], pressure }));
        judge_one("disk.io", &evidence).unwrap().verdict
    }

    fn writes(writes: u64, write_ms: u64, weighted_ms: u64) -> BlockRate {
        BlockRate { name: "sda".into(), writes, write_ms, weighted_ms, ..BlockRate::default() }
    }

    #[test]
    fn latency_queue_and_pressure_have_their_limits() {
        for (rate, rotational, full, expected) in [
            (writes(100, 2_000, 0), false, 0.0, Verdict::Pass),
            (writes(100, 2_001, 0), false, 0.0, Verdict::Warn),
            (writes(100, 10_000, 0), true, 0.0, Verdict::Pass),
            (writes(100, 10_001, 0), true, 0.0, Verdict::Warn),
            (writes(100, 20_000, 0), false, 0.0, Verdict::Warn),
            (writes(100, 20_001, 0), true, 0.0, Verdict::Fail),
            (writes(19, 60_000, 60_000), false, 0.0, Verdict::Info),
            (writes(20, 400, 20_000), false, 0.0, Verdict::Pass),
            (writes(20, 400, 20_001), false, 0.0, Verdict::Warn),
            (writes(1_000, 5_000, 90_000), false, 0.0, Verdict::Pass),
            (writes(1_000, 5_001, 90_000), false, 0.0, Verdict::Warn),
            (writes(100, 100, 0), false, 10.0, Verdict::Pass),
            (writes(100, 100, 0), false, 10.1, Verdict::Warn),
            (writes(0, 0, 0), false, 40.0, Verdict::Warn),
            (writes(0, 0, 0), false, 40.1, Verdict::Fail),
        ] {
            assert_eq!(verdict(rate.clone(), rotational, full), expected, "{rate:?} {rotational} {full}");
        }
    }
}
