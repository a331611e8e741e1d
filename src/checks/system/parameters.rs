//! The kernel's parameters, for the record.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::system::PARAMETERS;

pub(super) const CHECK: Check = Check {
    id: "sys.params",
    title: "Kernel parameters",
    category: Category::System,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[PARAMETERS.source()],
    rule: "Information: the values of an allow-list of kernel parameters. What a value means is judged by the check of its area.",
    threshold_source: "No threshold.",
    why: "Half of all differences between a node that works and one that does not are here; two snapshots can be compared line by line.",
    remedy: "",
    references: &["Linux documentation: admin-guide/sysctl", "sysctl(8)"],
    privilege: "any user",
    settings: &[],
    evaluate: parameters,
};

fn parameters(case: &Case<'_>) -> Result<Judgement, Gap> {
    let parameters = case.read(PARAMETERS)?;
    if let Some(gap) = parameters.gaps.first().filter(|_| parameters.values.is_empty()) {
        return Err(gap.clone());
    }
    let read = counted(parameters.values.len(), "kernel parameter", "kernel parameters");
    let table =
        Proof::facts("Kernel parameters", parameters.values.iter().map(|(name, value)| (*name, value.as_str())));
    let judged = Judgement::info(format!("{read} read.")).proof(table);
    Ok(parameters.gaps.iter().cloned().fold(judged, Judgement::gap))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::system::Parameters;

    #[test]
    fn parameters_that_were_refused_are_gaps_of_the_finding() {
        let gap = Gap::denied("/proc/sys/vm/x may not be read", "root");
        let mut evidence = Evidence::default();
        let values = [("vm.swappiness", "60".to_owned())].into();
        evidence.put(PARAMETERS, Ok(Parameters { values, gaps: vec![gap.clone()] }));
        let judged = judge_one("sys.params", &evidence).unwrap();
        assert_eq!((judged.verdict, judged.summary.as_str()), (Verdict::Info, "1 kernel parameter read."));
        assert_eq!(judged.gaps, std::slice::from_ref(&gap));
        evidence.put(PARAMETERS, Ok(Parameters { gaps: vec![gap.clone()], ..Parameters::default() }));
        assert_eq!(judge_one("sys.params", &evidence), Err(gap));
    }
}
