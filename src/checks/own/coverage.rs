//! What the snapshot could not see.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier, find};
use crate::domain::finding::{Cell, Column, Finding, Judgement, Proof};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::own::OWN;

pub(super) const CHECK: Check = Check {
    id: "self.coverage",
    title: "What this snapshot could not see",
    category: Category::Snapshot,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[OWN.source()],
    rule: "Warns when a core check was skipped because it was denied, did not answer in time or could not be read. \
           Information when anything else is missing, with what would bring it. Passes when every question was answered. \
           Text that looks random is no reason to warn: a report consists of hashes and ids. \
           What could not be masked is left out and listed under Redaction, and the finished archive is searched for every \
           secret that is known.",
    threshold_source: "Our own judgement: a report that is silent about what it did not see reads like a clean one.",
    why: "A check that did not run says nothing, and nothing is easily read as good news.",
    remedy: "# Take the snapshot as root, or give the program what the table names:\nmkdir -p /etc/systemd/system/snapvisor.service.d\nprintf '[Service]\\nAmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE CAP_SYSLOG\\n' > /etc/systemd/system/snapvisor.service.d/capabilities.conf\nsystemctl daemon-reload && systemctl restart snapvisor\n# and, each for one check: CAP_NET_ADMIN (net.firewall), CAP_SYS_ADMIN (disk.nvme)\n# In a container: docker run --cap-add SYSLOG --cap-add SYS_PTRACE --device /dev/kmsg, or the snapshot on its host",
    references: &["capabilities(7)"],
    privilege: "any user",
    settings: &[],
    evaluate: coverage,
};

/// A gap and the check that met it.
struct Loss<'a> {
    check: &'a str,
    /// The whole check, or a part of its answer.
    extent: Extent,
    gap: &'a Gap,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

fn coverage(case: &Case<'_>) -> Result<Judgement, Gap> {
    if case.findings.is_empty() {
        return Err(Gap::not_applicable("no other check was asked for"));
    }
    let mut losses: Vec<Loss<'_>> = case.findings.iter().flat_map(losses).collect();
    losses.sort_by_key(|loss| (loss.gap.reason, loss.extent == Extent::Part));
    let is_core = |id: &str| find(id).is_some_and(|check| check.tier == Tier::Core);
    let lost = |loss: &&Loss<'_>| loss.extent == Extent::Whole && is_core(loss.check) && hurts(loss.gap.reason);
    let core: Vec<&str> = losses.iter().filter(lost).map(|loss| loss.check).collect();
    let whole = losses.iter().filter(|loss| loss.extent == Extent::Whole).count();
    let (asked, parts) = (case.findings.len(), losses.len() - whole);
    let judged = if !core.is_empty() {
        let checks = counted(core.len(), "core check", "core checks");
        Judgement::warn(format!(
            "{checks} could not be judged for want of permission, time or legible data: {}.",
            core.join(", ")
        ))
    } else if losses.is_empty() {
        Judgement::pass(format!("All {asked} checks were answered in full."))
    } else {
        let partly = counted(parts, "answer is incomplete", "answers are incomplete");
        Judgement::info(format!("{whole} of {asked} checks were skipped, and {partly}; the table says why."))
    };
    let columns = ["Check", "Missing", "Why", "What would bring it"].map(Column::text).to_vec();
    Ok(if losses.is_empty() { judged } else { judged.proof(Proof::table("Not seen", columns, rows(&losses))) })
}

/// Reasons that hide something which is there.
fn hurts(reason: GapReason) -> bool {
    match reason {
        GapReason::Denied | GapReason::Timeout | GapReason::Broken => true,
        GapReason::Absent | GapReason::Tool | GapReason::NotApplicable | GapReason::Offline => false,
    }
}

fn losses(finding: &Finding) -> Vec<Loss<'_>> {
    let loss = |extent, gap| Loss { check: finding.check, extent, gap };
    match &finding.outcome {
        Err(gap) => vec![loss(Extent::Whole, gap)],
        Ok(judgement) => judgement.gaps.iter().map(|gap| loss(Extent::Part, gap)).collect(),
    }
}

fn rows(losses: &[Loss<'_>]) -> Vec<Vec<Cell>> {
    let row = |loss: &Loss<'_>| {
        let extent = match loss.extent {
            Extent::Whole => "all of it",
            Extent::Part => "a part",
        };
        let why = format!("{}: {}", loss.gap.reason.label(), loss.gap.detail);
        let unlock = loss.gap.unlock.as_deref().map_or(Cell::Empty, Cell::from);
        vec![loss.check.into(), extent.into(), why.into(), unlock]
    };
    losses.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::{Settings, find};
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    fn judge(findings: &[Finding]) -> Result<Judgement, Gap> {
        let (evidence, settings) = (Evidence::default(), Settings::default());
        let check = find("self.coverage").unwrap();
        let now = Timestamp::from_unix(0);
        coverage(&Case { evidence: &evidence, now, findings, check, settings: &settings })
    }

    fn finding(check: &'static str, outcome: Result<Judgement, Gap>) -> Finding {
        Finding { check, outcome, wall_us: 0, settings_changed: Vec::new() }
    }

    #[test]
    fn only_core_checks_lost_to_permissions_or_time_warn() {
        let gap = |reason| Gap::new(reason, "a file");
        for (outcome, verdict) in [
            (Ok(Judgement::pass("fine")), Verdict::Pass),
            (Ok(Judgement::pass("fine").gap(gap(GapReason::Denied))), Verdict::Info),
            (Err(gap(GapReason::Absent)), Verdict::Info),
            (Err(gap(GapReason::NotApplicable)), Verdict::Info),
            (Err(gap(GapReason::Denied)), Verdict::Warn),
            (Err(gap(GapReason::Timeout)), Verdict::Warn),
            (Err(gap(GapReason::Broken)), Verdict::Warn),
        ] {
            let judged = judge(&[finding("sys.kernel", outcome.clone())]).unwrap();
            assert_eq!(judged.verdict, verdict, "{outcome:?}: {}", judged.summary);
        }
        assert!(judge(&[]).is_err());
    }

    #[test]
    fn the_table_says_what_would_bring_each_back() {
        let denied = Gap::denied("/dev/kmsg was refused by the kernel", "CAP_SYSLOG");
        let judged = judge(&[finding("logs.kernel", Err(denied))]).unwrap();
        let Proof::Table { rows, .. } = &judged.proofs[0] else { panic!("no table") };
        let expected =
            ["logs.kernel", "all of it", "permission denied: /dev/kmsg was refused by the kernel", "CAP_SYSLOG"];
        assert_eq!(rows, &[expected.map(Cell::from).to_vec()]);
        assert_eq!(
            judged.summary,
            "1 core check could not be judged for want of permission, time or legible data: logs.kernel."
        );
    }
}
