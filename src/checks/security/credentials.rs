//! Root credentials that everybody knows.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::Judgement;
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::iggy::{IGGY_PROCESS, RootCredentials};

pub(super) const CHECK: Check = Check {
    id: "sec.default-creds",
    title: "Default credentials",
    category: Category::Security,
    tier: Tier::Extended,
    severity: Severity::Critical,
    needs: &[IGGY_PROCESS.source()],
    rule: "Fails when IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD of the running server are a pair that stands in Iggy's own documentation or charts; passes when they are another. They are compared in memory, and no log-in is tried. They count at the first start alone: a password that was changed since is not seen.",
    threshold_source: "Apache Iggy's README and Helm values.",
    why: "The documented password is the first that anybody tries.",
    remedy: "iggy user password iggy   # asks for the old and the new one\n# then take IGGY_ROOT_PASSWORD out of the unit, the compose file or the chart's values.",
    references: &["Apache Iggy: README, root user"],
    privilege: "CAP_SYS_PTRACE",
    settings: &[],
    evaluate: credentials,
};

fn credentials(case: &Case<'_>) -> Result<Judgement, Gap> {
    let environment = case.read(IGGY_PROCESS)?.environment.as_ref().map_err(Gap::clone)?;
    judged(environment.root_credentials)
}

fn judged(found: RootCredentials) -> Result<Judgement, Gap> {
    match found {
        RootCredentials::WellKnown => {
            Ok(Judgement::fail("The server's environment names the root credentials of Iggy's own documentation."))
        }
        RootCredentials::Own => {
            Ok(Judgement::pass("The root credentials in the server's environment are none of the documented ones."))
        }
        RootCredentials::Unstated => Err(Gap::not_applicable("the server's environment names no root credentials")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn only_documented_credentials_fail() {
        for (found, expected) in [
            (RootCredentials::WellKnown, Some(Verdict::Fail)),
            (RootCredentials::Own, Some(Verdict::Pass)),
            (RootCredentials::Unstated, None),
        ] {
            assert_eq!(judged(found).ok().map(|judged| judged.verdict), expected);
        }
    }
}
