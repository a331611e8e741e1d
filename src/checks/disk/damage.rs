//! Damage that the kernel counted: file systems and arrays.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::damage::{ARRAYS, Array, FILE_SYSTEM_ERRORS, FileSystemErrors};
use crate::evidence::mounts::{DATA_VOLUME, MOUNTS, Mount, MountClass};

pub(super) const ERRORS: Check = Check {
    id: "disk.fs-errors",
    title: "Errors of file systems",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[FILE_SYSTEM_ERRORS.source(), MOUNTS.source()],
    rule: "Fails when a file system counted errors on itself, or the one with the data is mounted read-only; information where none counts its errors, such as XFS; passes otherwise. What the kernel logged of devices is judged by logs.kernel.",
    threshold_source: "node-problem-detector's readonly-monitor and its rules for ext4.",
    why: "After the first error an ext4 file system may turn read-only at any moment, and what was written around it is in doubt.",
    remedy: "dmesg -T | grep -iE 'ext4|xfs|btrfs|i/o error'\nsystemctl stop iggy-server\numount MOUNT_POINT && fsck -f DEVICE   # xfs_repair DEVICE for XFS\n# and compare the data with a replica before the server starts again.",
    references: &["Linux documentation: admin-guide/ext4", "node-problem-detector: readonly-monitor.json"],
    privilege: "any user",
    settings: &[],
    evaluate: errors,
};

pub(super) const RAID: Check = Check {
    id: "disk.raid",
    title: "Software RAID",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[ARRAYS.source()],
    rule: "Fails when an array has lost a member; warns while one is rebuilt or checked, and when its members differ; information when the stripe cache of RAID 4, 5 or 6 is below 1,024 pages; passes otherwise, also without arrays.",
    threshold_source: "node_exporter's mixin (NodeRAIDDegraded); ClickHouse for the stripe cache.",
    why: "A degraded array has no second chance, and rebuilding it is when the next disk fails.",
    remedy: "cat /proc/mdstat\nmdadm --detail /dev/ARRAY\nmdadm --manage /dev/ARRAY --remove failed && mdadm --manage /dev/ARRAY --add /dev/NEW_DEVICE",
    references: &["Linux documentation: admin-guide/md"],
    privilege: "any user",
    settings: &[],
    evaluate: raid,
};

fn errors(case: &Case<'_>) -> Result<Judgement, Gap> {
    let found = case.read(FILE_SYSTEM_ERRORS)?;
    let data = case.read(DATA_VOLUME).ok();
    let rows = found.iter().map(|one| {
        let last = one.last_unix.map_or(Cell::Empty, |time| Timestamp::from_unix(time).to_string().into());
        vec![one.kind.as_str().into(), one.device.as_str().into(), one.errors.into(), last]
    });
    let columns =
        vec![Column::text("Type"), Column::text("Device"), Column::number("Errors", Unit::Count), Column::text("Last")];
    Ok(judged_errors(found, data).proof(Proof::table("Errors that file systems counted", columns, rows.collect())))
}

fn judged_errors(found: &[FileSystemErrors], data: Option<&Mount>) -> Judgement {
    if let Some(mount) = data.filter(|mount| mount.has("ro") && mount.class() != MountClass::Pseudo) {
        return Judgement::fail(format!("{}, which holds Iggy's data, is mounted read-only.", mount.point)).remedy(
            ERRORS.remedy.replace("MOUNT_POINT", &quoted(&mount.point)).replace("DEVICE", &quoted(&mount.source)),
        );
    }
    match found.iter().filter(|one| one.errors > 0).max_by_key(|one| one.errors) {
        Some(worst) => Judgement::fail(format!(
            "The {} file system on {} counted {} errors on itself.",
            worst.kind, worst.device, worst.errors
        ))
        .remedy(
            ERRORS
                .remedy
                .replace("MOUNT_POINT", &format!("\"$(findmnt -no TARGET /dev/{})\"", worst.device))
                .replace("DEVICE", &format!("/dev/{}", worst.device)),
        ),
        None if found.is_empty() => Judgement::info("No file system here counts its own errors."),
        None => Judgement::pass(format!(
            "{} counted no errors.",
            counted(found.len(), "file system that counts them", "file systems that count them")
        )),
    }
}

