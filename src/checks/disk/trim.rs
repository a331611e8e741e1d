//! Whether the drive of the data learns which blocks are free.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::block::{BLOCK_DEVICES, Backing, BlockDevice, stack};
use crate::evidence::mounts::{DATA_VOLUME, Mount};
use crate::evidence::trim::{TRIM, Trim};

pub(super) const CHECK: Check = Check {
    id: "disk.fstrim",
    title: "The drive learns which blocks are free",
    category: Category::Disk,
    tier: Tier::Extended,
    severity: Severity::Low,
    needs: &[DATA_VOLUME.source(), BLOCK_DEVICES.source(), TRIM.source()],
    rule: "Of the drive below the data: warns when it is a solid-state drive that takes discards, and neither the mount option discard nor fstrim.timer nor a job of cron sends any; information where a hypervisor's disk would take them, which saves space alone, or a layer between does not pass them on. Passes otherwise. Skipped where the device takes no discards.",
    threshold_source: "Redpanda's and ScyllaDB's setup enable fstrim.timer.",
    why: "Iggy deletes whole segments; a drive that is not told keeps copying them around, wears out sooner and stalls writes.",
    remedy: "systemctl enable --now fstrim.timer\nfstrim -v MOUNT_POINT        # once, now, when the broker is quiet\n# Without systemd:\nprintf '#!/bin/sh\\nfstrim -a\\n' > /etc/cron.weekly/fstrim && chmod +x /etc/cron.weekly/fstrim",
    references: &["fstrim(8)", "Linux documentation: ABI/stable/sysfs-block, discard_max_bytes"],
    privilege: "any user",
    settings: &[],
    evaluate: trim,
};

fn trim(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (volume, devices) = (case.read(DATA_VOLUME)?, case.read(BLOCK_DEVICES)?);
    let layers = stack(devices, volume.device);
    let trim = case.read(TRIM);
    let judged = judged(volume, &layers, trim.as_ref().ok().copied())?;
    let facts = layers.iter().map(|device| {
        let takes = device.discard_max_bytes.map_or_else(|| "not known".to_owned(), size::human);
        (format!("{} takes at once", device.name), takes)
    });
    let sent = trim.as_ref().ok().and_then(|trim| trim.timer.clone().or_else(|| trim.cron.clone()));
    let sent = [("Sent from time to time by".to_owned(), sent.unwrap_or_else(|| "nobody".to_owned()))];
    let judged = judged.proof(Proof::facts("Discards", facts.chain(sent)));
    Ok(trim.err().into_iter().fold(judged, Judgement::gap))
}

fn judged(volume: &Mount, layers: &[&BlockDevice], trim: Option<&Trim>) -> Result<Judgement, Gap> {
    let takes = |device: &&&BlockDevice| device.discard_max_bytes.is_some_and(|bytes| bytes > 0);
    let (Some(top), Some(bottom)) = (layers.first(), layers.last()) else {
        return Err(Gap::not_applicable(format!("{} lies on no block device that is known", volume.point)));
    };
    if !takes(&top) {
        return match layers.iter().find(takes) {
            Some(below) => Ok(Judgement::info(format!(
                "{} takes discards, and {} above it does not pass them on.",
                below.name, top.name
            ))),
            None => Err(Gap::not_applicable(format!("{} takes no discards", top.name))),
        };
    }
    if volume.has("discard") || volume.options.iter().any(|option| option.starts_with("discard=")) {
        return Ok(Judgement::pass(format!("{} is mounted with discard.", volume.point)));
    }
    let Some(trim) = trim else {
        return Ok(Judgement::info(format!("{} takes discards; whether any are sent could not be seen.", top.name)));
    };
    if let Some(sender) = trim.timer.as_deref().or(trim.cron.as_deref()) {
        return Ok(Judgement::pass(format!("Discards are sent from time to time, by {sender}.")));
    }
    let unsent = format!("{} takes discards, and nobody sends any", top.name);
    Ok(match bottom.backing {
        Backing::Virtual => {
            Judgement::info(format!("{unsent}: space that is free here stays in use at the hypervisor's."))
        }
        Backing::Physical | Backing::Layered => {
            Judgement::warn(format!("{unsent}.")).remedy(CHECK.remedy.replace("MOUNT_POINT", &volume.point))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::gap::GapReason;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::mounts::parse;

    #[test]
    fn a_drive_that_takes_discards_wants_some() {
        let timer = || Some(Trim { timer: Some("/etc/x/fstrim.timer".into()), cron: None });
        let cron = || Some(Trim { timer: None, cron: Some("/etc/cron.weekly/fstrim".into()) });
        let nobody = || Some(Trim::default());
        let (physical, hypervisor) = (Backing::Physical, Backing::Virtual);
        for (options, takes, backing, trim, expected) in [
            ("rw", [1, 1], physical, nobody(), Ok(Verdict::Warn)),
            ("rw", [1, 1], hypervisor, nobody(), Ok(Verdict::Info)),
            ("rw,discard", [1, 1], physical, nobody(), Ok(Verdict::Pass)),
            ("rw,discard=async", [1, 1], physical, nobody(), Ok(Verdict::Pass)),
            ("rw", [1, 1], physical, timer(), Ok(Verdict::Pass)),
            ("rw", [1, 1], physical, cron(), Ok(Verdict::Pass)),
            ("rw", [1, 1], physical, None, Ok(Verdict::Info)),
            ("rw", [0, 1], physical, nobody(), Ok(Verdict::Info)),
            ("rw", [0, 0], physical, timer(), Err(GapReason::NotApplicable)),
        ] {
            let [top, bottom] = takes;
            let device = |name: &str, minor, bytes, made_of: &[&str], backing| BlockDevice {
                name: name.into(),
                device: (253, minor),
                made_of: made_of.iter().map(|name| (*name).to_owned()).collect(),
                discard_max_bytes: Some(bytes),
                backing,
                ..BlockDevice::default()
            };
            let devices =
                vec![device("dm-0", 0, top, &["sda"], Backing::Layered), device("sda", 1, bottom, &[], backing)];
            let mut evidence = Evidence::default();
            evidence.put(DATA_VOLUME, Ok(parse(&format!("1 2 253:0 / /srv {options} - xfs /dev/dm-0 rw"))[0].clone()));
            evidence.put(BLOCK_DEVICES, Ok(devices));
            evidence.put(TRIM, trim.clone().ok_or_else(|| Gap::absent("/etc does not exist")));
            let judged = judge_one("disk.fstrim", &evidence);
            let verdict = judged.as_ref().map(|judged| judged.verdict).map_err(|gap| gap.reason);
            assert_eq!(verdict, expected, "{options} {takes:?} {trim:?}: {judged:?}");
        }
    }
}
