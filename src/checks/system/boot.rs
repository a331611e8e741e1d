//! When the host was booted, and whether a reboot waits.

use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::boot::{BOOT, Boot};

pub(super) const CHECK: Check = Check {
    id: "sys.boot",
    title: "Uptime and pending reboots",
    category: Category::System,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[BOOT.source()],
    rule: "Warns when packages asked for a reboot, when /boot holds a newer kernel beside the running one, and when the host was booted less than 15 minutes ago (uptime_warn_s): counters since boot say little then. Information otherwise. A host whose running kernel is not in /boot boots from elsewhere, and its kernels are not compared.",
    threshold_source: "Lynis (BOOT-5202, KRNL-5830) for the pending reboot; the 15 minutes are our own judgement.",
    why: "A fix that was installed and not booted protects nobody, and a host that has just come back is often the reason for the snapshot.",
    remedy: "cat /run/reboot-required.pkgs 2>/dev/null\nuname -r; ls -1 /boot/vmlinuz-*\n# One node at a time, when its replicas have caught up:\nsystemctl stop iggy-server && systemctl reboot\n# Came back unasked? Who ended the last boot:\njournalctl -b -1 -n 50 --no-pager",
    references: &["Debian: /run/reboot-required", "Lynis: BOOT-5202"],
    privilege: "any user",
    settings: &[Setting {
        name: "uptime_warn_s",
        default: 900.0,
        min: 0.0,
        max: 1e6,
        help: "the shortest uptime that does not warn, seconds",
    }],
    evaluate: boot,
};

const PLACE: &str = "/boot";

fn boot(case: &Case<'_>) -> Result<Judgement, Gap> {
    let boot = case.read(BOOT)?;
    let installed = boot.installed.as_ref().map_or_else(|_| "not seen".to_owned(), |kernels| kernels.join(", "));
    let wanted = boot.reboot_wanted.as_ref().map_or_else(|| "no".to_owned(), |packages| packages.join(", "));
    let facts = [
        ("Up", duration(boot.uptime_s)),
        ("Running kernel", boot.running.clone()),
        ("Kernels in /boot", if installed.is_empty() { "none".to_owned() } else { installed }),
        ("Reboot asked for by", if wanted.is_empty() { "a package that left no name".to_owned() } else { wanted }),
        ("Command line", boot.command_line.join(" ")),
    ];
    let judged = judged(boot, case.setting("uptime_warn_s")).proof(Proof::facts("Boot", facts));
    // A container has no /boot, and nothing is lost by it.
    let lost = boot.installed.as_ref().err().filter(|gap| gap.reason != GapReason::Absent);
    Ok(lost.cloned().into_iter().fold(judged, Judgement::gap))
}

#[expect(clippy::cast_precision_loss, reason = "an uptime in seconds")]
fn judged(boot: &Boot, uptime_min_s: f64) -> Judgement {
    let up = duration(boot.uptime_s);
    if let Some(packages) = &boot.reboot_wanted {
        let who = if packages.is_empty() { "Packages".to_owned() } else { packages.join(", ") };
        return Judgement::warn(format!("{who} asked for a reboot; the host has been up for {up}."));
    }
    if let Some(newer) = boot.newer() {
        return Judgement::warn(format!("Kernel {newer} is installed and {} still runs, for {up} now.", boot.running));
    }
    let judged = if (boot.uptime_s as f64) < uptime_min_s {
        Judgement::warn(format!("The host was booted {up} ago: counters since boot say little yet."))
    } else {
        let elsewhere = boot.installed.as_ref().is_ok_and(|kernels| !kernels.contains(&boot.running));
        let kernel =
            if elsewhere { format!("; its kernel is not in {PLACE}, so none was compared") } else { String::new() };
        Judgement::info(format!("The host has been up for {up}{kernel}."))
    };
    judged.measured(boot.uptime_s as f64, Unit::Seconds, up).expected(format!("≥ {uptime_min_s} s"))
}

/// `3 days 4 h`, `2 h 5 min`, `50 s`.
fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (1, ..) => format!("1 day {hours} h"),
        _ => format!("{days} days {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    fn seen(uptime_s: u64, installed: Result<Vec<String>, Gap>, reboot_wanted: Option<Vec<String>>) -> Judgement {
        let command_line = vec!["quiet".to_owned()];
        let running = "6.1.0-21-amd64".to_owned();
        let mut evidence = Evidence::default();
        evidence.put(BOOT, Ok(Boot { uptime_s, command_line, running, installed, reboot_wanted }));
        judge_one("sys.boot", &evidence).unwrap()
    }

    #[test]
    fn pending_reboots_and_young_hosts_warn() {
        let kernels = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
        let own = || kernels(&["6.1.0-21-amd64"]);
        for (uptime_s, installed, wanted, expected) in [
            (900, own(), None, Verdict::Info),
            (899, own(), None, Verdict::Warn),
            (9_000, kernels(&["6.1.0-21-amd64", "6.1.0-22-amd64"]), None, Verdict::Warn),
            (9_000, kernels(&["6.1.0-22-amd64"]), None, Verdict::Info),
            (9_000, kernels(&[]), None, Verdict::Info),
            (9_000, own(), Some(vec!["linux-image-amd64".to_owned()]), Verdict::Warn),
            (9_000, own(), Some(Vec::new()), Verdict::Warn),
            (9_000, Err(Gap::absent("/boot does not exist")), None, Verdict::Info),
        ] {
            let judged = seen(uptime_s, installed.clone(), wanted.clone());
            assert_eq!(judged.verdict, expected, "{uptime_s} {installed:?} {wanted:?}: {}", judged.summary);
            assert!(judged.gaps.is_empty());
        }
        let judged = seen(200_000, kernels(&[]), None);
        assert_eq!(
            judged.summary,
            "The host has been up for 2 days 7 h; its kernel is not in /boot, so none was compared."
        );
    }

    #[test]
    fn a_boot_folder_that_is_closed_is_a_gap() {
        let judged = seen(9_000, Err(Gap::denied("/boot may not be read", "CAP_DAC_READ_SEARCH")), None);
        assert_eq!((judged.verdict, judged.gaps.len()), (Verdict::Info, 1));
    }

    #[test]
    fn durations_read_as_a_person_says_them() {
        for (seconds, text) in
            [(59, "59 s"), (60, "1 min"), (3_660, "1 h 1 min"), (90_000, "1 day 1 h"), (200_000, "2 days 7 h")]
        {
            assert_eq!(duration(seconds), text);
        }
    }
}
