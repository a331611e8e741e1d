//! Whether something has gone wrong in the kernel since boot.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::system::{TAINT, Taint};

pub(super) const CHECK: Check = Check {
    id: "sys.taint",
    title: "Nothing has gone wrong inside the kernel",
    category: Category::System,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[TAINT.source()],
    rule: "Fails when the kernel has met an oops, a machine check, a bad page or a soft lockup since boot. Warns when it \
           has logged a warning or runs on hardware out of specification. Information for proprietary, out-of-tree, \
           staging, patched or otherwise unusual code. Passes when untainted.",
    threshold_source: "The kernel's own list of taint flags (tainted-kernels); node-problem-detector treats an oops as a fault of the node.",
    why: "After an oops or a machine check the kernel goes on with unknown damage: data that Iggy writes may already be wrong in memory.",
    remedy: "# What happened first? Keep it, then reboot the node in a window.\ndmesg --level=emerg,alert,crit,err,warn | head -200\njournalctl -k -b --priority=warning --no-pager | head -200",
    references: &["Linux documentation: admin-guide/tainted-kernels"],
    privilege: "any user",
    settings: &[],
    evaluate: taint,
};

/// A flag: bit, letter, meaning, verdict.
type Flag = (u32, char, &'static str, Verdict);

const FLAGS: &[Flag] = &[
    (0, 'P', "a proprietary module was loaded", Verdict::Info),
    (1, 'F', "a module was loaded by force", Verdict::Info),
    (2, 'S', "the kernel runs on hardware out of specification", Verdict::Warn),
    (3, 'R', "a module was unloaded by force", Verdict::Info),
    (4, 'M', "the processor reported a machine check", Verdict::Fail),
    (5, 'B', "a bad page was found, or a page had unexpected flags", Verdict::Fail),
    (6, 'U', "a program asked for the taint", Verdict::Info),
    (7, 'D', "the kernel died recently: an oops or a BUG", Verdict::Fail),
    (8, 'A', "an ACPI table was overridden", Verdict::Info),
    (9, 'W', "the kernel logged a warning", Verdict::Warn),
    (10, 'C', "a staging driver was loaded", Verdict::Info),
    (11, 'I', "a workaround for a firmware bug is on", Verdict::Info),
    (12, 'O', "a module from outside the kernel's tree was loaded", Verdict::Info),
    (13, 'E', "an unsigned module was loaded", Verdict::Info),
    (14, 'L', "a soft lockup happened", Verdict::Fail),
    (15, 'K', "the kernel was live-patched", Verdict::Info),
    (16, 'X', "the distribution set its own taint", Verdict::Info),
    (17, 'T', "the kernel was built with a randomised structure layout", Verdict::Info),
    (18, 'N', "a test of the kernel was run", Verdict::Info),
];

fn taint(case: &Case<'_>) -> Result<Judgement, Gap> {
    let Taint(bits) = *case.read(TAINT)?;
    Ok(judged(bits))
}

fn judged(bits: u64) -> Judgement {
    if bits == 0 {
        return Judgement::pass("The kernel is not tainted.").measured(0.0, Unit::Count, "0");
    }
    let set: Vec<&Flag> = FLAGS.iter().filter(|(bit, ..)| bits & (1 << bit) != 0).collect();
    let worst = set.iter().map(|(.., verdict)| *verdict).max().unwrap_or(Verdict::Info);
    let reasons: Vec<&str> =
        set.iter().filter(|(.., verdict)| *verdict == worst).map(|(_, _, meaning, _)| *meaning).collect();
    let reasons = if reasons.is_empty() { "a flag that is not known here".to_owned() } else { reasons.join("; ") };
    let summary = format!("The kernel is tainted ({bits}): {reasons}.");
    let judged = match worst {
        Verdict::Fail => Judgement::fail(summary),
        Verdict::Warn => Judgement::warn(summary),
        Verdict::Info | Verdict::Pass | Verdict::Skip => Judgement::info(summary),
    };
    let columns = vec![Column::text("Flag"), Column::text("Meaning")];
    let rows = set.iter().map(|(_, letter, meaning, _)| vec![letter.to_string().into(), (*meaning).into()]).collect();
    judged
        .measured(super::super::figures::float(bits), Unit::Count, bits.to_string())
        .expected("0")
        .proof(Proof::table("Taint flags", columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_flag_decides() {
        for (bits, verdict, says) in [
            (0, Verdict::Pass, "not tainted"),
            (1, Verdict::Info, "proprietary"),
            ((1 << 12) | (1 << 13), Verdict::Info, "outside the kernel's tree was loaded; an unsigned module"),
            (1 << 2, Verdict::Warn, "out of specification"),
            ((1 << 9) | 1, Verdict::Warn, "logged a warning."),
            (1 << 4, Verdict::Fail, "machine check"),
            (1 << 5, Verdict::Fail, "bad page"),
            ((1 << 7) | (1 << 9), Verdict::Fail, "an oops or a BUG."),
            (1 << 14, Verdict::Fail, "soft lockup"),
            (1 << 40, Verdict::Info, "not known here"),
        ] {
            let judged = judged(bits);
            assert_eq!(judged.verdict, verdict, "{bits}: {}", judged.summary);
            assert!(judged.summary.contains(says), "{}", judged.summary);
        }
    }
}
