//! States of TCP connections.

use std::collections::BTreeMap;

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::network::{NET_SETTINGS, NetSettings};
use crate::evidence::sockets::{Completeness, SOCKETS, Sockets, TcpState, Transport};

pub(super) const CHECK: Check = Check {
    id: "net.tcp-states",
    title: "States of TCP connections",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[SOCKETS.source(), NET_SETTINGS.source()],
    rule: "Warns when more than 100 connections (close_wait_warn) to a port of Iggy's wait for Iggy to close them, when connections in TIME-WAIT to one address fill 70 % (time_wait_warn_percent) of the local ports, \
           when orphans are above 50 % (orphans_warn_percent) of tcp_max_orphans, or TCP uses more memory than the pressure mark of tcp_mem; passes otherwise.",
    threshold_source: "The limits are the kernel's own settings; the shares of them are our own.",
    why: "CLOSE-WAIT that grows is a leak in the server; local ports that run out are connections that a client cannot open.",
    remedy: "# Whose connections, and how many each?\nss -Htan state close-wait | awk '{print $4}' | sed 's/:[0-9]*$//' | sort | uniq -c | sort -rn | head\nss -Htan state time-wait | awk '{print $4}' | sort | uniq -c | sort -rn | head\n# CLOSE-WAIT: the server did not close them. Keep this for the ticket; a restart frees them:\nss -tanp state close-wait > /tmp/close-wait.txt; systemctl restart iggy-server\n# TIME-WAIT: the client with the most of them opens a connection for each request.",
    references: &["Linux documentation: networking/ip-sysctl"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "close_wait_warn",
            default: 100.0,
            min: 1.0,
            max: 1e6,
            help: "connections in CLOSE-WAIT that warn",
        },
        Setting {
            name: "time_wait_warn_percent",
            default: 70.0,
            min: 1.0,
            max: 100.0,
            help: "share of the local ports that warns, percent",
        },
        Setting {
            name: "orphans_warn_percent",
            default: 50.0,
            min: 1.0,
            max: 100.0,
            help: "share of tcp_max_orphans that warns, percent",
        },
    ],
    evaluate: tcp_states,
};

/// What to do about connections that the server does not close.
const LEAK: &str = "# Whose are they, and how many each?\nss -Htan state close-wait '( sport = :PORT )' | awk '{print $4}' | sed 's/:[0-9]*$//' | sort | uniq -c | sort -rn | head\n# Do they grow? Keep this for the ticket: it is a leak in the server\nss -tanp state close-wait '( sport = :PORT )' > /tmp/close-wait.txt; date >> /tmp/close-wait.txt\n# A restart frees them:\nsystemctl restart iggy-server   # in a maintenance window";

fn tcp_states(case: &Case<'_>) -> Result<Judgement, Gap> {
    let sockets = case.read(SOCKETS)?;
    let settings = case.read(NET_SETTINGS)?;
    let ports: Vec<u16> = case.read(IGGY_CONFIG).map(|config| config.ports(Transport::Tcp)).unwrap_or_default();
    let judged = judged(case, sockets, settings, &ports);
    let judged = match sockets.completeness {
        Completeness::Whole => judged,
        Completeness::Cut => {
            judged.gap(Gap::broken("the table of connections was too long and was cut: numbers are lower bounds"))
        }
    };
    Ok(judged.proof(table(sockets, &ports)))
}

fn table(sockets: &Sockets, ports: &[u16]) -> Proof {
    let mut by_state: BTreeMap<(String, TcpState), u64> = BTreeMap::new();
    for ((port, state), count) in &sockets.states {
        let group = if ports.contains(port) { format!("Iggy's port {port}") } else { "all others".to_owned() };
        *by_state.entry((group, *state)).or_default() += count;
    }
    let rows = by_state
        .iter()
        .map(|((group, state), count)| vec![group.as_str().into(), state.word().into(), Cell::from(*count)]);
    let columns = vec![Column::text("Where"), Column::text("State"), Column::number("Connections", Unit::Count)];
    Proof::table("Connections by state", columns, rows.collect())
}

