//! Whether a packet filter stops Iggy's clients and peers.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use super::scope;
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::verdict::Severity;
use crate::evidence::config::{IGGY_CONFIG, IggyConfig, address};
use crate::evidence::firewall::{Chain, FIREWALL, Fate, Firewall, Packet, Policy};
use crate::evidence::sockets::Transport;

pub(super) const CHECK: Check = Check {
    id: "net.firewall",
    title: "No packet filter stops Iggy's ports",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[FIREWALL.source(), IGGY_CONFIG.source()],
    rule: "The rules of nf_tables are followed for a new connection over IPv4 from another host to each port that Iggy's listeners have on an address other than loopback. Warns when a rule or a policy stops it for everybody. Information otherwise: how many rules there are, and which ports depend on the sender. Passes without rules. Filters of iptables-legacy and of other hosts are not read.",
    threshold_source: "Lynis (FIRE-4508, FIRE-4512) asks whether there are rules; that they are followed to a verdict is our own.",
    why: "A dropped packet looks like a dead broker to every client, and the broker sees nothing at all.",
    remedy: "nft list ruleset\n# Let clients and peers in, in the chain that the verdict names, before the rule that stops them:\nnft insert rule inet filter input tcp dport PORT accept\n# and keep it: /etc/nftables.conf; with firewalld: firewall-cmd --permanent --add-port=PORT/tcp && firewall-cmd --reload; with ufw: ufw allow PORT/tcp",
    references: &["nft(8)", "Lynis: FIRE-4508"],
    privilege: "CAP_NET_ADMIN",
    settings: &[],
    evaluate: firewall,
};

/// `IPPROTO_TCP` and `IPPROTO_UDP`.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A port of Iggy's, and what the filters do with it.
struct Port {
    name: &'static str,
    transport: Transport,
    number: u16,
    fate: Fate,
}

fn firewall(case: &Case<'_>) -> Result<Judgement, Gap> {
    let all = case.read(FIREWALL)?;
    let config = case.read(IGGY_CONFIG);
    let ports = config.as_ref().ok().map(|config| ports(config, all));
    let mut judged = judged(all, ports.as_deref());
    if all.rules() > 0 {
        judged = judged.proof(chains(all));
    }
    if let Some(ports) = ports.filter(|ports| !ports.is_empty()) {
        judged = judged.proof(table(&ports));
    }
    let legacy = (!all.legacy.is_empty()).then(|| {
        Gap::new(GapReason::Tool, format!("filters of iptables-legacy are not read (tables {})", all.legacy.join(", ")))
            .unlocked_by("iptables-legacy-save, by hand; or move them to nf_tables")
    });
    Ok(scope(case).gap().into_iter().chain(legacy).fold(judged, Judgement::gap))
}

/// The ports that others than this host can be let in by.
fn ports(config: &IggyConfig, all: &Firewall) -> Vec<Port> {
    let open = |listener| address(listener).is_none_or(|address| !address.ip().is_loopback());
    let on = config.all_listeners().into_iter().filter(|(_, _, listener)| listener.is_on() && open(listener));
    on.filter_map(|(name, transport, listener)| {
        let port = listener.port().filter(|port| *port != 0)?;
        let protocol = if transport == Transport::Tcp { TCP } else { UDP };
        Some(Port { name, transport, number: port, fate: all.fate(Packet { protocol, port }) })
    })
    .collect()
}

/// `listening`: the ports that others can be let in by, where Iggy's configuration tells them.
fn judged(all: &Firewall, listening: Option<&[Port]>) -> Judgement {
    let ports = listening.unwrap_or_default();
    let stopped = ports.iter().find_map(|port| match &port.fate {
        Fate::Stopped(place) => Some((port, place)),
        Fate::Accepted | Fate::Depends => None,
    });
    if let Some((port, place)) = stopped {
        return Judgement::warn(format!(
            "New connections to {} port {} ({}) are stopped by {place}.",
            port.transport.word(),
            port.number,
            port.name
        ))
        .remedy(
            CHECK
                .remedy
                .replace("inet filter input", place.rsplit_once(" of ").map_or("inet filter input", |(_, chain)| chain))
                .replace("PORT", &port.number.to_string())
                .replace("tcp dport", &format!("{} dport", port.transport.word())),
        );
    }
    let drops = all.chains.iter().any(|chain| chain.hook.is_some_and(|hook| hook.policy == Policy::Drop));
    if all.rules() == 0 && !drops {
        return Judgement::pass("There are no rules of nf_tables.");
    }
    let rules = counted(all.rules(), "rule", "rules");
    let depends: Vec<String> =
        ports.iter().filter(|port| port.fate == Fate::Depends).map(|port| port.number.to_string()).collect();
    Judgement::info(match (listening.is_some(), ports.is_empty(), depends.is_empty()) {
        (false, ..) => format!("{rules} of nf_tables; which ports are Iggy's is not known."),
        (true, true, _) => format!("{rules} of nf_tables; Iggy listens on loopback alone."),
        (true, false, true) => format!("{rules} of nf_tables, and none stops a port of Iggy's."),
        (true, false, false) => {
            format!("{rules} of nf_tables; who may reach port {} depends on the sender.", depends.join(", "))
        }
    })
}

