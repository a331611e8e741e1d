//! Whether the kernel has the parameters that its files set.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::shell::quoted;
use crate::domain::verdict::Severity;
use crate::evidence::sysctl::{Author, SYSCTL_FILES, SysctlFiles, SysctlSetting};
use crate::evidence::system::PLATFORM;

pub(super) const CHECK: Check = Check {
    id: "sys.params-drift",
    title: "Kernel parameters are as their files set them",
    category: Category::System,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[SYSCTL_FILES.source(), PLATFORM.source()],
    rule: "Warns when a parameter that a file of the operator's sets (/etc, /run, /usr/local) has another value in the kernel. Information when only the distribution's own defaults (/usr/lib) differ: something on this host changed them on purpose. Passes when all agree. Patterns, and parameters of parts of the kernel that are not loaded, are not compared. Skipped in a container, whose files do not set the host's kernel.",
    threshold_source: "Our own judgement; the order of the files is systemd's (sysctl.d(5)), with /etc/sysctl.conf last.",
    why: "A value that is only live is lost at the next reboot, and a value that is only in a file has never worked; either way the node behaves differently than its configuration says.",
    remedy: "# Apply the files (all of them), and see what they say\nsysctl --system\n# Or take the stale line out of the file that the table names, or persist the live value:\necho 'NAME = VALUE' > /etc/sysctl.d/99-iggy-NAME.conf",
    references: &["sysctl.d(5)", "sysctl(8), --system"],
    privilege: "any user",
    settings: &[],
    evaluate: drift,
};

fn drift(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(SYSCTL_FILES)?;
    if let Some(container) = case.read(PLATFORM).ok().and_then(|platform| platform.container.as_deref()) {
        return Err(Gap::not_applicable(format!(
            "this is a container ({container}): its files do not set the parameters of the host's kernel"
        )));
    }
    let different: Vec<&SysctlSetting> = files.settings.iter().filter(|one| one.differs()).collect();
    let absent = |one: &&SysctlSetting| matches!(&one.live, Err(gap) if gap.reason == GapReason::Absent);
    let unknown = files.settings.iter().filter(absent).count();
    let facts = [
        ("Compared", (files.settings.len() - unknown).to_string()),
        ("Of parts that are not loaded", unknown.to_string()),
        ("Patterns, not compared", files.patterns.to_string()),
    ];
    let mut judged = judged(files, &different).proof(Proof::facts("Parameters that files set", facts));
    if !different.is_empty() {
        let columns = ["Parameter", "In the kernel", "In the file", "File"].map(Column::text).to_vec();
        let row = |one: &&SysctlSetting| {
            let live = one.live.as_deref().unwrap_or_default();
            vec![one.name.as_str().into(), live.into(), one.wanted.as_str().into(), one.file.as_str().into()]
        };
        judged = judged.proof(Proof::table("Different", columns, different.iter().map(row).collect()));
    }
    let refused = files.settings.iter().filter_map(|one| one.live.as_ref().err());
    let refused = refused.filter(|gap| gap.reason != GapReason::Absent);
    Ok(files.gaps.iter().chain(refused).cloned().fold(judged, Judgement::gap))
}

fn judged(files: &SysctlFiles, different: &[&SysctlSetting]) -> Judgement {
    let operators: Vec<&&SysctlSetting> = different.iter().filter(|one| one.author == Author::Operator).collect();
    let named = |one: &SysctlSetting| {
        let live = one.live.as_deref().unwrap_or_default();
        format!("{} is {live}, and {} sets {}", one.name, one.file, one.wanted)
    };
    match (operators.first(), different.first()) {
        (Some(first), _) => Judgement::warn(format!(
            "{}; {} in all.",
            named(first),
            counted(operators.len(), "such parameter", "such parameters")
        ))
        .remedy(remedy(first)),
        (None, Some(first)) => Judgement::info(format!("Only defaults of the distribution differ: {}.", named(first))),
        (None, None) => Judgement::pass(format!(
            "{} as their files set them.",
            counted(files.settings.len(), "kernel parameter is", "kernel parameters are")
        )),
    }
}

/// Either the file is right, or the kernel.
fn remedy(one: &SysctlSetting) -> String {
    let live = one.live.as_deref().unwrap_or_default();
    let (name, wanted, file) = (quoted(&one.name), quoted(&format!("{}={}", one.name, one.wanted)), quoted(&one.file));
    format!(
        "# Apply the file (`sysctl --system` applies all of them):\nsysctl -w {wanted}\n# Or, if the live value is the one that is wanted: put `{} = {live}` in its place there\ngrep -n {name} {file}",
        one.name
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::system::Platform;

    fn setting(live: Result<&str, Gap>, author: Author) -> SysctlSetting {
        SysctlSetting {
            name: "vm.swappiness".into(),
            wanted: "1".into(),
            live: live.map(str::to_owned),
            file: "/etc/sysctl.d/90-iggy.conf".into(),
            author,
        }
    }

    fn outcome(settings: Vec<SysctlSetting>, container: Option<&str>) -> Result<Judgement, Gap> {
        let mut evidence = Evidence::default();
        evidence.put(SYSCTL_FILES, Ok(SysctlFiles { settings, ..SysctlFiles::default() }));
        evidence.put(PLATFORM, Ok(Platform { container: container.map(str::to_owned), ..Platform::default() }));
        judge_one("sys.params-drift", &evidence)
    }

    #[test]
    fn what_the_operator_set_must_be_live() {
        let absent = || Gap::absent("/proc/sys/vm/swappiness does not exist");
        for (live, author, expected) in [
            (Ok("1"), Author::Operator, Verdict::Pass),
            (Ok("60"), Author::Operator, Verdict::Warn),
            (Ok("60"), Author::Distribution, Verdict::Info),
            (Err(absent()), Author::Operator, Verdict::Pass),
        ] {
            let judged = outcome(vec![setting(live.clone(), author)], None).unwrap();
            assert_eq!(judged.verdict, expected, "{live:?} {author:?}: {}", judged.summary);
        }
        let judged = outcome(vec![setting(Ok("60"), Author::Operator)], None).unwrap();
        assert_eq!(
            judged.summary,
            "vm.swappiness is 60, and /etc/sysctl.d/90-iggy.conf sets 1; 1 such parameter in all."
        );
        let remedy = judged.remedy.unwrap();
        assert!(remedy.contains("\nsysctl -w 'vm.swappiness=1'\n") && remedy.contains("put `vm.swappiness = 60`"));
    }

    #[test]
    fn a_container_is_not_judged_and_what_was_refused_is_a_gap() {
        let skipped = outcome(vec![setting(Ok("60"), Author::Operator)], Some("docker")).unwrap_err();
        assert_eq!(skipped.reason, GapReason::NotApplicable);
        let denied = Gap::denied("/proc/sys/vm/x may not be read", "root");
        assert_eq!(outcome(vec![setting(Err(denied.clone()), Author::Operator)], None).unwrap().gaps, [denied]);
    }
}
