//! Who listens where, and whether Iggy does.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::{IGGY_CONFIG, IggyConfig};
use crate::evidence::iggy::{IGGY_PROCESS, IggyProcess};
use crate::evidence::processes::{PROCESSES, Processes};
use crate::evidence::sockets::{Completeness, Listener, Network, SOCKETS, Sockets};

pub(super) const CHECK: Check = Check {
    id: "net.listeners",
    title: "Listening sockets",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[SOCKETS.source()],
    rule: "Fails when a listener that Iggy's configuration switches on is not there, or another process holds its port, while the server runs. \
           Warns when a listener stands on loopback alone while the cluster's roster gives this node another address. Information otherwise, as a table.",
    threshold_source: "Apache Iggy's own configuration: what it says to listen on is what clients are told.",
    why: "A server that runs without its listener serves nobody; one that another program took the port from does so silently.",
    remedy: "ss -ltnup\n# Free the port, or change the listener's address in Iggy's configuration, then\nsystemctl restart iggy-server",
    references: &["Apache Iggy: server configuration, tcp, quic, http, websocket"],
    privilege: "CAP_SYS_PTRACE",
    settings: &[],
    evaluate: listeners,
};

fn listeners(case: &Case<'_>) -> Result<Judgement, Gap> {
    let sockets = case.read(SOCKETS)?;
    let processes = case.read(PROCESSES).ok();
    let config = case.read(IGGY_CONFIG);
    let server = case.read(IGGY_PROCESS);
    let judged = match (config, server) {
        (Ok(config), Ok(server)) => judged(config, server, sockets, processes),
        (Err(gap), Ok(server)) => {
            let own = sockets.listeners.iter().filter(|listener| listener.owner == Some(server.pid)).count();
            Judgement::info(format!(
                "The server listens on {}; what it should listen on is not known.",
                counted(own, "socket", "sockets")
            ))
            .gap(gap)
        }
        (_, Err(_)) => Judgement::info(format!(
            "{} for connections or packets; no server of Iggy's was seen.",
            counted(sockets.listeners.len(), "socket waits", "sockets wait")
        )),
    };
    let judged = if sockets.completeness == Completeness::Cut {
        judged.gap(Gap::broken("a table of sockets was too long and was cut"))
    } else {
        judged
    };
    Ok(judged.proof(table(sockets, processes)))
}

fn table(sockets: &Sockets, processes: Option<&Processes>) -> Proof {
    let mut sorted: Vec<&Listener> = sockets.listeners.iter().collect();
    sorted.sort_by_key(|listener| (listener.port, listener.transport, listener.address));
    let rows = sorted.iter().map(|listener| {
        vec![
            listener.transport.word().into(),
            listener.place().into(),
            holder(listener, processes).into(),
            u64::from(listener.uid).into(),
            listener.waiting.into(),
        ]
    });
    let columns = vec![
        Column::text("Transport"),
        Column::text("Address"),
        Column::text("Process"),
        Column::number("User", Unit::Count),
        Column::number("Waiting", Unit::Count),
    ];
    let title = match sockets.network {
        Network::Ours => "Listening sockets",
        Network::Servers => "Listening sockets in the network of Iggy's container",
    };
    Proof::table(title, columns, rows.collect())
}

fn holder(listener: &Listener, processes: Option<&Processes>) -> String {
    match listener.owner {
        Some(pid) => match processes.and_then(|processes| processes.find(pid)) {
            Some(process) => format!("{} ({pid})", process.program()),
            None => pid.to_string(),
        },
        None => "not seen".to_owned(),
    }
}

