//! The health of NVMe drives.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::size;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::nvme::{Health, NVME, NvmeDrive};

pub(super) const CHECK: Check = Check {
    id: "disk.nvme",
    title: "NVMe drives are healthy",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[NVME.source()],
    rule: "Fails when a drive's state is not live, when it raises a critical warning, when its spare is below its own threshold, and when it is worn to 100 % (used_fail_percent) of what it was made for. Warns at 80 % (used_warn_percent), on any media error, and at the temperature from which it warns itself. Information when the drives are live and did not tell more to this user; passes otherwise. Skipped without NVMe.",
    threshold_source: "The drive's own thresholds, from the SMART log of the NVMe base specification; the 80 % are our own judgement.",
    why: "A drive says for weeks that it is dying before it takes the partitions with it.",
    remedy: "nvme smart-log /dev/DRIVE; nvme error-log /dev/DRIVE\n# Move its partitions to a replica, then replace the drive:\nsystemctl stop iggy-server\n# Too hot: look at fans and heat sinks.",
    references: &["NVM Express base specification: SMART / Health Information", "nvme-smart-log(1)"],
    privilege: "CAP_SYS_ADMIN",
    settings: &[
        Setting { name: "used_warn_percent", default: 80.0, min: 1.0, max: 255.0, help: "wear that warns, percent" },
        Setting { name: "used_fail_percent", default: 100.0, min: 1.0, max: 255.0, help: "wear that fails, percent" },
    ],
    evaluate: nvme,
};

fn nvme(case: &Case<'_>) -> Result<Judgement, Gap> {
    let drives = case.read(NVME).map_err(|gap| match gap.reason {
        GapReason::Absent => Gap::not_applicable("this host has no NVMe drive"),
        _ => gap,
    })?;
    let limits = ["used_warn_percent", "used_fail_percent"].map(|name| case.setting(name));
    let judged = drives.iter().map(|drive| judged(drive, limits)).max_by_key(|judged| judged.verdict);
    let judged = judged.ok_or_else(|| Gap::not_applicable("this host has no NVMe drive"))?;
    let judged = if judged.verdict == Verdict::Pass {
        let healthy = counted(drives.len(), "drive is", "drives are");
        Judgement::pass(format!("{healthy} live and well."))
    } else {
        judged
    };
    let gaps = drives.iter().filter_map(|drive| drive.health.as_ref().err()).cloned();
    Ok(gaps.fold(judged.proof(table(drives)), Judgement::gap))
}

fn judged(drive: &NvmeDrive, [warn, fail]: [f64; 2]) -> Judgement {
    let name = &drive.name;
    let named = |judged: Judgement| judged.remedy(CHECK.remedy.replace("DRIVE", name));
    if !drive.state.is_empty() && drive.state != "live" {
        return named(Judgement::fail(format!("{name} ({}) is {}, not live.", drive.model, drive.state)));
    }
    let hot = drive.temperature_milli.and_then(|(now, max)| Some((now, max.filter(|max| *max > 0 && now >= *max)?)));
    let too_hot = || {
        let (now, max) = hot?;
        Some(named(Judgement::warn(format!(
            "{name} is at {} °C, and warns itself from {} °C.",
            now / 1000,
            max / 1000
        ))))
    };
    match &drive.health {
        Ok(health) => unhealthy(name, health, warn, fail)
            .map(named)
            .or_else(too_hot)
            .unwrap_or_else(|| Judgement::pass(format!("{name} is live and well, {} % worn.", health.used_percent))),
        Err(_) => too_hot().unwrap_or_else(|| {
            Judgement::info(format!("{name} ({}) is live; it told no more to this user.", drive.model))
        }),
    }
}

/// What is wrong with a drive, by its own word.
fn unhealthy(name: &str, health: &Health, warn: f64, fail: f64) -> Option<Judgement> {
    let used = f64::from(health.used_percent);
    let of_wear =
        |judged: Judgement| judged.measured(used, Unit::Percent, format!("{used} %")).expected(format!("< {warn} %"));
    if let Some(warning) = health.warnings().first() {
        return Some(Judgement::fail(format!("{name} raises a critical warning: {warning}.")));
    }
    if health.spare_percent < health.spare_min_percent {
        return Some(Judgement::fail(format!(
            "{name} has {} % of its spare left, less than its own threshold of {} %.",
            health.spare_percent, health.spare_min_percent
        )));
    }
    if used >= fail {
        return Some(of_wear(Judgement::fail(format!("{name} is worn to {used} % of what it was made for."))));
    }
    if health.media_errors > 0 {
        return Some(Judgement::warn(format!("{name} could not read data back {} times.", health.media_errors)));
    }
    (used >= warn).then(|| of_wear(Judgement::warn(format!("{name} is worn to {used} % of what it was made for."))))
}

