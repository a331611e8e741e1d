//! The cluster as the server sees it.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::api::IGGY_API;
use crate::evidence::config::IGGY_CONFIG;
use crate::iggy::answers::{Cluster, Member};

pub(super) const CHECK: Check = Check {
    id: "iggy.cluster",
    title: "The cluster's view",
    category: Category::Iggy,
    tier: Tier::Extended,
    severity: Severity::Critical,
    needs: &[IGGY_CONFIG.source(), IGGY_API.source()],
    rule: "Fails when no member leads, warns when a member is not healthy or there are two members (neither can be lost); passes otherwise. A server without a cluster is a skip.",
    threshold_source: "Apache Iggy's cluster configuration.",
    why: "A cluster without a leader takes no writes; one of two members has no more safety than one server.",
    remedy: "# On the member that is named:\nsystemctl status iggy-server\njournalctl -u iggy-server -n 100\n# The roster must be the same, byte for byte, on every member.",
    references: &["Apache Iggy: cluster configuration"],
    privilege: "a credential of Iggy's",
    settings: &[],
    evaluate: cluster,
};

fn cluster(case: &Case<'_>) -> Result<Judgement, Gap> {
    if case.read(IGGY_CONFIG).is_ok_and(|config| config.server.cluster.enabled != Some(true)) {
        return Err(Gap::not_applicable("this server belongs to no cluster"));
    }
    let cluster = case.read(IGGY_API)?.cluster.as_ref().map_err(Gap::clone)?;
    let rows = cluster.nodes.iter().map(|member| {
        [&member.name, &member.ip, &member.role, &member.status].map(|text| text.as_str().into()).to_vec()
    });
    let columns = ["Member", "Address", "Role", "Status"].map(Column::text).to_vec();
    Ok(judged(cluster).proof(Proof::table("Members", columns, rows.collect())))
}

fn judged(cluster: &Cluster) -> Judgement {
    let leads = |member: &&Member| ["leader", "primary"].iter().any(|role| member.role.eq_ignore_ascii_case(role));
    let leader = cluster.nodes.iter().find(leads);
    let ill = cluster.nodes.iter().find(|member| !member.status.eq_ignore_ascii_case("healthy"));
    match (leader, ill, cluster.nodes.len()) {
        (None, _, members) => Judgement::fail(format!("No member of {} leads; {members} are known.", cluster.name)),
        (_, Some(member), _) => Judgement::warn(format!("{} is {}.", member.name, member.status)),
        (_, None, 2) => {
            Judgement::warn(format!("{} has two members: when either is lost, nothing is written.", cluster.name))
        }
        (Some(leader), None, members) => {
            Judgement::pass(format!("{members} members of {} are healthy, and {} leads.", cluster.name, leader.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn leader_health_and_number_are_judged() {
        let verdict = |members: &[(&str, &str)]| {
            let member = |(role, status): &(&str, &str)| Member {
                name: "a".into(),
                ip: "10.0.0.1".into(),
                role: (*role).into(),
                status: (*status).into(),
            };
            judged(&Cluster { name: "c".into(), nodes: members.iter().map(member).collect() }).verdict
        };
        let (leader, follower) = (("leader", "healthy"), ("follower", "healthy"));
        assert_eq!(verdict(&[leader, follower, follower]), Verdict::Pass);
        assert_eq!(verdict(&[leader, follower]), Verdict::Warn);
        assert_eq!(verdict(&[leader, follower, ("follower", "unreachable")]), Verdict::Warn);
        assert_eq!(verdict(&[follower, follower, follower]), Verdict::Fail);
        assert_eq!(verdict(&[]), Verdict::Fail);
    }
}