fn judged(case: &Case<'_>, sockets: &Sockets, settings: &NetSettings, ports: &[u16]) -> Judgement {
    let close_wait = |port: u16| sockets.states.get(&(port, TcpState::CloseWait)).copied().unwrap_or(0);
    let close_wait_max = case.setting("close_wait_warn");
    let leaking = ports.iter().copied().max_by_key(|port| close_wait(*port)).map(|port| (port, close_wait(port)));
    if let Some((port, count)) = leaking.filter(|(_, count)| float(*count) > close_wait_max) {
        return Judgement::warn(format!(
            "{count} connections on port {port} were closed by the client and not by the server, more than {close_wait_max}."
        ))
        .remedy(LEAK.replace("PORT", &port.to_string()))
        .measured(float(count), Unit::Count, count.to_string())
        .expected(format!("≤ {close_wait_max}"));
    }
    let time_wait_max = case.setting("time_wait_warn_percent");
    if let (Some((peer, count)), Some((first, last))) = (sockets.time_wait_peers.first(), settings.local_ports) {
        let range = u64::from(last.saturating_sub(first)) + 1;
        let used = share(*count, range);
        if used > time_wait_max {
            return Judgement::warn(format!(
                "{count} connections to {peer} are in TIME-WAIT, {} of the {range} local ports.",
                percent(used)
            ))
            .measured(used, Unit::Percent, percent(used))
            .expected(format!("≤ {time_wait_max} %"));
        }
    }
    let orphans_max = case.setting("orphans_warn_percent");
    if let (Some(orphans), Some(most)) = (sockets.orphans, settings.orphans_max) {
        let used = share(orphans, most);
        if used > orphans_max {
            return Judgement::warn(format!(
                "{orphans} connections belong to no process any more, {} of tcp_max_orphans.",
                percent(used)
            ))
            .measured(used, Unit::Percent, percent(used))
            .expected(format!("≤ {orphans_max} %"));
        }
    }
    if let (Some(pages), Some([_, pressure, most])) = (sockets.tcp_pages, settings.tcp_pages)
        && pages > pressure
    {
        return Judgement::warn(format!(
            "TCP uses {pages} pages of memory, more than the pressure mark of {pressure} (the most are {most})."
        ))
        .measured(float(pages), Unit::Count, pages.to_string())
        .expected(format!("≤ {pressure}"));
    }
    let total = |wanted: TcpState| -> u64 {
        sockets.states.iter().filter(|((_, state), _)| *state == wanted).map(|(_, count)| count).sum()
    };
    Judgement::pass(format!(
        "{} connections are open, {} in TIME-WAIT and {} in CLOSE-WAIT.",
        total(TcpState::Established),
        total(TcpState::TimeWait),
        total(TcpState::CloseWait)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::config::IggyConfig;
    use crate::iggy::config::ServerConfig;

    fn verdict(sockets: Sockets) -> Verdict {
        let mut evidence = Evidence::default();
        evidence.put(
            NET_SETTINGS,
            Ok(NetSettings {
                local_ports: Some((1, 1000)),
                orphans_max: Some(100),
                tcp_pages: Some([1, 50, 90]),
                ..NetSettings::default()
            }),
        );
        let server = ServerConfig::parse("[tcp]\nenabled = true\naddress = \"0.0.0.0:8090\"\n").unwrap();
        evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
        evidence.put(SOCKETS, Ok(sockets));
        judge_one("net.tcp-states", &evidence).unwrap().verdict
    }

    #[test]
    fn leaks_exhausted_ports_orphans_and_memory_warn() {
        let states =
            |port, count| Sockets { states: [((port, TcpState::CloseWait), count)].into(), ..Sockets::default() };
        let peers =
            |count| Sockets { time_wait_peers: vec![("10.0.0.1".parse().unwrap(), count)], ..Sockets::default() };
        for (sockets, expected) in [
            (states(8090, 100), Verdict::Pass),
            (states(8090, 101), Verdict::Warn),
            (states(22, 10_000), Verdict::Pass),
            (peers(700), Verdict::Pass),
            (peers(701), Verdict::Warn),
            (Sockets { orphans: Some(50), ..Sockets::default() }, Verdict::Pass),
            (Sockets { orphans: Some(51), ..Sockets::default() }, Verdict::Warn),
            (Sockets { tcp_pages: Some(50), ..Sockets::default() }, Verdict::Pass),
            (Sockets { tcp_pages: Some(51), ..Sockets::default() }, Verdict::Warn),
        ] {
            assert_eq!(verdict(sockets.clone()), expected, "{sockets:?}");
        }
    }
}
