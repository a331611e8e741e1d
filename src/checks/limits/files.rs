//! Whether the system as a whole can still open files.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::system::PARAMETERS;

pub(super) const CHECK: Check = Check {
    id: "limits.files-system",
    title: "The system can still open files",
    category: Category::Limits,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[PARAMETERS.source()],
    rule: "Fails when more than 90 % of fs.file-max is in use; warns above 70 %, and when fs.file-max is below 500000. Passes otherwise.",
    threshold_source: "node_exporter's mixin: 70 and 90 %; ClickHouse warns below 500000.",
    why: "At the ceiling every process on the host fails to open files and to accept connections, Iggy among them.",
    remedy: "cat /proc/sys/fs/file-nr\nsysctl -w fs.file-max=9223372036854775807\necho 'fs.file-max = 9223372036854775807' > /etc/sysctl.d/90-iggy-file-max.conf",
    references: &["Linux documentation: admin-guide/sysctl/fs", "node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "used_warn_percent",
            default: 70.0,
            min: 1.0,
            max: 100.0,
            help: "the largest share that does not warn",
        },
        Setting {
            name: "used_fail_percent",
            default: 90.0,
            min: 1.0,
            max: 100.0,
            help: "the largest share that does not fail",
        },
        Setting {
            name: "max_min",
            default: 500_000.0,
            min: 1.0,
            max: 1e18,
            help: "the smallest ceiling that does not warn",
        },
    ],
    evaluate: files,
};

fn files(case: &Case<'_>) -> Result<Judgement, Gap> {
    let parameters = case.read(PARAMETERS)?;
    let text = parameters.values.get("fs.file-nr").ok_or_else(|| Gap::absent("the kernel shows no fs.file-nr"))?;
    // Allocated, free (always 0), and the ceiling.
    let numbers: Vec<u64> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [used, _, max] = numbers[..] else { return Err(Gap::broken("fs.file-nr holds no three numbers")) };
    let [warn, fail, min] = ["used_warn_percent", "used_fail_percent", "max_min"].map(|name| case.setting(name));
    let of = share(used, max);
    let fact = |limit: f64| format!("{} of fs.file-max ({max}) is in use, more than {}.", percent(of), percent(limit));
    let judged = if of > fail {
        Judgement::fail(fact(fail))
    } else if of > warn {
        Judgement::warn(fact(warn))
    } else if float(max) < min {
        Judgement::warn(format!("fs.file-max is {max}, less than {min}."))
    } else {
        Judgement::pass(format!("{used} files are open; fs.file-max is {max}."))
    };
    let names =
        ["fs.file-nr", "fs.file-max", "fs.inode-nr", "fs.inotify.max_user_instances", "fs.inotify.max_user_watches"];
    let facts = names.into_iter().filter_map(|name| Some((name, parameters.values.get(name)?.as_str())));
    Ok(judged
        .measured(of, Unit::Percent, percent(of))
        .expected(format!("≤ {}", percent(warn)))
        .proof(Proof::facts("Open files of the system", facts)))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::system::Parameters;

    #[test]
    fn open_files_of_the_system_are_judged_at_their_boundaries() {
        for (text, verdict) in [
            ("700000 0 1000000", Verdict::Pass),
            ("700001 0 1000000", Verdict::Warn),
            ("900000 0 1000000", Verdict::Warn),
            ("900001 0 1000000", Verdict::Fail),
            ("1 0 499999", Verdict::Warn),
            ("1 0 500000", Verdict::Pass),
            ("1952 0 9223372036854775807", Verdict::Pass),
        ] {
            let mut evidence = Evidence::default();
            evidence
                .put(PARAMETERS, Ok(Parameters { values: [("fs.file-nr", text.to_owned())].into(), gaps: Vec::new() }));
            assert_eq!(judge_one("limits.files-system", &evidence).unwrap().verdict, verdict, "{text}");
        }
    }
}
