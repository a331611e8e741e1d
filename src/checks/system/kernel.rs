//! Whether the kernel is new enough for Iggy.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::system::{KERNEL, Kernel};
use crate::evidence::uring::{RING_PROBE, RingProbe};

pub(super) const CHECK: Check = Check {
    id: "sys.kernel",
    title: "The kernel is new enough for Iggy",
    category: Category::System,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[KERNEL.source(), RING_PROBE.source()],
    rule: "Fails below Linux 5.19, unless the kernel gave a ring with Iggy's flags (a distribution's backport): then it \
           warns. Warns below 6.1 and on the Windows Subsystem for Linux. Passes otherwise.",
    threshold_source: "Iggy's own diagnostics: at least 5.19, 6.1 or later recommended.",
    why: "Iggy asks io_uring for COOP_TASKRUN and TASKRUN_FLAG, which came with 5.19, and has no fallback: on an older kernel the server does not start.",
    remedy: "uname -r\n# Debian: a newer kernel from backports\napt install -t \"$(. /etc/os-release && echo $VERSION_CODENAME)-backports\" linux-image-amd64\n# Ubuntu: the hardware enablement kernel\napt install \"linux-generic-hwe-$(. /etc/os-release && echo $VERSION_ID)\"\n# Fedora, Red Hat: dnf upgrade kernel. In a container the kernel is its host's: do this there.\nreboot",
    references: &["Iggy: core/server_common/src/diagnostics.rs", "io_uring_setup(2)"],
    privilege: "any user",
    settings: &[],
    evaluate: kernel,
};

/// The first kernel with the flags that Iggy sets.
const MIN: (u32, u32) = (5, 19);
/// The first kernel that Iggy recommends.
const RECOMMENDED: (u32, u32) = (6, 1);

fn kernel(case: &Case<'_>) -> Result<Judgement, Gap> {
    let kernel = case.read(KERNEL)?;
    let ring = case.read(RING_PROBE).ok().copied();
    let facts = [
        ("Release", kernel.release.clone()),
        ("Architecture", kernel.architecture.clone()),
        ("Built as", kernel.banner.clone()),
    ];
    Ok(new_enough(kernel, ring)?.expected("≥ 6.1").proof(Proof::facts("Kernel", facts)))
}

fn new_enough(kernel: &Kernel, ring: Option<RingProbe>) -> Result<Judgement, Gap> {
    let release = &kernel.release;
    let version = kernel.version().ok_or_else(|| Gap::broken(format!("`{release}` names no kernel version")))?;
    Ok(if version < MIN && matches!(ring, Some(RingProbe::Given { .. })) {
        Judgement::warn(format!(
            "Linux {release} is older than 5.19, though it accepts Iggy's io_uring flags; 6.1 or later is recommended."
        ))
    } else if version < MIN {
        Judgement::fail(format!("Linux {release} is older than 5.19: Iggy cannot start on it."))
    } else if kernel.is_wsl() {
        Judgement::warn(format!("Linux {release} is the Windows Subsystem for Linux, whose io_uring is incomplete."))
    } else if version < RECOMMENDED {
        Judgement::warn(format!("Linux {release} runs Iggy, but 6.1 or later is recommended."))
    } else {
        Judgement::pass(format!("Linux {release}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn versions_are_judged_at_their_boundaries() {
        let given = RingProbe::Given { features: 0, operations: None };
        let refused = RingProbe::Refused { errno: 22 };
        for (release, ring, verdict) in [
            ("5.18.19", Some(refused), Verdict::Fail),
            ("5.18.19", None, Verdict::Fail),
            ("5.14.0-503.el9.x86_64", Some(given), Verdict::Warn),
            ("5.19.0", None, Verdict::Warn),
            ("6.0.19", Some(given), Verdict::Warn),
            ("6.1.0-21-amd64", Some(refused), Verdict::Pass),
            ("6.18.44", None, Verdict::Pass),
            ("10.0.1", None, Verdict::Pass),
            ("6.6.36.6-microsoft-standard-WSL2", Some(given), Verdict::Warn),
        ] {
            let kernel = Kernel { release: release.into(), ..Kernel::default() };
            assert_eq!(new_enough(&kernel, ring).unwrap().verdict, verdict, "{release}");
        }
        assert!(new_enough(&Kernel { release: "unknown".into(), ..Kernel::default() }, None).is_err());
    }
}
