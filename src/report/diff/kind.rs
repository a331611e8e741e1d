//! What a check's evidence is: how a host is set up, or what was measured of it.
//!
//! Every check of the catalogue stands in exactly one list; a test compares them. A check that neither names is of another
//! version: nothing is known of it, and it is taken for a measurement.

use crate::domain::verdict::Verdict;
use crate::report::model::CheckChange;

/// The kind of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its evidence states how a host is set up: two reports that differ in it differ in substance.
    Settled,
    /// Its evidence moves by itself: load, traffic, counters, what logs tell.
    Measured,
}

const SETTLED: &[&str] = &[
    "sys.os",
    "sys.kernel",
    "sys.platform",
    "sys.taint",
    "sys.cgroup",
    "sys.params",
    "sys.params-drift",
    "sys.boot",
    "uring.probe",
    "uring.opcodes",
    "uring.sysctl",
    "limits.memlock",
    "limits.nofile",
    "limits.threads",
    "cpu.topology",
    "cpu.quota",
    "cpu.pinning",
    "cpu.clocksource",
    "cpu.governor",
    "mem.budget",
    "mem.swap",
    "mem.thp",
    "mem.hugepages",
    "mem.numa",
    "mem.overcommit",
    "disk.fstype",
    "disk.data-dir",
    "disk.raid",
    "disk.mount-opts",
    "disk.queue",
    "disk.fstrim",
    "net.links",
    "net.routes",
    "net.listeners",
    "net.firewall",
    "net.qdisc",
    "iggy.version",
    "iggy.config",
    "iggy.flags",
    "iggy.connectors",
    "systemd.unit",
    "tls.files",
    "tls.chain",
    "tls.crypto",
    "tls.key-perms",
    "tls.listener",
    "tls.names",
    "time.sync",
    "sec.secrets",
    "sec.plaintext",
    "sec.cluster-auth",
    "sec.default-creds",
    "sec.run-as",
];

/// The rest of the catalogue, written down so that a new check has to be thought of.
#[cfg(test)]
const MEASURED: &[&str] = &[
    "sys.crash",
    "limits.files-system",
    "cpu.load",
    "cpu.use",
    "mem.available",
    "mem.pressure",
    "mem.oom",
    "mem.top",
    "disk.space",
    "disk.inodes",
    "disk.stuck",
    "disk.io",
    "disk.fs-errors",
    "disk.nvme",
    "disk.drbd",
    "disk.deleted-open",
    "net.accept-queue",
    "net.tcp-states",
    "net.udp",
    "net.retrans",
    "net.conntrack",
    "net.softnet",
    "net.peers",
    "proc.top",
    "proc.stuck",
    "proc.iggy",
    "iggy.ping",
    "iggy.stats",
    "iggy.metrics",
    "iggy.config-drift",
    "iggy.integrity",
    "iggy.segments",
    "iggy.cluster",
    "iggy.retention",
    "systemd.state",
    "systemd.restarts",
    "systemd.coredumps",
    "time.jumps",
    "logs.kernel",
    "logs.runtime",
    "logs.journal",
    "self.agent",
    "self.coverage",
];

impl Kind {
    /// The kind of the check of this id.
    pub(super) fn of(id: &str) -> Self {
        if SETTLED.contains(&id) { Self::Settled } else { Self::Measured }
    }
}

/// Whether a reader has to know of this change. A measurement that is a pass at one time and information at another is
/// as well as before: there were too few packets for a share, or no load to be judged.
pub(super) fn matters(change: &CheckChange) -> bool {
    let well = |verdict: Option<Verdict>| matches!(verdict, Some(Verdict::Pass | Verdict::Info));
    let noise = well(change.before) && well(change.after) && Kind::of(change.id.as_str()) == Kind::Measured;
    change.before != change.after && !noise
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::checks;

    #[test]
    fn every_check_is_of_exactly_one_kind() {
        let named: Vec<&str> = SETTLED.iter().chain(MEASURED).copied().collect();
        let catalogue: BTreeSet<&str> = checks::catalogue().map(|check| check.id).collect();
        assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), catalogue);
        assert_eq!(named.len(), catalogue.len(), "a check stands in both lists");
    }
}
