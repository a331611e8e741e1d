//! How the members of a cluster prove themselves to each other.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::IGGY_PLACE;
use crate::iggy::Layout;
use crate::iggy::config::Cluster;

pub(super) const CHECK: Check = Check {
    id: "sec.cluster-auth",
    title: "Protection between replicas",
    category: Category::Security,
    tier: Tier::Extended,
    severity: Severity::Critical,
    needs: &[IGGY_CONFIG.source()],
    rule: "From release 0.9 on: fails when a cluster whose roster is not on loopback has no authentication, warns when it has no TLS between members or TLS that signs itself; passes otherwise. \
           Release 0.8 has no such protection: warns when its roster is not on loopback.",
    threshold_source: "Apache Iggy's own comments on [cluster.auth] and [cluster.tls].",
    why: "Whoever reaches the replica port of an open cluster is a member of it.",
    remedy: "# On every member, in one coordinated restart: [cluster.auth] enabled = true, shared_secret from IGGY_CLUSTER_AUTH_SHARED_SECRET;\n# [cluster.tls] enabled = true with certificates that name each member. Until then, close the port to others\n# (REPLICA_PORT is the roster's tcp_replica; MEMBERS their addresses, as 10.0.0.1, 10.0.0.2):\nnft add table inet iggy\nnft add chain inet iggy guard '{ type filter hook input priority -10; }'\nnft add rule inet iggy guard tcp dport REPLICA_PORT ip saddr != '{ MEMBERS }' drop",
    references: &["Apache Iggy: cluster configuration"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: cluster,
};

fn cluster(case: &Case<'_>) -> Result<Judgement, Gap> {
    let cluster = &case.read(IGGY_CONFIG)?.server.cluster;
    if cluster.enabled != Some(true) {
        return Err(Gap::not_applicable("this server belongs to no cluster"));
    }
    let layout = case.read(IGGY_PLACE)?.believed().map(|(_, directory)| directory.layout);
    let facts =
        cluster.nodes.iter().map(|node| (node.name.clone().unwrap_or_default(), node.ip.clone().unwrap_or_default()));
    Ok(judged(cluster, layout)?.proof(Proof::facts("The roster", facts)))
}

fn judged(cluster: &Cluster, layout: Option<Layout>) -> Result<Judgement, Gap> {
    let is_loopback = |ip: &str| ip == "localhost" || ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let open = cluster.nodes.iter().filter_map(|node| node.ip.as_deref()).any(|ip| !is_loopback(ip));
    let tls = cluster.tls.as_ref().filter(|tls| tls.enabled == Some(true));
    match layout {
        Some(Layout::V0_8) if open => {
            Ok(Judgement::warn("The cluster spans hosts, and this release has no protection between its members."))
        }
        Some(Layout::V0_8) => {
            Err(Gap::not_applicable("this release has no protection between members, and the roster is on loopback"))
        }
        Some(Layout::Edge) if open && cluster.auth_enabled != Some(true) => Ok(Judgement::fail(
            "The cluster spans hosts, and its members do not prove themselves to each other (cluster.auth.enabled).",
        )),
        Some(Layout::Edge) => Ok(match tls {
            None if open => {
                Judgement::warn("The cluster's members speak to each other without TLS (cluster.tls.enabled).")
            }
            Some(tls) if tls.self_signed == Some(true) => {
                Judgement::warn("The cluster's TLS signs itself: any peer is accepted (cluster.tls.self_signed).")
            }
            _ => Judgement::pass("The cluster's members prove themselves and encrypt, or stand on loopback."),
        }),
        Some(Layout::Unknown) | None => Err(Gap::not_applicable("the release is not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::iggy::config::{ClusterNode, Tls};

    #[test]
    fn each_release_is_judged_by_what_it_has() {
        let cluster = |ip: &str, auth: bool, tls: Option<bool>| Cluster {
            enabled: Some(true),
            auth_enabled: Some(auth),
            tls: tls.map(|self_signed| Tls { enabled: Some(true), self_signed: Some(self_signed), ..Tls::default() }),
            nodes: vec![ClusterNode { ip: Some(ip.into()), ..ClusterNode::default() }],
            ..Cluster::default()
        };
        for (cluster, layout, expected) in [
            (cluster("10.0.0.1", false, None), Layout::V0_8, Some(Verdict::Warn)),
            (cluster("127.0.0.1", false, None), Layout::V0_8, None),
            (cluster("10.0.0.1", false, Some(false)), Layout::Edge, Some(Verdict::Fail)),
            (cluster("10.0.0.1", true, None), Layout::Edge, Some(Verdict::Warn)),
            (cluster("10.0.0.1", true, Some(true)), Layout::Edge, Some(Verdict::Warn)),
            (cluster("10.0.0.1", true, Some(false)), Layout::Edge, Some(Verdict::Pass)),
            (cluster("127.0.0.1", false, None), Layout::Edge, Some(Verdict::Pass)),
            (cluster("10.0.0.1", false, None), Layout::Unknown, None),
        ] {
            assert_eq!(judged(&cluster, Some(layout)).ok().map(|judged| judged.verdict), expected, "{cluster:?}");
        }
    }
}
