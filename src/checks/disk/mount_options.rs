//! Options with which the file system of the data is mounted.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
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
    remedy: "# noatime, and writable again (if the kernel made it read-only after an error: disk.fs-errors first)\nmount -o remount,rw,noatime 'MOUNT_POINT'\n# Barriers on ext4; XFS cannot be mounted without them since Linux 4.19\nmount -o remount,barrier=1 'MOUNT_POINT'\n# data=writeback cannot be changed while mounted: take it out of /etc/fstab, then with the server stopped\numount 'MOUNT_POINT' && mount 'MOUNT_POINT'\ngrep -n 'MOUNT_POINT' /etc/fstab   # the same options must stand there",
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

/// How the order of writes comes back: barriers at once, the mode of the data only with a new mount.
fn ordered(point: &str, option: &str) -> String {
    let point = quoted(point);
    let fstab =
        format!("# Take {option} out of its line here, or it is back at the next boot:\ngrep -n {point} /etc/fstab");
    if option == "data=writeback" {
        return format!(
            "{fstab}\nsystemctl stop iggy-server\numount {point} && mount {point}\nsystemctl start iggy-server"
        );
    }
    format!("mount -o remount,barrier=1 {point}\n{fstab}")
}

fn judged(mount: &Mount) -> Judgement {
    let point = &mount.point;
    if mount.has("ro") && mount.class() != MountClass::Pseudo {
        return Judgement::fail(format!("{point} is mounted read-only.")).remedy(format!(
            "# Did the kernel do it, after an error? Then disk.fs-errors first\ndmesg -T | grep -iE 'remount|read-only|i/o error' | tail\nmount -o remount,rw {0}\ngrep -n {0} /etc/fstab",
            quoted(point)
        ));
    }
    if let Some(option) = ["nobarrier", "barrier=0", "data=writeback"].into_iter().find(|option| mount.has(option)) {
        return Judgement::fail(format!(
            "{point} is mounted with {option}: after a power loss, data that was acknowledged may be gone."
        ))
        .remedy(ordered(point, option));
    }
    // The kernel has no word for it in its table: neither of the other two is set.
    if !["noatime", "relatime"].into_iter().any(|option| mount.has(option)) {
        return Judgement::warn(format!("{point} is mounted with strictatime: each read is a write."))
            .remedy(format!("mount -o remount,noatime {0}\ngrep -n {0} /etc/fstab   # and there", quoted(point)));
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

    #[test]
    fn a_remedy_is_for_the_option_that_is_wrong() {
        let remedy =
            |options: &str| judged(&parse(&format!("1 2 8:1 / /srv {options} - ext4 /dev/sda1 rw"))[0]).remedy.unwrap();
        assert!(remedy("rw,noatime,barrier=0").starts_with("mount -o remount,barrier=1 '/srv'\n"));
        // ext4 refuses to change the mode of the data while it is mounted.
        let written_back = remedy("rw,noatime,data=writeback");
        assert!(!written_back.contains("remount") && written_back.contains("umount '/srv' && mount '/srv'"));
        assert!(remedy("ro").contains("mount -o remount,rw '/srv'"));
    }
}