fn chains(all: &Firewall) -> Proof {
    let columns = vec![
        Column::text("Chain"),
        Column::text("Entered at"),
        Column::text("Policy"),
        Column::number("Rules", Unit::Count),
    ];
    let row = |chain: &Chain| {
        let (hook, policy) = match chain.hook {
            Some(hook) => (
                match hook.number {
                    0 => "prerouting",
                    1 => "input",
                    2 => "forward",
                    3 => "output",
                    4 => "postrouting",
                    _ => "ingress",
                },
                if hook.policy == Policy::Drop { "drop" } else { "accept" },
            ),
            None => ("by rules", "–"),
        };
        vec![chain.place().into(), hook.into(), policy.into(), (chain.rules.len() as u64).into()]
    };
    Proof::table("Chains", columns, all.chains.iter().map(row).collect())
}

fn table(ports: &[Port]) -> Proof {
    let row = |port: &Port| {
        let fate = match &port.fate {
            Fate::Accepted => "let in".to_owned(),
            Fate::Depends => "depends on the sender or on what is not read".to_owned(),
            Fate::Stopped(place) => format!("stopped by {place}"),
        };
        vec![port.name.into(), format!("{} {}", port.transport.word(), port.number).into(), fate.into()]
    };
    let columns = ["Listener", "Port", "A new connection is"].map(Column::text).to_vec();
    Proof::table("Iggy's ports", columns, ports.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::firewall::{Action, Condition, Field, Hook, Rule, Test};
    use crate::iggy::config::ServerConfig;

    fn rule(field: Field, value: &[u8], action: Action) -> Rule {
        Rule { conditions: vec![Condition { field, test: Test::Compare(0, value.to_vec()) }], action }
    }

    fn seen(policy: Policy, rules: Vec<Rule>, tcp: Option<&str>) -> Judgement {
        let hook = Some(Hook { number: 1, priority: 0, policy });
        let chain = Chain { family: 1, table: "filter".into(), name: "input".into(), hook, rules };
        let mut evidence = Evidence::default();
        evidence.put(FIREWALL, Ok(Firewall { chains: vec![chain], ..Firewall::default() }));
        if let Some(tcp) = tcp {
            let server = ServerConfig::parse(&format!("[tcp]\nenabled = true\naddress = \"{tcp}\"\n")).unwrap();
            evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
        }
        judge_one("net.firewall", &evidence).unwrap()
    }

    #[test]
    fn a_port_that_is_stopped_for_everybody_warns() {
        let port = 8090_u16.to_be_bytes();
        let (everywhere, loopback) = (Some("0.0.0.0:8090"), Some("127.0.0.1:8090"));
        let accept = || rule(Field::Port, &port, Action::Accept);
        let drop = || rule(Field::Port, &port, Action::Drop);
        let some = || rule(Field::Other, &[10, 0, 0, 1], Action::Accept);
        for (policy, rules, tcp, expected) in [
            (Policy::Accept, vec![], everywhere, Verdict::Pass),
            (Policy::Drop, vec![], everywhere, Verdict::Warn),
            (Policy::Drop, vec![accept()], everywhere, Verdict::Info),
            (Policy::Accept, vec![drop()], everywhere, Verdict::Warn),
            (Policy::Accept, vec![accept(), drop()], everywhere, Verdict::Info),
            (Policy::Drop, vec![some()], everywhere, Verdict::Info),
            (Policy::Drop, vec![], loopback, Verdict::Info),
            (Policy::Drop, vec![], None, Verdict::Info),
        ] {
            let judged = seen(policy, rules.clone(), tcp);
            assert_eq!(judged.verdict, expected, "{policy:?} {rules:?} {tcp:?}: {}", judged.summary);
        }
        let judged = seen(Policy::Accept, vec![drop()], everywhere);
        assert_eq!(
            judged.summary,
            "New connections to tcp port 8090 (TCP) are stopped by rule 1 of inet filter input."
        );
        assert!(judged.remedy.unwrap().contains("tcp dport 8090 accept"));
    }

    #[test]
    fn older_filters_are_a_gap() {
        let mut evidence = Evidence::default();
        evidence.put(FIREWALL, Ok(Firewall { legacy: vec!["filter".into()], ..Firewall::default() }));
        let judged = judge_one("net.firewall", &evidence).unwrap();
        assert_eq!((judged.verdict, judged.gaps.len()), (Verdict::Pass, 1));
    }
}
