//! Whether the kernel's `io_uring` has the operations that Iggy uses.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::uring::{RING_PROBE, RingOperations, RingProbe};

pub(super) const CHECK: Check = Check {
    id: "uring.opcodes",
    title: "io_uring has the operations that Iggy uses",
    category: Category::Limits,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[RING_PROBE.source()],
    rule: "Fails when the kernel does not know an operation that Iggy's runtime uses for files, sockets or timers in every run. Information when only ones for rare uses are missing (truncating a file, links, splicing). Passes otherwise. Skipped when no ring could be had, which uring.probe judges.",
    threshold_source: "The operations in the source of compio-driver 0.11.4, on which Iggy 0.8 is built; their numbers are those of io_uring.h.",
    why: "Iggy's shards have no threads to fall back to: the first use of an operation that is missing ends the shard.",
    remedy: "uname -r; grep IO_URING \"/boot/config-$(uname -r)\"\n# Install the distribution's full kernel, 6.1 or later (6.9 for truncating), and reboot:\napt install linux-image-amd64      # dnf upgrade kernel\n# WSL2: wsl --update",
    references: &["io_uring_register(2), IORING_REGISTER_PROBE", "compio: compio-driver, sys/iour"],
    privilege: "any user",
    settings: &[],
    evaluate: operations,
};

/// How much Iggy depends on an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Always,
    Rare,
}

/// Number, name and use of each operation; the kernel's first release with it stands behind those after 5.6.
const OPERATIONS: &[(u8, &str, Use)] = &[
    (1, "READV", Use::Always),
    (2, "WRITEV", Use::Always),
    (3, "FSYNC", Use::Always),
    (6, "POLL_ADD", Use::Always),
    (9, "SENDMSG", Use::Always),
    (10, "RECVMSG", Use::Always),
    (13, "ACCEPT", Use::Always),
    (14, "ASYNC_CANCEL", Use::Always),
    (16, "CONNECT", Use::Always),
    (18, "OPENAT", Use::Always),
    (19, "CLOSE", Use::Always),
    (21, "STATX", Use::Always),
    (22, "READ", Use::Always),
    (23, "WRITE", Use::Always),
    (26, "SEND", Use::Always),
    (27, "RECV", Use::Always),
    // 5.7
    (30, "SPLICE", Use::Rare),
    // 5.11
    (34, "SHUTDOWN", Use::Always),
    (35, "RENAMEAT", Use::Always),
    (36, "UNLINKAT", Use::Always),
    // 5.15
    (37, "MKDIRAT", Use::Always),
    (38, "SYMLINKAT", Use::Rare),
    (39, "LINKAT", Use::Rare),
    // 5.19
    (45, "SOCKET", Use::Always),
    // 6.9
    (55, "FTRUNCATE", Use::Rare),
];

fn operations(case: &Case<'_>) -> Result<Judgement, Gap> {
    let known = match case.read(RING_PROBE)? {
        RingProbe::Given { operations: Some(known), .. } => *known,
        RingProbe::Given { operations: None, .. } => {
            return Err(Gap::absent("the kernel does not tell which operations it knows"));
        }
        RingProbe::Refused { errno } => {
            return Err(Gap::not_applicable(format!("no ring could be had [errno {errno}]")));
        }
    };
    let columns = vec![Column::number("Number", Unit::Count), Column::text("Operation"), Column::text("Known")];
    let row = |(code, name, _): &(u8, &str, Use)| {
        let known = if known.has(*code) { "yes" } else { "no" };
        vec![u64::from(*code).into(), (*name).into(), known.into()]
    };
    let table = Proof::table("Operations that Iggy uses", columns, OPERATIONS.iter().map(row).collect());
    Ok(judged(known).proof(table))
}

fn judged(known: RingOperations) -> Judgement {
    let missing = |wanted: Use| -> Vec<&str> {
        let lacks = OPERATIONS.iter().filter(|(code, _, of)| *of == wanted && !known.has(*code));
        lacks.map(|(_, name, _)| *name).collect()
    };
    let (always, rare) = (missing(Use::Always), missing(Use::Rare));
    let all = counted(known.count() as usize, "operation", "operations");
    if always.is_empty() && rare.is_empty() {
        Judgement::pass(format!("The kernel knows {all} of io_uring, and all that Iggy uses."))
    } else if always.is_empty() {
        Judgement::info(format!(
            "The kernel knows {all} of io_uring; of those for rare uses it lacks {}.",
            rare.join(", ")
        ))
    } else {
        Judgement::fail(format!("The kernel's io_uring lacks {}.", always.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::gap::GapReason;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    fn seen(probe: RingProbe) -> Result<Judgement, Gap> {
        let mut evidence = Evidence::default();
        evidence.put(RING_PROBE, Ok(probe));
        judge_one("uring.opcodes", &evidence)
    }

    #[test]
    fn what_is_missing_is_named_and_judged_by_its_use() {
        for (missing, expected) in
            [(None, Verdict::Pass), (Some(55), Verdict::Info), (Some(45), Verdict::Fail), (Some(1), Verdict::Fail)]
        {
            let mut known = RingOperations::default();
            (0..=62).filter(|code| Some(*code) != missing).for_each(|code| known.add(code));
            let judged = seen(RingProbe::Given { features: 0, operations: Some(known) }).unwrap();
            assert_eq!(judged.verdict, expected, "{missing:?}: {}", judged.summary);
        }
    }

    #[test]
    fn without_a_ring_nothing_is_said() {
        assert_eq!(seen(RingProbe::Refused { errno: 1 }).unwrap_err().reason, GapReason::NotApplicable);
        let silent = RingProbe::Given { features: 0, operations: None };
        assert_eq!(seen(silent).unwrap_err().reason, GapReason::Absent);
    }
}