fn judged(config: &IggyConfig, server: &IggyProcess, sockets: &Sockets, processes: Option<&Processes>) -> Judgement {
    let wanted = config.listeners();
    for (name, transport, port) in &wanted {
        let there: Vec<&Listener> = sockets
            .listeners
            .iter()
            .filter(|listener| listener.transport == *transport && listener.port == *port)
            .collect();
        if there.is_empty() && sockets.completeness == Completeness::Whole {
            return Judgement::fail(format!(
                "The {name} listener is on, and nothing listens on {} port {port}.",
                transport.word()
            ));
        }
        // Who may not be seen may be the server.
        let foreign = there.iter().all(|listener| listener.owner.is_some_and(|pid| pid != server.pid));
        if let Some(first) = there.first().filter(|_| foreign) {
            return Judgement::fail(format!(
                "The {name} listener's {} port {port} is held by {}, not by the server ({}).",
                transport.word(),
                holder(first, processes),
                server.pid
            ));
        }
    }
    let advertised = config.advertised_elsewhere();
    if let Some((name, address)) = advertised {
        return Judgement::warn(format!(
            "The {name} listener stands on loopback, while the cluster's roster sends peers and clients to {address}."
        ));
    }
    let names: Vec<String> = wanted.iter().map(|(name, _, port)| format!("{name} {port}")).collect();
    Judgement::info(format!("Iggy listens on what its configuration says: {}.", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::iggy::testing::process;
    use crate::evidence::sockets::Transport;
    use crate::iggy::config::ServerConfig;

    fn config(more: &str) -> IggyConfig {
        let text = format!(
            "[tcp]\nenabled = true\naddress = \"127.0.0.1:8090\"\n[http]\nenabled = false\naddress = \"127.0.0.1:3000\"\n[quic]\nenabled = true\naddress = \"127.0.0.1:8080\"\n{more}"
        );
        IggyConfig { path: String::new(), server: ServerConfig::parse(&text).unwrap() }
    }

    fn listener(transport: Transport, port: u16, owner: Option<u32>) -> Listener {
        let address = "127.0.0.1".parse().unwrap();
        Listener { transport, address, port, uid: 0, inode: 1, waiting: 0, dropped: 0, room: None, owner }
    }

    #[test]
    fn a_missing_or_foreign_listener_fails_and_an_unseen_owner_does_not() {
        let quic = listener(Transport::Udp, 8080, Some(812));
        for (tcp, verdict) in [
            (vec![listener(Transport::Tcp, 8090, Some(812))], Verdict::Info),
            (vec![listener(Transport::Tcp, 8090, None)], Verdict::Info),
            (vec![listener(Transport::Tcp, 8090, Some(7))], Verdict::Fail),
            (vec![listener(Transport::Tcp, 8090, Some(7)), listener(Transport::Tcp, 8090, Some(812))], Verdict::Info),
            (vec![listener(Transport::Udp, 8090, Some(812))], Verdict::Fail),
            (vec![], Verdict::Fail),
        ] {
            let listeners = tcp.into_iter().chain([quic.clone()]).collect();
            let sockets = Sockets { listeners, ..Sockets::default() };
            let judged = judged(&config(""), &process(812), &sockets, None);
            assert_eq!(judged.verdict, verdict, "{}", judged.summary);
        }
    }

    #[test]
    fn a_roster_that_sends_peers_elsewhere_warns() {
        let listeners = vec![listener(Transport::Tcp, 8090, Some(812)), listener(Transport::Udp, 8080, Some(812))];
        let sockets = Sockets { listeners, ..Sockets::default() };
        let roster = |ip: &str| {
            config(&format!("[cluster]\nenabled = true\n[cluster.node.current]\nname = \"a\"\nip = \"{ip}\"\n"))
        };
        assert_eq!(judged(&roster("10.0.0.5"), &process(812), &sockets, None).verdict, Verdict::Warn);
        assert_eq!(judged(&roster("127.0.0.1"), &process(812), &sockets, None).verdict, Verdict::Info);
    }

    #[test]
    fn without_a_server_or_its_configuration_the_table_is_information() {
        let mut evidence = Evidence::default();
        evidence.put(SOCKETS, Ok(Sockets { completeness: Completeness::Cut, ..Sockets::default() }));
        let none = judge_one("net.listeners", &evidence).unwrap();
        let sentence = "0 sockets wait for connections or packets; no server of Iggy's was seen.";
        assert_eq!((none.verdict, none.summary.as_str(), none.gaps.len()), (Verdict::Info, sentence, 1));
        evidence.put(IGGY_PROCESS, Ok(process(7)));
        let unknown = judge_one("net.listeners", &evidence).unwrap();
        let sentence = "The server listens on 0 sockets; what it should listen on is not known.";
        assert_eq!((unknown.verdict, unknown.summary.as_str(), unknown.gaps.len()), (Verdict::Info, sentence, 2));
    }
}