fn raid(case: &Case<'_>) -> Result<Judgement, Gap> {
    let arrays = case.read(ARRAYS)?;
    let rows = arrays.iter().map(|array| {
        [
            array.name.clone(),
            array.level.clone(),
            array.degraded.to_string(),
            array.action.clone(),
            array.failed.join(" "),
        ]
        .map(Cell::from)
        .to_vec()
    });
    let columns = ["Array", "Level", "Missing members", "Under way", "Failed"].map(Column::text).to_vec();
    Ok(judged_raid(arrays).proof(Proof::table("Arrays", columns, rows.collect())))
}

fn judged_raid(arrays: &[Array]) -> Judgement {
    /// `ClickHouse`'s advice for RAID 5 and 6.
    const STRIPE_CACHE_MIN: u64 = 1024;
    let broken = arrays.iter().find(|array| array.degraded > 0 || !array.failed.is_empty());
    if let Some(array) = broken {
        let (name, failed) = (&array.name, array.failed.join(" "));
        let failed = if failed.is_empty() { String::new() } else { format!(" ({failed})") };
        return Judgement::fail(format!(
            "{name} ({}) has lost {} of its members{failed}.",
            array.level,
            array.degraded.max(1)
        ))
        .remedy(RAID.remedy.replace("ARRAY", name));
    }
    if let Some(array) =
        arrays.iter().find(|array| !array.action.is_empty() && array.action != "idle" && array.action != "frozen")
    {
        return Judgement::warn(format!(
            "{} is busy with {}: it is slower until that is done.",
            array.name, array.action
        ));
    }
    if let Some(array) = arrays.iter().find(|array| array.mismatches > 0) {
        return Judgement::warn(format!("The members of {} differ in {} sectors.", array.name, array.mismatches));
    }
    if let Some(array) = arrays.iter().find(|array| array.stripe_cache.is_some_and(|pages| pages < STRIPE_CACHE_MIN)) {
        return Judgement::info(format!(
            "The stripe cache of {} has {} pages.",
            array.name,
            array.stripe_cache.unwrap_or(0)
        ))
        .remedy(format!("echo 4096 > /sys/block/{}/md/stripe_cache_size", array.name));
    }
    match arrays.len() {
        0 => Judgement::pass("This host has no software RAID."),
        arrays => Judgement::pass(format!("{} whole.", counted(arrays, "array is", "arrays are"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::mounts::parse;

    #[test]
    fn counted_errors_and_a_read_only_volume_fail() {
        let counts = |errors| FileSystemErrors { kind: "ext4".into(), device: "sda1".into(), errors, last_unix: None };
        let mount = |options: &str| parse(&format!("1 2 8:1 / /srv {options} - ext4 /dev/sda1 rw"))[0].clone();
        for (errors, options, expected) in
            [(0, "rw", Verdict::Pass), (1, "rw", Verdict::Fail), (0, "ro", Verdict::Fail)]
        {
            assert_eq!(judged_errors(&[counts(errors)], Some(&mount(options))).verdict, expected);
        }
        assert_eq!(judged_errors(&[], None).verdict, Verdict::Info);
    }

    #[test]
    fn an_array_is_judged_by_its_members() {
        let whole = || Array { name: "md0".into(), level: "raid1".into(), action: "idle".into(), ..Array::default() };
        for (array, expected) in [
            (whole(), Verdict::Pass),
            (Array { degraded: 1, ..whole() }, Verdict::Fail),
            (Array { failed: vec!["sdb".into()], ..whole() }, Verdict::Fail),
            (Array { action: "recover".into(), ..whole() }, Verdict::Warn),
            (Array { mismatches: 8, ..whole() }, Verdict::Warn),
            (Array { stripe_cache: Some(256), ..whole() }, Verdict::Info),
            (Array { stripe_cache: Some(1024), ..whole() }, Verdict::Pass),
        ] {
            assert_eq!(judged_raid(std::slice::from_ref(&array)).verdict, expected, "{array:?}");
        }
        assert_eq!(judged_raid(&[]).verdict, Verdict::Pass);
    }
}
