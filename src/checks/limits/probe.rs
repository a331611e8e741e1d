//! Whether a ring of Iggy's kind can be had.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::own::{OWN, OwnProcess};
use crate::evidence::uring::{RING_CAPACITY, RING_PROBE, RING_SETTINGS, RingProbe, RingSettings};

pub(super) const CHECK: Check = Check {
    id: "uring.probe",
    title: "io_uring works with Iggy's flags",
    category: Category::Limits,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[RING_PROBE.source(), RING_SETTINGS.source(), OWN.source()],
    rule: "A ring of 4096 entries with COOP_TASKRUN and TASKRUN_FLAG is asked for and closed at once. Fails when the \
           kernel refuses it; skipped when the refusal comes from the seccomp filter of this process and so says nothing about Iggy. Passes otherwise.",
    threshold_source: "Iggy's executor, which asks for exactly this and has no fallback.",
    why: "Every shard of Iggy lives on such a ring; without it the server exits at start.",
    remedy: "uname -r                                # at least 5.19\nsysctl kernel.io_uring_disabled         # must be 0\nsysctl -w kernel.io_uring_disabled=0\necho 'kernel.io_uring_disabled = 0' > /etc/sysctl.d/90-iggy-uring.conf\n# In a container: a seccomp profile that allows io_uring_setup, io_uring_enter and io_uring_register\n# (docker run --security-opt seccomp=PROFILE.json; Docker's own profile forbids them since 2023).",
    references: &["io_uring_setup(2)", "Iggy: core/server_common/src/executor.rs"],
    privilege: "any user",
    settings: &[],
    evaluate: probe,
};

/// errno values that a ring is refused with.
const EPERM: i32 = 1;
const ENOMEM: i32 = 12;
const EINVAL: i32 = 22;
const ENOSYS: i32 = 38;

fn probe(case: &Case<'_>) -> Result<Judgement, Gap> {
    match *case.read(RING_PROBE)? {
        RingProbe::Given { features, operations } => {
            let known = operations.map_or_else(|| "not told".to_owned(), |known| known.count().to_string());
            let facts =
                [("Entries", RING_CAPACITY.to_string()), ("Operations", known), ("Features", format!("{features:#x}"))];
            Ok(Judgement::pass(format!("The kernel gave a ring of {RING_CAPACITY} entries with Iggy's flags."))
                .proof(Proof::facts("io_uring as seen by this process", facts)))
        }
        RingProbe::Refused { errno } => refused(errno, case.read(RING_SETTINGS).ok(), case.read(OWN).ok()),
    }
}

fn refused(errno: i32, settings: Option<&RingSettings>, own: Option<&OwnProcess>) -> Result<Judgement, Gap> {
    let switched_off = settings.and_then(|settings| settings.disabled).is_some_and(|disabled| disabled > 0);
    let filtered = own.is_some_and(|own| own.seccomp > 0);
    if filtered && !switched_off && matches!(errno, EPERM | ENOSYS) {
        return Err(Gap::denied(
            "the seccomp filter of this process refuses io_uring, which says nothing about Iggy",
            "run the snapshot outside of the container, or under Iggy's seccomp profile",
        ));
    }
    let (reason, remedy) = match errno {
        EINVAL => (
            "it does not know Iggy's flags (EINVAL): the kernel is older than 5.19",
            "uname -r\n# Install a kernel of 5.19 or later, better 6.1, and reboot.",
        ),
        ENOSYS => (
            "it has no io_uring (ENOSYS)",
            "grep IO_URING \"/boot/config-$(uname -r)\"\n# Use a kernel built with CONFIG_IO_URING=y.",
        ),
        EPERM if switched_off => (
            "kernel.io_uring_disabled forbids it (EPERM)",
            "sysctl -w kernel.io_uring_disabled=0\necho 'kernel.io_uring_disabled = 0' > /etc/sysctl.d/90-iggy-uring.conf\n# In a container: on its host, whose kernel it is.",
        ),
        EPERM => (
            "it is not permitted (EPERM): a security module or a filter forbids it",
            "dmesg | grep -i -E 'apparmor|avc|seccomp' | tail\n# Allow io_uring for the server in the profile that is named there.",
        ),
        ENOMEM => (
            "the locked-memory limit of this process is too small for one ring (ENOMEM)",
            "ulimit -l\n# That is this process's own limit. The server's, if limits.memlock complains too:\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nLimitMEMLOCK=infinity\\n' > /etc/systemd/system/iggy-server.service.d/memlock.conf\nsystemctl daemon-reload && systemctl restart iggy-server",
        ),
        _ => ("of an error that io_uring_setup(2) explains", ""),
    };
    let judged =
        Judgement::fail(format!("The kernel refused a ring with Iggy's flags because {reason} [errno {errno}]."));
    Ok(if remedy.is_empty() { judged } else { judged.remedy(remedy) })
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::gap::GapReason;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::uring::RingOperations;

    fn evidence(probe: RingProbe, disabled: Option<u32>, seccomp: u32) -> Evidence {
        let mut evidence = Evidence::default();
        evidence.put(RING_PROBE, Ok(probe));
        evidence.put(RING_SETTINGS, Ok(RingSettings { disabled, group: None }));
        evidence.put(OWN, Ok(OwnProcess { seccomp, ..OwnProcess::default() }));
        evidence
    }

    #[test]
    fn a_refusal_is_explained_by_its_errno() {
        for (errno, disabled, says) in [
            (EINVAL, Some(0), "older than 5.19"),
            (ENOSYS, None, "has no io_uring"),
            (EPERM, Some(2), "io_uring_disabled forbids it"),
            (EPERM, Some(0), "security module"),
            (ENOMEM, Some(0), "locked-memory limit"),
            (24, Some(0), "[errno 24]"),
        ] {
            let judged = judge_one("uring.probe", &evidence(RingProbe::Refused { errno }, disabled, 0)).unwrap();
            assert_eq!(judged.verdict, Verdict::Fail);
            assert!(judged.summary.contains(says), "{}", judged.summary);
        }
    }

    #[test]
    fn our_own_filter_says_nothing_about_iggy() {
        for (errno, disabled, skipped) in
            [(EPERM, Some(0), true), (ENOSYS, None, true), (EPERM, Some(2), false), (EINVAL, Some(0), false)]
        {
            let outcome = judge_one("uring.probe", &evidence(RingProbe::Refused { errno }, disabled, 2));
            assert_eq!(outcome.is_err_and(|gap| gap.reason == GapReason::Denied), skipped, "{errno} {disabled:?}");
        }
    }

    #[test]
    fn a_ring_that_was_given_passes() {
        let given = RingProbe::Given { features: 0x3fff, operations: Some(RingOperations([7, 0, 0, 0])) };
        assert_eq!(judge_one("uring.probe", &evidence(given, None, 2)).unwrap().verdict, Verdict::Pass);
    }
}
