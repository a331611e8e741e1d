//! Whether the kernel's switch lets Iggy use `io_uring`.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::uring::{RING_PROBE, RING_SETTINGS, RingProbe, RingSettings};

pub(super) const CHECK: Check = Check {
    id: "uring.sysctl",
    title: "The kernel's switch leaves io_uring on",
    category: Category::Limits,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[RING_SETTINGS.source(), RING_PROBE.source(), IGGY_PROCESS.source()],
    rule: "Fails when kernel.io_uring_disabled is 2. Fails when it is 1 and the running server has neither CAP_SYS_ADMIN \
           nor the group of kernel.io_uring_group; warns when it is 1 and no server could be asked. Passes when it is 0, \
           or when the kernel has no such switch and gave a ring.",
    threshold_source: "The kernel's documentation; the switch came with 6.6, so a kernel without it is no fault.",
    why: "The switch takes io_uring from every process; Iggy cannot start without it, and a running server does not start again.",
    remedy: "sysctl -w kernel.io_uring_disabled=0\necho 'kernel.io_uring_disabled = 0' > /etc/sysctl.d/90-iggy-uring.conf\n# In a container: on its host, whose kernel it is.",
    references: &["Linux documentation: admin-guide/sysctl/kernel, io_uring_disabled"],
    privilege: "any user",
    settings: &[],
    evaluate: sysctl,
};

/// `capability.h`: much, and among it rings while the switch is at 1.
const CAP_SYS_ADMIN: u32 = 21;

/// Whether a server may use `io_uring` while the switch is at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exempt {
    Yes,
    No,
    Unknown,
}

fn sysctl(case: &Case<'_>) -> Result<Judgement, Gap> {
    let settings = case.read(RING_SETTINGS)?;
    let server = case.read(IGGY_PROCESS).map_or(Exempt::Unknown, |process| {
        let member = settings.group.is_some_and(|group| process.groups.iter().any(|own| i64::from(*own) == group));
        if process.confinement.has(CAP_SYS_ADMIN) || member { Exempt::Yes } else { Exempt::No }
    });
    judged(settings, case.read(RING_PROBE).ok(), server)
}

fn judged(settings: &RingSettings, probe: Option<&RingProbe>, server: Exempt) -> Result<Judgement, Gap> {
    let Some(disabled) = settings.disabled else {
        return match probe {
            Some(RingProbe::Given { .. }) => {
                Ok(Judgement::pass("This kernel has no switch for io_uring (it came with 6.6), and io_uring works."))
            }
            _ => Err(Gap::absent("this kernel has no switch for io_uring; whether it works is for uring.probe to say")),
        };
    };
    let group = settings.group.filter(|group| *group >= 0);
    let members = group.map_or_else(|| "no group is exempt".to_owned(), |group| format!("group {group} is exempt"));
    let judged = match (disabled, server) {
        (0, _) => Judgement::pass("kernel.io_uring_disabled is 0."),
        (1, Exempt::Yes) => Judgement::pass("kernel.io_uring_disabled is 1, and the server is exempt from it."),
        (1, Exempt::No) => Judgement::fail(format!(
            "kernel.io_uring_disabled is 1 ({members}), and the server has neither CAP_SYS_ADMIN nor that group."
        )),
        (1, Exempt::Unknown) => Judgement::warn(format!(
            "kernel.io_uring_disabled is 1 ({members}): a server with neither CAP_SYS_ADMIN nor such a group cannot start."
        )),
        _ => Judgement::fail(format!("kernel.io_uring_disabled is {disabled}: no process may use io_uring.")),
    };
    Ok(judged.measured(f64::from(disabled), Unit::Count, disabled.to_string()).expected("0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn each_position_of_the_switch_is_judged() {
        for (disabled, server, verdict) in [
            (0, Exempt::No, Verdict::Pass),
            (1, Exempt::Yes, Verdict::Pass),
            (1, Exempt::No, Verdict::Fail),
            (1, Exempt::Unknown, Verdict::Warn),
            (2, Exempt::Yes, Verdict::Fail),
        ] {
            let settings = RingSettings { disabled: Some(disabled), group: Some(-1) };
            assert_eq!(judged(&settings, None, server).unwrap().verdict, verdict, "{disabled} {server:?}");
        }
    }

    #[test]
    fn a_kernel_without_the_switch_is_judged_by_the_probe() {
        let settings = RingSettings { disabled: None, group: None };
        let given = RingProbe::Given { features: 0, operations: None };
        assert_eq!(judged(&settings, Some(&given), Exempt::No).unwrap().verdict, Verdict::Pass);
        assert!(judged(&settings, Some(&RingProbe::Refused { errno: 38 }), Exempt::No).is_err());
    }
}
