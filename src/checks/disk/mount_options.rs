//! Options with which the file system of the data is mounted.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::mounts::{DATA_VOLUME, Mount, MountClass};

pub(super) const CHECK: Check = Check {
    id: "disk.mount-opts",
    title: "Mount options of the data",
    category: Category::Disk,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[DATA_VOLUME.source()],
    rule: "Fails when the file system with the data is mounted read-only, without barriers (nobarrier, barrier=0) or with data=writeback; warns on strictatime; information without noatime; passes otherwise.",
    threshold_source: "TiUP asks for noatime; that barriers and ordered data are needed for durability is the file systems' own documentation.",
    why: "Without barriers a power loss reorders what fsync promised, and the log and its index no longer agree.",
    remedy: "mount -o remount,rw,noatime,barrier=1 MOUNT_POINT\n# and the same options in /etc/fstab.",
    references: &["Linux documentation: admin-guide/ext4"],
    privilege: "any user",
    settings: &[],
    evaluate: mount_options,
};

fn mount_options(case: &Case<'_>) -> Result<Judgement, Gap> {
    let mount = case.read(DATA_VOLUME)?;
    let facts = [("Mounted on", mount.point.clone()), ("Options", mount.options.join(","))];
    Ok(judged(mount).proof(Proof::facts("The mount", facts)))
}

fn judged(mount: &Mount) -> Judgement {
    let point = &mount.point;
    if mount.has("ro") && mount.class() != MountClass::Pseudo {
        return Judgement::fail(format!("{point} is mounted read-only."));
    }
    if let Some(option) = ["nobarrier", "barrier=0", "data=writeback"].into_iter().find(|option| mount.has(option)) {
        return Judgement::fail(format!(
            "{point} is mounted with {option}: after a power loss, data that was acknowledged may be gone."
        ));
    }
    // The kernel has no word for it in its table: neither of the other two is set.
    if !["noatime", "relatime"].into_iter().any(|option| mount.has(option)) {
        return Judgement::warn(format!("{point} is mounted with strictatime: each read is a write."));
    }
    if mount.has("noatime") {
        Judgement::pass(format!("{point} is mounted with noatime and its barriers."))
    } else {
        Judgement::info(format!("{point} is mounted without noatime; relatime costs a write a day for each file."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::mounts::parse;

    #[test]
    fn options_that_lose_data_fail() {
        for (options, expected) in [
            ("rw,noatime", Verdict::Pass),
            ("rw,relatime", Verdict::Info),
            ("rw", Verdict::Warn),
            ("rw,nodiratime", Verdict::Warn),
            ("ro,noatime", Verdict::Fail),
            ("rw,noatime,nobarrier", Verdict::Fail),
            ("rw,noatime,barrier=0", Verdict::Fail),
            ("rw,noatime,data=writeback", Verdict::Fail),
            ("rw,noatime,errors=remount-ro", Verdict::Pass),
        ] {
            let mount = &parse(&format!("1 2 8:1 / /srv {options} - ext4 /dev/sda1 rw"))[0];
            assert_eq!(judged(mount).verdict, expected, "{options}");
        }
    }
}
