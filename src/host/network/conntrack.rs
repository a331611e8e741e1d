//! The table of tracked connections, and the backlog of received packets.

use super::super::scene::Scene;
use crate::evidence::Observed;
use crate::evidence::conntrack::{Conntrack, totals};
use crate::evidence::samples::SAMPLES;
use crate::evidence::softnet::{Backlog, between};

pub(super) const SOFTNET: &str = "/proc/net/softnet_stat";

/// Absent where connections are not tracked.
pub(super) fn conntrack(scene: &Scene) -> Observed<Conntrack> {
    let host = &scene.host;
    let count = host.value("/proc/sys/net/netfilter/nf_conntrack_count")?;
    // A kernel that does not show its statistics has the table all the same.
    let statistics = host.text("/proc/net/stat/nf_conntrack").unwrap_or_default();
    let [dropped, dropped_early, insert_failed] = totals(&statistics, ["drop", "early_drop", "insert_failed"]);
    let max = host.value("/proc/sys/net/netfilter/nf_conntrack_max")?;
    Ok(Conntrack { count, max, dropped, dropped_early, insert_failed })
}

pub(super) fn backlog(scene: &Scene) -> Observed<Backlog> {
    let (first, second) = scene.evidence.read(SAMPLES)?.pair(SOFTNET)?;
    let setting = |name: &str| scene.host.value(&format!("/proc/sys/net/core/{name}")).ok();
    Ok(Backlog {
        backlog_max: setting("netdev_max_backlog"),
        budget: setting("netdev_budget"),
        ..between(first, second)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::root::Host;
    use super::super::super::scene::testing::scene;
    use super::*;
    use crate::domain::gap::GapReason;

    #[test]
    fn a_host_that_tracks_no_connections_says_so() {
        let tree = tempfile::tempdir().unwrap();
        let host = || Host::recorded(tree.path()).unwrap();
        assert_eq!(conntrack(&scene(host())).unwrap_err().reason, GapReason::Absent);
        let folder = tree.path().join("proc/sys/net/netfilter");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("nf_conntrack_count"), "12\n").unwrap();
        std::fs::write(folder.join("nf_conntrack_max"), "100\n").unwrap();
        let expected = Conntrack { count: 12, max: 100, ..Conntrack::default() };
        assert_eq!(conntrack(&scene(host())), Ok(expected));
    }
}