fn table(drives: &[NvmeDrive]) -> Proof {
    /// A unit of what was written, bytes.
    const UNIT_BYTES: u64 = 512_000;
    let columns = vec![
        Column::text("Drive"),
        Column::text("Model"),
        Column::text("Firmware"),
        Column::text("State"),
        Column::number("°C", Unit::Count),
        Column::number("Worn", Unit::Percent),
        Column::number("Spare", Unit::Percent),
        Column::text("Written"),
        Column::number("Media errors", Unit::Count),
        Column::number("Unsafe shutdowns", Unit::Count),
        Column::number("Hours on", Unit::Count),
    ];
    let row = |drive: &NvmeDrive| {
        let health = drive.health.as_ref().ok();
        let celsius = drive.temperature_milli.map(|(now, _)| now / 1000);
        let celsius = celsius.or_else(|| health.and_then(Health::celsius));
        let of = |value: fn(&Health) -> u64| health.map_or(Cell::Empty, |health| Cell::count(value(health)));
        vec![
            drive.name.as_str().into(),
            drive.model.as_str().into(),
            drive.firmware.as_str().into(),
            drive.state.as_str().into(),
            celsius.map_or(Cell::Empty, Cell::Integer),
            of(|health| u64::from(health.used_percent)),
            of(|health| u64::from(health.spare_percent)),
            health.map_or(Cell::Empty, |health| size::human(health.written_units.saturating_mul(UNIT_BYTES)).into()),
            of(|health| health.media_errors),
            of(|health| health.unsafe_shutdowns),
            of(|health| health.hours_on),
        ]
    };
    Proof::table("NVMe drives", columns, drives.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::evidence::Evidence;

    const WELL: Health = Health {
        critical: 0,
        temperature_kelvin: 310,
        spare_percent: 100,
        spare_min_percent: 10,
        used_percent: 79,
        written_units: 1,
        hours_on: 1,
        unsafe_shutdowns: 3,
        media_errors: 0,
    };

    fn seen(state: &str, temperature_milli: Option<(i64, Option<i64>)>, health: Result<Health, Gap>) -> Judgement {
        let drive = NvmeDrive {
            name: "nvme0".into(),
            model: "ACME".into(),
            firmware: "1".into(),
            state: state.into(),
            transport: "pcie".into(),
            temperature_milli,
            health,
        };
        let well = NvmeDrive { name: "nvme1".into(), state: "live".into(), health: Ok(WELL), ..drive.clone() };
        let mut evidence = Evidence::default();
        evidence.put(NVME, Ok(vec![NvmeDrive { temperature_milli: None, ..well }, drive]));
        judge_one("disk.nvme", &evidence).unwrap()
    }

    #[test]
    fn a_drive_is_judged_by_its_own_word_at_the_boundaries() {
        let denied = || Err(Gap::denied("nvme0 does not tell", "CAP_SYS_ADMIN"));
        for (state, temperature, health, expected) in [
            ("live", None, Ok(WELL), Verdict::Pass),
            ("live", Some((81_849, Some(81_850))), Ok(WELL), Verdict::Pass),
            ("live", Some((81_850, Some(81_850))), Ok(WELL), Verdict::Warn),
            ("live", Some((90_000, None)), Ok(WELL), Verdict::Pass),
            ("dead", None, Ok(WELL), Verdict::Fail),
            ("resetting", None, denied(), Verdict::Fail),
            ("live", None, Ok(Health { critical: 4, ..WELL }), Verdict::Fail),
            ("live", None, Ok(Health { spare_percent: 10, ..WELL }), Verdict::Pass),
            ("live", None, Ok(Health { spare_percent: 9, ..WELL }), Verdict::Fail),
            ("live", None, Ok(Health { used_percent: 80, ..WELL }), Verdict::Warn),
            ("live", None, Ok(Health { used_percent: 99, ..WELL }), Verdict::Warn),
            ("live", None, Ok(Health { used_percent: 100, ..WELL }), Verdict::Fail),
            ("live", None, Ok(Health { media_errors: 1, ..WELL }), Verdict::Warn),
            ("live", None, denied(), Verdict::Info),
        ] {
            let judged = seen(state, temperature, health.clone());
            assert_eq!(judged.verdict, expected, "{state} {temperature:?} {health:?}: {}", judged.summary);
            assert_eq!(judged.gaps.len(), usize::from(health.is_err()));
        }
    }

    #[test]
    fn a_host_without_nvme_is_not_asked() {
        let mut evidence = Evidence::default();
        evidence.put(NVME, Err(Gap::absent("/sys/class/nvme does not exist")));
        assert_eq!(judge_one("disk.nvme", &evidence).unwrap_err().reason, GapReason::NotApplicable);
    }
}
