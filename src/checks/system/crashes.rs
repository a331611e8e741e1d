//! What crashes left on disk.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::crash::{CRASHES, Crashes, Dump, DumpKind};

const DAY_S: f64 = 86_400.0;

pub(super) const CHECK: Check = Check {
    id: "sys.crash",
    title: "Crash dumps",
    category: Category::System,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[CRASHES.source()],
    rule: "Fails on a dump of the kernel's (pstore, kdump) or of an Iggy program's that is younger than 7 days (days_max); warns on any other dump; passes when the places for dumps are empty. Names, sizes and times are read, never contents.",
    threshold_source: "The places are those of sos (kdump, abrt) and of systemd-coredump; the 7 days are our own judgement.",
    why: "A crash that nobody looked at comes back, and the dump is the one witness that it leaves.",
    remedy: "ls -lt /sys/fs/pstore /var/crash /var/lib/systemd/coredump\ncoredumpctl list; coredumpctl info PID\n# Keep what belongs to the ticket, then free the space:\nrm -r /var/crash/DATE; rm /sys/fs/pstore/*",
    references: &[
        "systemd-coredump(8)",
        "Linux documentation: admin-guide/kdump",
        "Linux documentation: admin-guide/pstore-blk",
    ],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[Setting {
        name: "days_max",
        default: 7.0,
        min: 0.0,
        max: 3650.0,
        help: "age up to which a dump of the kernel's or of Iggy's fails, days",
    }],
    evaluate: crashes,
};

fn crashes(case: &Case<'_>) -> Result<Judgement, Gap> {
    let found = case.read(CRASHES)?;
    let judged = judged(found, case.now, case.setting("days_max"));
    let columns = ["Written", "Dump", "Size"].map(Column::text).to_vec();
    let row = |dump: &Dump| {
        let written = Timestamp::from_unix(dump.modified_unix).to_string();
        vec![written.into(), dump.path.as_str().into(), size::human(dump.size_bytes).into()]
    };
    let judged = if found.dumps.is_empty() {
        judged
    } else {
        judged.proof(Proof::table("Dumps", columns, found.dumps.iter().map(row).collect()))
    };
    Ok(found.gaps.iter().cloned().fold(judged, Judgement::gap))
}

#[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
fn judged(found: &Crashes, now: Timestamp, days_max: f64) -> Judgement {
    let young = |dump: &&Dump| (now.unix() - dump.modified_unix) as f64 <= days_max * DAY_S;
    let of = |kind: DumpKind| found.dumps.iter().filter(move |dump| dump.kind == kind).find(young);
    let when = |dump: &Dump| Timestamp::from_unix(dump.modified_unix);
    if let Some(dump) = of(DumpKind::Kernel) {
        return Judgement::fail(format!("The kernel crashed: {} is of {}.", dump.path, when(dump)));
    }
    if let Some(dump) = of(DumpKind::Iggy) {
        return Judgement::fail(format!("A program of Iggy's crashed: {} is of {}.", dump.path, when(dump)));
    }
    match found.dumps.first() {
        Some(newest) => Judgement::warn(format!(
            "{} kept, the newest ({}) of {}.",
            counted(found.dumps.len(), "crash dump is", "crash dumps are"),
            newest.path,
            when(newest)
        )),
        None => Judgement::pass(format!("There are no crash dumps in {}.", found.places.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    #[test]
    fn dumps_are_judged_by_what_crashed_and_when() {
        let now = Timestamp::from_unix(100 * 86_400);
        for (kind, days, expected) in [
            (DumpKind::Kernel, 7, Verdict::Fail),
            (DumpKind::Kernel, 8, Verdict::Warn),
            (DumpKind::Iggy, 7, Verdict::Fail),
            (DumpKind::Iggy, 8, Verdict::Warn),
            (DumpKind::Program, 1, Verdict::Warn),
            (DumpKind::Program, 90, Verdict::Warn),
        ] {
            let modified_unix = (100 - days) * 86_400;
            let dump = Dump { path: "/var/crash/x".into(), kind, size_bytes: 1, modified_unix };
            let found = Crashes { dumps: vec![dump], places: vec!["/var/crash".into()], ..Crashes::default() };
            let judged = judged(&found, now, 7.0);
            assert_eq!(judged.verdict, expected, "{kind:?} {days}: {}", judged.summary);
        }
    }

    #[test]
    fn empty_places_pass_and_closed_ones_are_gaps() {
        let denied = Gap::denied("/sys/fs/pstore may not be read", "CAP_DAC_READ_SEARCH");
        let mut evidence = Evidence::default();
        let found = Crashes { places: vec!["/var/crash".into()], gaps: vec![denied.clone()], ..Crashes::default() };
        evidence.put(CRASHES, Ok(found));
        let judged = judge_one("sys.crash", &evidence).unwrap();
        assert_eq!(
            (judged.verdict, judged.summary.as_str()),
            (Verdict::Pass, "There are no crash dumps in /var/crash.")
        );
        assert_eq!(judged.gaps, [denied]);
    }
}
