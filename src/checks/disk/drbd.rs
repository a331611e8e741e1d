//! Whether mirrored disks are mirrored.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::drbd::{DRBD, Drbd, DrbdDisk};
use crate::evidence::logs::KERNEL_LOG;

pub(super) const CHECK: Check = Check {
    id: "disk.drbd",
    title: "DRBD mirrors are in step",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[DRBD.source(), KERNEL_LOG.source()],
    rule: "Fails when the disk here is not UpToDate, when a resource has given its peer up (StandAlone), and when the kernel's log tells of a split brain that is still there. Warns when a resource is not connected, syncs, or has blocks that differ. Passes otherwise. Skipped without DRBD. Of version 9 the state is read from debugfs.",
    threshold_source: "DRBD's own states; node_exporter's drbd collector reads the same table.",
    why: "A mirror that is out of step is found out on the day of the failover, when the other half is all that is left.",
    remedy: "drbdadm status\n# Not connected:\ndrbdadm connect RESOURCE\n# Split brain: on the side whose changes are given up (they are lost)\ndrbdadm secondary RESOURCE; drbdadm connect --discard-my-data RESOURCE\n# and on the other one\ndrbdadm connect RESOURCE",
    references: &["DRBD users guide: troubleshooting", "drbdadm(8)"],
    privilege: "any user for version 8; root for version 9; CAP_SYSLOG for the kernel's log",
    settings: &[],
    evaluate: drbd,
};

/// What the kernel logs when both sides were written.
const SPLIT_BRAIN: &str = "Split-Brain detected";

fn drbd(case: &Case<'_>) -> Result<Judgement, Gap> {
    let drbd = case.read(DRBD).map_err(|gap| match gap.reason {
        GapReason::Absent => Gap::not_applicable("the DRBD driver is not loaded"),
        _ => gap,
    })?;
    let log = case.read(KERNEL_LOG);
    let split = log.as_ref().is_ok_and(|log| log.lines.iter().any(|line| line.text.contains(SPLIT_BRAIN)));
    let writers = if split { Writers::Both } else { Writers::One };
    let columns = vec![
        Column::text("Disk"),
        Column::text("Connection"),
        Column::text("Roles"),
        Column::text("Disks"),
        Column::number("Differs, KiB", Unit::Count),
    ];
    let row = |disk: &DrbdDisk| {
        let texts = [&disk.name, &disk.connection, &disk.roles, &disk.disks].map(|text| text.as_str().into());
        texts.into_iter().chain([disk.out_of_sync_kib.into()]).collect()
    };
    let judged = judged(drbd, writers);
    let judged = judged.proof(Proof::table("Mirrored disks", columns, drbd.disks.iter().map(row).collect()));
    Ok(log.err().into_iter().fold(judged, Judgement::gap))
}

/// Who wrote to a mirrored disk, as far as the kernel's log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writers {
    /// One side, as it should be.
    One,
    /// Both: what they hold cannot be brought together.
    Both,
}

fn judged(drbd: &Drbd, writers: Writers) -> Judgement {
    let worst = drbd.disks.iter().map(DrbdDisk::judged).max_by_key(|(verdict, _)| *verdict);
    match worst {
        None => Judgement::info(format!("DRBD {} is loaded and mirrors no disk.", drbd.version)),
        Some((Verdict::Fail, why)) => Judgement::fail(sentence(&why)),
        Some((Verdict::Warn, why)) if writers == Writers::Both => {
            Judgement::fail(format!("Both sides were written (split brain), and {why}."))
        }
        Some((Verdict::Warn, why)) => Judgement::warn(sentence(&why)),
        Some(_) => Judgement::pass(format!("{} mirrored.", counted(drbd.disks.len(), "disk is", "disks are"))),
    }
}

/// A fragment as a sentence.
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    // A name of a device keeps its letters.
    if fragment.starts_with("drbd") {
        format!("{fragment}.")
    } else {
        format!("{}{}.", first.collect::<String>(), letters.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::logs::{KernelLine, KernelLog};

    fn seen(disks: &[(&str, &str)], split: bool) -> Judgement {
        let disk = |(connection, states): &(&str, &str)| DrbdDisk {
            name: "drbd0".into(),
            connection: (*connection).into(),
            roles: "Primary/Secondary".into(),
            disks: (*states).into(),
            out_of_sync_kib: 0,
        };
        let line = KernelLine {
            priority: 1,
            since_boot_us: 1,
            text: "block drbd0: Split-Brain detected but unresolved".into(),
        };
        let lines = split.then_some(line).into_iter().collect();
        let mut evidence = Evidence::default();
        evidence.put(DRBD, Ok(Drbd { version: "8.4.11".into(), disks: disks.iter().map(disk).collect() }));
        evidence.put(KERNEL_LOG, Ok(KernelLog { lines, dropped: 0, uptime_s: 9 }));
        judge_one("disk.drbd", &evidence).unwrap()
    }

    #[test]
    fn the_worst_mirror_decides() {
        let well = ("Connected", "UpToDate/UpToDate");
        for (disks, split, expected) in [
            (vec![well, well], false, Verdict::Pass),
            (vec![well], true, Verdict::Pass),
            (vec![well, ("WFConnection", "UpToDate/DUnknown")], false, Verdict::Warn),
            (vec![well, ("WFConnection", "UpToDate/DUnknown")], true, Verdict::Fail),
            (vec![well, ("StandAlone", "UpToDate/DUnknown")], false, Verdict::Fail),
            (vec![], false, Verdict::Info),
        ] {
            let judged = seen(&disks, split);
            assert_eq!(judged.verdict, expected, "{disks:?} {split}: {}", judged.summary);
        }
        assert_eq!(seen(&[("Connected", "Failed/UpToDate")], false).summary, "The disk of drbd0 here is Failed.");
    }

    #[test]
    fn a_host_without_drbd_is_not_asked() {
        let mut evidence = Evidence::default();
        evidence.put(DRBD, Err(Gap::absent("/proc/drbd does not exist")));
        assert_eq!(judge_one("disk.drbd", &evidence).unwrap_err().reason, GapReason::NotApplicable);
    }
}
