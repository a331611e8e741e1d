//! As whom the server runs.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::iggy::{Confinement, IGGY_PROCESS, ProcessRoot};

pub(super) const CHECK: Check = Check {
    id: "sec.run-as",
    title: "Service identity",
    category: Category::Security,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[IGGY_PROCESS.source()],
    rule: "Warns when the server runs as root of this host, information when it does in a container or has capabilities beyond SYS_NICE and IPC_LOCK; passes otherwise.",
    threshold_source: "Iggy's own compose file adds SYS_NICE alone; ScyllaDB's unit as a model.",
    why: "A flaw in a broker that runs as root is a flaw in the host.",
    remedy: "useradd --system --home-dir /var/lib/iggy --shell /usr/sbin/nologin iggy\nsystemctl stop iggy-server\nchown -R iggy: 'DATA_DIRECTORY'\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nUser=iggy\\nLimitMEMLOCK=infinity\\nNoNewPrivileges=yes\\n' > /etc/systemd/system/iggy-server.service.d/user.conf\nsystemctl daemon-reload && systemctl start iggy-server",
    references: &["Linux manual: capabilities(7)"],
    privilege: "any user",
    settings: &[],
    evaluate: identity,
};

/// `capability.h`.
const IPC_LOCK: u32 = 14;
const SYS_NICE: u32 = 23;

fn identity(case: &Case<'_>) -> Result<Judgement, Gap> {
    let process = case.read(IGGY_PROCESS)?;
    let confinement = process.confinement;
    let yes = |value: Option<bool>| value.map_or("not known", |value| if value { "yes" } else { "no" });
    let seccomp = match confinement.seccomp {
        Some(0) => "none",
        Some(1) => "strict",
        Some(2) => "filter",
        _ => "not known",
    };
    let facts = [
        ("User", process.uid.to_string()),
        ("Capabilities", format!("{:016x}", confinement.capabilities)),
        ("NoNewPrivs", yes(confinement.no_new_privileges).to_owned()),
        ("Seccomp", seccomp.to_owned()),
    ];
    Ok(judged(process.uid, confinement, process.root).proof(Proof::facts("Identity", facts)))
}

fn judged(uid: u32, confinement: Confinement, root: ProcessRoot) -> Judgement {
    let extra = confinement.capabilities & !(1 << IPC_LOCK | 1 << SYS_NICE);
    match (uid, root) {
        // Mounts of its own are no container: each unit with a sandbox has them, and so may this snapshot.
        (0, _) if confinement.pid_namespaces > 1 => Judgement::info("The server runs as root inside its container."),
        (0, _) if confinement.pid_namespaces == 1 => Judgement::warn("The server runs as root."),
        (0, ProcessRoot::Ours) => Judgement::warn("The server runs as root."),
        (0, ProcessRoot::Own | ProcessRoot::Unseen) => {
            Judgement::info("The server runs as root; whether in a container may not be seen.")
        }
        _ if extra != 0 => {
            let summary = format!(
                "The server runs as user {uid} with {} capabilities that it does not need.",
                extra.count_ones()
            );
            Judgement::info(summary).expected("SYS_NICE and IPC_LOCK at most")
        }
        _ => Judgement::pass(format!("The server runs as user {uid} without capabilities that it does not need.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn root_and_capabilities_are_judged() {
        for (uid, capabilities, root, pid_namespaces, expected) in [
            (1000, 0, ProcessRoot::Ours, 1, Verdict::Pass),
            (1000, 1 << IPC_LOCK | 1 << SYS_NICE, ProcessRoot::Ours, 1, Verdict::Pass),
            (1000, 1 << 21, ProcessRoot::Ours, 1, Verdict::Info),
            (0, 0, ProcessRoot::Ours, 0, Verdict::Warn),
            (0, 0, ProcessRoot::Own, 0, Verdict::Info),
            (0, 0, ProcessRoot::Unseen, 0, Verdict::Info),
            (0, 0, ProcessRoot::Own, 1, Verdict::Warn),
            (0, 0, ProcessRoot::Unseen, 1, Verdict::Warn),
            (0, 0, ProcessRoot::Own, 2, Verdict::Info),
            (0, 0, ProcessRoot::Unseen, 2, Verdict::Info),
        ] {
            let confinement = Confinement { capabilities, pid_namespaces, ..Confinement::default() };
            assert_eq!(judged(uid, confinement, root).verdict, expected, "{uid} {root:?} {pid_namespaces}");
        }
    }
}
