//! How the kernel queues requests to the disks of the data.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::block::{BLOCK_DEVICES, Backing, BlockDevice, stack};
use crate::evidence::mounts::DATA_VOLUME;

pub(super) const CHECK: Check = Check {
    id: "disk.queue",
    title: "Scheduler, read-ahead and merges",
    category: Category::Disk,
    tier: Tier::Extended,
    severity: Severity::Low,
    needs: &[DATA_VOLUME.source(), BLOCK_DEVICES.source()],
    rule: "Of the drives below the data: warns on the scheduler bfq or cfq on a solid-state drive, on a rotating drive (virtual disks do not count), and on one without read-ahead; information on another scheduler than none on NVMe; passes otherwise.",
    threshold_source: "Redpanda sets none and nomerges; ClickHouse asks for read-ahead on rotating drives.",
    why: "A scheduler that sorts requests for a disk's heads only costs time where there are none.",
    remedy: "echo none > /sys/block/DEVICE/queue/scheduler\necho 'ACTION==\"add|change\", KERNEL==\"DEVICE\", ATTR{queue/scheduler}=\"none\"' > /etc/udev/rules.d/60-iggy-scheduler.rules",
    references: &["Linux documentation: block/switching-sched"],
    privilege: "any user",
    settings: &[],
    evaluate: queue,
};

fn queue(case: &Case<'_>) -> Result<Judgement, Gap> {
    let mount = case.read(DATA_VOLUME)?;
    let devices = case.read(BLOCK_DEVICES)?;
    let leaves: Vec<&BlockDevice> =
        stack(devices, mount.device).into_iter().filter(|device| device.backing != Backing::Layered).collect();
    if leaves.is_empty() {
        return Err(Gap::not_applicable(format!(
            "{} stands on no block device that can be told ({})",
            mount.point, mount.kind
        )));
    }
    let rows = leaves.iter().map(|device| {
        let text = |value: Option<String>| value.unwrap_or_else(|| "not known".to_owned());
        [
            device.name.clone(),
            text(device.scheduler.clone()),
            text(device.rotational.map(|rotational| if rotational { "yes" } else { "no" }.to_owned())),
            text(device.read_ahead_kib.map(|kib| format!("{kib} KiB"))),
            text(device.merges.map(|merges| merges.to_string())),
            text(device.write_cache.clone()),
        ]
        .map(Into::into)
        .to_vec()
    });
    let columns =
        ["Device", "Scheduler", "Rotates", "Read-ahead", "nomerges", "Write cache"].map(Column::text).to_vec();
    let worst = leaves.iter().map(|device| judged(device)).max_by_key(|judged| judged.verdict);
    let worst = worst.expect("there is at least one drive");
    Ok(worst.proof(Proof::table("Drives below the data", columns, rows.collect())))
}

fn judged(device: &BlockDevice) -> Judgement {
    let name = &device.name;
    let scheduler = device.scheduler.as_deref().unwrap_or("none");
    if device.is_rotating_drive() {
        return if device.read_ahead_kib == Some(0) {
            Judgement::warn(format!("{name} rotates and has no read-ahead."))
                .remedy(format!("echo 4096 > /sys/block/{name}/queue/read_ahead_kb"))
        } else {
            Judgement::warn(format!("The data lies on {name}, a rotating drive."))
                .remedy("Move the data to a solid-state drive: each fsync waits for the heads.")
        };
    }
    let remedy = CHECK.remedy.replace("DEVICE", name);
    if ["bfq", "cfq"].contains(&scheduler) {
        return Judgement::warn(format!("{name} uses the scheduler {scheduler}, made for rotating drives."))
            .remedy(remedy);
    }
    if name.starts_with("nvme") && scheduler != "none" {
        return Judgement::info(format!("{name} uses the scheduler {scheduler}; NVMe drives schedule by themselves."))
            .remedy(remedy);
    }
    Judgement::pass(format!("{name} uses the scheduler {scheduler}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn schedulers_are_judged_by_the_drive() {
        for (name, scheduler, rotational, backing, expected) in [
            ("nvme0n1", "none", false, Backing::Physical, Verdict::Pass),
            ("nvme0n1", "mq-deadline", false, Backing::Physical, Verdict::Info),
            ("sda", "mq-deadline", false, Backing::Physical, Verdict::Pass),
            ("sda", "bfq", false, Backing::Physical, Verdict::Warn),
            ("sda", "mq-deadline", true, Backing::Physical, Verdict::Warn),
            ("vda", "none", true, Backing::Virtual, Verdict::Pass),
        ] {
            let device = BlockDevice {
                name: name.into(),
                scheduler: Some(scheduler.into()),
                rotational: Some(rotational),
                backing,
                ..BlockDevice::default()
            };
            assert_eq!(judged(&device).verdict, expected, "{name} {scheduler} {rotational}");
        }
    }

    #[test]
    fn a_rotating_drive_wants_read_ahead() {
        for (read_ahead_kib, says) in
            [(0, "sda rotates and has no read-ahead."), (128, "The data lies on sda, a rotating drive.")]
        {
            let device = BlockDevice {
                name: "sda".into(),
                rotational: Some(true),
                read_ahead_kib: Some(read_ahead_kib),
                ..BlockDevice::default()
            };
            let judged = judged(&device);
            assert_eq!((judged.verdict, judged.summary.as_str()), (Verdict::Warn, says));
        }
    }
}
