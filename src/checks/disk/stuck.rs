//! Mounts that do not answer.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::verdict::Severity;
use crate::evidence::iggy::IGGY_PLACE;
use crate::evidence::mounts::{DATA_VOLUME, MOUNTS, Mount, holding};

pub(super) const CHECK: Check = Check {
    id: "disk.stuck",
    title: "Every mount answers",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[MOUNTS.source()],
    rule: "Fails when the file system of Iggy's data does not answer within a second, warns when another mount does not; passes otherwise.",
    threshold_source: "The second is our own; node_exporter gives a mount five before it is skipped. With one dead mount, other tools need minutes or never end.",
    why: "Whoever touches a dead mount waits in the kernel and cannot be killed: backups, log rotation, and the server itself if its data is there.",
    remedy: "# Is its server reachable? If it is gone for good:\numount -l MOUNT_POINT\n# and mount it again with a time limit: for NFS, soft,timeo=100 in /etc/fstab.",
    references: &["node_exporter: --collector.filesystem.mount-timeout"],
    privilege: "any user",
    settings: &[],
    evaluate: stuck,
};

fn stuck(case: &Case<'_>) -> Result<Judgement, Gap> {
    let mounts = case.read(MOUNTS)?;
    let silent: Vec<&Mount> = mounts.iter().filter(|mount| mount.is_stuck()).collect();
    let asked = mounts.iter().filter(|mount| mount.space.is_ok()).count() + silent.len();
    let Some(first) = silent.first() else {
        return Ok(Judgement::pass(format!("{} answered within a second.", counted(asked, "mount", "mounts"))));
    };
    let path = case.read(IGGY_PLACE).ok().and_then(|place| place.data_dir.as_deref());
    let below = path.and_then(|path| holding(mounts, path)).filter(|mount| mount.is_stuck());
    let data = case.read(DATA_VOLUME).ok().filter(|mount| mount.is_stuck()).or(below);
    let rows = silent
        .iter()
        .map(|mount| vec![mount.point.as_str().into(), mount.kind.as_str().into(), mount.source.as_str().into()]);
    let columns = vec![Column::text("Mounted on"), Column::text("Type"), Column::text("What")];
    let proof = Proof::table("Mounts that do not answer", columns, rows.collect());
    let judged = match data {
        Some(mount) => Judgement::fail(format!(
            "{} ({}), which holds Iggy's data, did not answer within a second.",
            mount.point, mount.kind
        )),
        None => Judgement::warn(format!(
            "{} ({}) did not answer within a second; {} of {asked} mounts in all.",
            first.point,
            first.kind,
            silent.len()
        )),
    };
    let point = data.map_or(first.point.as_str(), |mount| mount.point.as_str());
    let remedy = CHECK.remedy.replace("MOUNT_POINT", &quoted(point));
    Ok(judged.remedy(remedy).proof(proof))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::mounts::{Space, parse};

    #[test]
    fn a_dead_mount_warns_and_one_with_the_data_fails() {
        const SPACE: Space = Space { total_bytes: 1, available_bytes: 1, inodes: 0, inodes_available: 0 };
        let mut mounts = parse(
            "1 2 8:1 / / rw - ext4 /dev/sda1 rw\n1 2 0:9 / /mnt/it's rw - nfs filer:/x rw\n1 2 0:3 / /proc rw - proc p rw\n",
        );
        mounts[0].space = Ok(SPACE);
        mounts[1].space = Ok(SPACE);
        let judged = |mounts: &Vec<Mount>, data: &Mount| {
            let mut evidence = Evidence::default();
            evidence.put(MOUNTS, Ok(mounts.clone()));
            evidence.put(DATA_VOLUME, Ok(data.clone()));
            judge_one("disk.stuck", &evidence).unwrap()
        };
        let well = judged(&mounts, &mounts[0]);
        assert_eq!((well.verdict, well.summary.as_str()), (Verdict::Pass, "2 mounts answered within a second."));
        mounts[1].space = Err(Gap::timeout("silent"));
        let dead = judged(&mounts, &mounts[0]);
        assert_eq!(dead.verdict, Verdict::Warn);
        assert!(dead.remedy.unwrap().contains(r"umount -l '/mnt/it'\''s'"));
        assert_eq!(judged(&mounts, &mounts[1]).verdict, Verdict::Fail);
    }
}
