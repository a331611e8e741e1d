//! Whether the distribution still gets security fixes.

use super::super::{Case, Category, Check, Tier};
use super::support::{date, find};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::system::{KERNEL, OS_RELEASE, OsRelease};

pub(super) const CHECK: Check = Check {
    id: "sys.os",
    title: "The operating system still gets security fixes",
    category: Category::System,
    tier: Tier::Core,
    severity: Severity::Low,
    needs: &[OS_RELEASE.source(), KERNEL.source()],
    rule: "Warns when the release is past its regular and its longer security support on the day of the snapshot. \
           Information otherwise: past regular support alone, with the day on which the longer one ends, or a release \
           that the built-in table does not know.",
    threshold_source: "endoflife.date as of 2026-08-22, which cites the distributions' own dates; TiUP's checkOSInfo also asks for a release that is supported.",
    why: "A release without security fixes cannot be kept safe, and its kernel falls behind what Iggy needs of io_uring.",
    remedy: "# Debian, Ubuntu: what is next?\ncat /etc/os-release\n# Move to a supported release before the next upgrade of Iggy, one node at a time.",
    references: &["os-release(5)", "endoflife.date"],
    privilege: "any user",
    settings: &[],
    evaluate: os,
};

fn os(case: &Case<'_>) -> Result<Judgement, Gap> {
    let kernel = case.read(KERNEL).ok();
    let release = match case.read(OS_RELEASE) {
        Ok(release) => release,
        Err(gap) if gap.reason == GapReason::Absent => {
            return Ok(Judgement::info("Unknown operating system: there is no os-release file.").gap(gap));
        }
        Err(gap) => return Err(gap),
    };
    let fact = |text: &str| if text.is_empty() { "not given".to_owned() } else { text.to_owned() };
    let facts = [
        ("Name", fact(&release.name)),
        ("ID", fact(&release.id)),
        ("Version", fact(&release.version)),
        ("Host name", fact(kernel.map_or("", |kernel| &kernel.host_name))),
        ("Architecture", fact(kernel.map_or("", |kernel| &kernel.architecture))),
    ];
    Ok(supported(release, &case.now.compact()[..8]).proof(Proof::facts("Operating system", facts)))
}

/// `today` is `YYYYMMDD`.
fn supported(release: &OsRelease, today: &str) -> Judgement {
    let name = if release.name.is_empty() { &release.id } else { &release.name };
    let Some(dates) = find(&release.id, &release.version) else {
        return Judgement::info(format!("{name}; its support dates are not known here."));
    };
    let regular = date(dates.regular);
    if today <= dates.regular {
        return Judgement::info(format!("{name} has regular security support until {regular}."));
    }
    match dates.longer {
        Some((longer, until)) if today <= until => Judgement::info(format!(
            "{name} is past its regular security support (until {regular}); {longer} lasts until {}.",
            date(until)
        )),
        Some((longer, until)) => Judgement::warn(format!(
            "{name} gets no security fixes any more: regular support ended on {regular}, {longer} on {}.",
            date(until)
        )),
        None => Judgement::warn(format!("{name} gets no security fixes any more: support ended on {regular}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    #[test]
    fn support_is_judged_on_the_day_of_the_snapshot() {
        for (id, version, today, verdict, says) in [
            ("debian", "12", "20260711", Verdict::Info, "regular security support until 2026-07-11"),
            ("debian", "12", "20260712", Verdict::Info, "Debian LTS lasts until 2028-06-30"),
            ("debian", "12", "20280701", Verdict::Warn, "Debian LTS on 2028-06-30"),
            ("fedora", "42", "20260527", Verdict::Info, "until 2026-05-27"),
            ("fedora", "42", "20260528", Verdict::Warn, "support ended on 2026-05-27"),
            ("rhel", "9.4", "20261124", Verdict::Info, "until 2032-05-31"),
            ("nixos", "26.05", "20261124", Verdict::Info, "not known here"),
        ] {
            let release = OsRelease { id: id.into(), version: version.into(), name: String::new() };
            let judged = supported(&release, today);
            assert_eq!(judged.verdict, verdict, "{id} {version} on {today}: {}", judged.summary);
            assert!(judged.summary.contains(says), "{}", judged.summary);
        }
    }

    #[test]
    fn a_host_without_os_release_is_information() {
        let mut evidence = Evidence::default();
        evidence.put(OS_RELEASE, Err(Gap::absent("/etc/os-release does not exist")));
        assert_eq!(judge_one("sys.os", &evidence).unwrap().verdict, Verdict::Info);
        evidence.put(OS_RELEASE, Err(Gap::broken("x")));
        assert!(judge_one("sys.os", &evidence).is_err());
    }
}
