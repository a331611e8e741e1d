//! The file system that holds Iggy's data.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size::human;
use crate::domain::verdict::Severity;
use crate::evidence::mounts::{DATA_VOLUME, MOUNTS, Mount, MountClass};

pub(super) const CHECK: Check = Check {
    id: "disk.fstype",
    title: "File system of the data",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[DATA_VOLUME.source()],
    rule: "Fails when the data lies in memory (tmpfs), on a network or a FUSE file system; warns on a container's overlay; \
           information on btrfs, zfs, f2fs and others, on the root file system, and on one that is less than half as large as the largest of this host; passes on xfs and ext4 of its own.",
    threshold_source: "Redpanda asks for xfs, TiUP for ext4 or xfs, ClickHouse warns on overlay. That the root file system is only information is our own: most servers have one disk.",
    why: "Iggy's durability is that of fsync on this file system; in memory it is none, over a network it is somebody else's, and an overlay goes with its container.",
    remedy: "# A volume of its own, made and mounted for it, with the server stopped:\nmkfs.xfs /dev/DEVICE\nmkdir -p /var/lib/iggy && mount -o noatime /dev/DEVICE /var/lib/iggy\n# then set system.path (IGGY_SYSTEM_PATH) to a folder there and move the data.",
    references: &["Apache Iggy: server configuration, system.path"],
    privilege: "any user",
    settings: &[],
    evaluate: fstype,
};

fn fstype(case: &Case<'_>) -> Result<Judgement, Gap> {
    let mount = case.read(DATA_VOLUME)?;
    let others = case.read(MOUNTS).map_or(&[][..], Vec::as_slice);
    let facts = [
        ("Mounted on", mount.point.clone()),
        ("Type", mount.kind.clone()),
        ("Device", mount.source.clone()),
        ("Options", mount.options.join(",")),
    ];
    Ok(judged(mount, others)
        .expected("xfs or ext4 on a volume of its own")
        .proof(Proof::facts("The file system", facts)))
}

fn judged(mount: &Mount, others: &[Mount]) -> Judgement {
    let what = format!("The data lies on {} ({})", mount.kind, mount.point);
    match mount.class() {
        MountClass::Memory => Judgement::fail(format!("{what}: it is gone at the next reboot.")),
        MountClass::Remote => Judgement::fail(format!(
            "{what}: a network or FUSE file system, on which Iggy's writes may hang or be lost."
        )),
        _ if mount.kind == "overlay" => Judgement::warn(format!("{what}: it goes when the container is removed.")),
        _ if !["xfs", "ext4"].contains(&mount.kind.as_str()) => {
            Judgement::info(format!("{what}, which Iggy's authors do not test; xfs and ext4 are the safe choices."))
        }
        _ if mount.point == "/" => {
            Judgement::info(format!("{what}, the root file system: whatever else fills it stops Iggy too."))
        }
        _ => {
            if let Some(larger) = larger(mount, others) {
                return Judgement::info(format!("{what}; {} is more than twice as large.", larger.point));
            }
            let size = mount.space.as_ref().map_or(0, |space| space.total_bytes);
            let size = if size == 0 { String::new() } else { format!(" of {}", human(size)) };
            Judgement::pass(format!("{what}{size}."))
        }
    }
}

/// The largest local file system, if it is more than twice as large.
fn larger<'a>(mount: &Mount, others: &'a [Mount]) -> Option<&'a Mount> {
    let size = |mount: &Mount| mount.space.as_ref().map_or(0, |space| space.total_bytes);
    let local = others.iter().filter(|other| other.class() == MountClass::Local && other.device != mount.device);
    let largest = local.max_by_key(|other| size(other))?;
    let own = size(mount);
    (own > 0 && size(largest) / 2 > own).then_some(largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::mounts::{Space, parse};

    #[test]
    fn each_kind_of_file_system_has_its_verdict() {
        for (kind, point, verdict) in [
            ("xfs", "/srv", Verdict::Pass),
            ("ext4", "/srv", Verdict::Pass),
            ("ext4", "/", Verdict::Info),
            ("zfs", "/srv", Verdict::Info),
            ("btrfs", "/srv", Verdict::Info),
            ("overlay", "/", Verdict::Warn),
            ("tmpfs", "/srv", Verdict::Fail),
            ("nfs4", "/srv", Verdict::Fail),
            ("cifs", "/srv", Verdict::Fail),
            ("9p", "/srv", Verdict::Fail),
            ("fuse.s3fs", "/srv", Verdict::Fail),
        ] {
            let mount = &parse(&format!("1 2 8:1 / {point} rw - {kind} x rw"))[0];
            assert_eq!(judged(mount, &[]).verdict, verdict, "{kind} on {point}");
        }
    }

    #[test]
    fn a_much_larger_file_system_is_worth_a_word() {
        let mut mounts = parse("1 2 8:1 / /srv rw - xfs a rw\n1 2 8:2 / /big rw - xfs b rw\n");
        let sized = |total_bytes| Ok(Space { total_bytes, available_bytes: 1, inodes: 0, inodes_available: 0 });
        mounts[0].space = sized(100);
        for (size, verdict) in [(201, Verdict::Pass), (202, Verdict::Info)] {
            mounts[1].space = sized(size);
            assert_eq!(judged(&mounts[0], &mounts).verdict, verdict, "{size}");
        }
    }
}
