//! Queues of connections that wait to be accepted.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{ChartKind, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::network::{NET_COUNTERS, NET_SETTINGS, NetCounters, NetSettings};
use crate::evidence::sockets::{Listener, SOCKETS, Transport};

/// Iggy asks for a queue of this length (`SOMAXCONN`).
const IGGY_BACKLOG: u64 = 4096;

pub(super) const CHECK: Check = Check {
    id: "net.accept-queue",
    title: "Accept and SYN queues",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[NET_SETTINGS.source(), NET_COUNTERS.source(), SOCKETS.source()],
    rule: "Warns when connections were dropped for a full queue or SYN cookies were sent during the window, when a listener of Iggy's has more than 70 % (fill_warn_percent) of its queue waiting, \
           or net.core.somaxconn is below 4,096 (somaxconn_min). Information when tcp_max_syn_backlog is below 4,096 (the kernel chooses it by the host's memory) or drops were counted since boot; passes otherwise.",
    threshold_source: "Redpanda: 4,096 for both; Iggy itself asks for a queue of 4,096. That SYN cookies stay on is the kernel's own advice, against TiUP's.",
    why: "A connection that finds the queue full is dropped without a word, and the client waits seconds before it tries again.",
    remedy: "sysctl -w net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096\nprintf 'net.core.somaxconn = 4096\\nnet.ipv4.tcp_max_syn_backlog = 4096\\n' > /etc/sysctl.d/90-iggy-net.conf\nsystemctl restart iggy-server",
    references: &["Linux documentation: networking/ip-sysctl"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "fill_warn_percent",
            default: 70.0,
            min: 1.0,
            max: 100.0,
            help: "share of a listener's queue that warns, percent",
        },
        Setting {
            name: "somaxconn_min",
            default: 4096.0,
            min: 1.0,
            max: 1e9,
            help: "the least net.core.somaxconn that passes",
        },
    ],
    evaluate: accept_queue,
};

/// Counters of dropped connections, and what they mean.
const DROPS: &[(&str, &str)] = &[
    ("TcpExt.ListenOverflows", "connections found an accept queue full"),
    ("TcpExt.ListenDrops", "connections were dropped by listeners"),
    ("TcpExt.TCPReqQFullDrop", "requests for a connection found a SYN queue full"),
    ("TcpExt.SyncookiesSent", "SYN cookies were sent in place of a full SYN queue"),
];

fn accept_queue(case: &Case<'_>) -> Result<Judgement, Gap> {
    let settings = case.read(NET_SETTINGS)?;
    let counters = case.read(NET_COUNTERS);
    let sockets = case.read(SOCKETS);
    let ports: Vec<u16> = case.read(IGGY_CONFIG).map(|config| config.ports(Transport::Tcp)).unwrap_or_default();
    let own = sockets.as_ref().map_or(&[][..], |sockets| sockets.listeners.as_slice()).iter();
    let own: Vec<&Listener> =
        own.filter(|listener| listener.transport == Transport::Tcp && ports.contains(&listener.port)).collect();
    let mut judged = judged(case, settings, counters.as_ref().ok().copied(), &own);
    let known = |value: Option<u64>| value.map_or_else(|| "not known".to_owned(), |value| value.to_string());
    let mut facts = vec![
        ("net.core.somaxconn".to_owned(), known(settings.accept_queue_max)),
        ("net.ipv4.tcp_max_syn_backlog".to_owned(), known(settings.syn_queue_max)),
        ("net.ipv4.tcp_syncookies".to_owned(), known(settings.syn_cookies)),
    ];
    if let Ok(counters) = &counters {
        facts.extend(DROPS.iter().map(|(name, _)| {
            (
                format!("{name}, in the window and since boot"),
                format!("{} and {}", known(counters.grown(name)), known(counters.total(name))),
            )
        }));
    }
    facts.extend(own.iter().map(|listener| {
        (
            format!("Waiting on {}, of its room", listener.place()),
            format!("{} of {}", listener.waiting, known(listener.room)),
        )
    }));
    judged = judged.proof(Proof::facts("Queues", facts));
    if !own.is_empty() {
        let longest = settings.accept_queue_max.unwrap_or(IGGY_BACKLOG).clamp(1, IGGY_BACKLOG);
        let bars = own.iter().map(|listener| (listener.place(), float(listener.waiting)));
        let title = "Connections that wait to be accepted, of the whole queue";
        judged = judged.proof(Proof::chart(title, ChartKind::Bars, Unit::Count, bars, Some(float(longest))));
    }
    Ok(counters.err().into_iter().chain(sockets.err()).fold(judged, Judgement::gap))
}

fn judged(case: &Case<'_>, settings: &NetSettings, counters: Option<&NetCounters>, own: &[&Listener]) -> Judgement {
    for (name, meaning) in DROPS {
        let grown = counters.and_then(|counters| counters.grown(name)).unwrap_or(0);
        if grown > 0 {
            return Judgement::warn(format!("{grown} {meaning} during the window."))
                .measured(float(grown), Unit::Count, grown.to_string())
                .expected("0");
        }
    }
    let fill_max = case.setting("fill_warn_percent");
    // What the kernel says of a listener, else what Iggy asks for, cut as the kernel would.
    let assumed = settings.accept_queue_max.unwrap_or(IGGY_BACKLOG).clamp(1, IGGY_BACKLOG);
    let fills = own.iter().map(|listener| {
        let room = listener.room.unwrap_or(assumed).max(1);
        (listener, room, share(listener.waiting, room))
    });
    let fullest = fills.max_by(|a, b| a.2.total_cmp(&b.2)).filter(|(.., fill)| *fill > fill_max);
    if let Some((fullest, queue_max, fill)) = fullest {
        return Judgement::warn(format!(
            "{} connections wait to be accepted on {}, {} of its queue of {queue_max}.",
            fullest.waiting,
            fullest.place(),
            percent(fill)
        ))
        .measured(fill, Unit::Percent, percent(fill))
        .expected(format!("≤ {fill_max} %"));
    }
    let least = case.setting("somaxconn_min");
    let of_queue = |judged: Judgement, value: u64| {
        judged.measured(float(value), Unit::Count, value.to_string()).expected(format!("≥ {least}"))
    };
    match (settings.accept_queue_max, settings.syn_queue_max) {
        (Some(queue), _) if float(queue) < least => of_queue(
            Judgement::warn(format!(
                "net.core.somaxconn is {queue}, less than {least}: Iggy's queues of {IGGY_BACKLOG} are cut to it."
            )),
            queue,
        ),
        (_, Some(syn)) if syn < IGGY_BACKLOG => Judgement::info(format!(
            "net.ipv4.tcp_max_syn_backlog is {syn}, the kernel's choice for this host's memory; nothing was dropped during the window."
        )),
        (Some(queue), _) => of_queue(
            Judgement::pass(format!("net.core.somaxconn is {queue}, and nothing was dropped during the window.")),
            queue,
        ),
        (None, _) => Judgement::info("Nothing was dropped during the window; the length of the queues is not known."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::config::IggyConfig;
    use crate::evidence::sockets::Sockets;
    use crate::iggy::config::ServerConfig;

    fn verdict(somaxconn: u64, syn: u64, drops: u64, waiting: u64) -> Verdict {
        let mut evidence = Evidence::default();
        let settings =
            NetSettings { accept_queue_max: Some(somaxconn), syn_queue_max: Some(syn), ..NetSettings::default() };
        evidence.put(NET_SETTINGS, Ok(settings));
        let values = [("TcpExt.ListenDrops".to_owned(), (5, 5 + drops))].into();
        evidence.put(NET_COUNTERS, Ok(NetCounters { window_s: 1.0, values, ..NetCounters::default() }));
        let listener = Listener {
            transport: Transport::Tcp,
            address: "0.0.0.0".parse().unwrap(),
            port: 8090,
            uid: 0,
            inode: 1,
            waiting,
            dropped: 0,
            room: None,
            owner: None,
        };
        evidence.put(SOCKETS, Ok(Sockets { listeners: vec![listener], ..Sockets::default() }));
        let server = ServerConfig::parse("[tcp]\nenabled = true\naddress = \"0.0.0.0:8090\"\n").unwrap();
        evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
        judge_one("net.accept-queue", &evidence).unwrap().verdict
    }

    #[test]
    fn drops_full_queues_and_short_queues_warn() {
        for (somaxconn, syn, drops, waiting, expected) in [
            (4096, 4096, 0, 0, Verdict::Pass),
            (4095, 4096, 0, 0, Verdict::Warn),
            (4096, 4095, 0, 0, Verdict::Info),
            (4096, 4096, 1, 0, Verdict::Warn),
            (4096, 4096, 0, 2867, Verdict::Pass),
            (4096, 4096, 0, 2868, Verdict::Warn),
            (65_535, 4096, 0, 2868, Verdict::Warn),
        ] {
            assert_eq!(verdict(somaxconn, syn, drops, waiting), expected, "{somaxconn} {syn} {drops} {waiting}");
        }
    }

    #[test]
    fn the_room_that_the_kernel_tells_counts() {
        let listener = |room| Listener {
            transport: Transport::Tcp,
            address: "0.0.0.0".parse().unwrap(),
            port: 8090,
            uid: 0,
            inode: 1,
            waiting: 8,
            dropped: 0,
            room,
            owner: None,
        };
        for (room, expected) in [(None, Verdict::Pass), (Some(12), Verdict::Pass), (Some(11), Verdict::Warn)] {
            let mut evidence = Evidence::default();
            let settings =
                NetSettings { accept_queue_max: Some(4096), syn_queue_max: Some(4096), ..NetSettings::default() };
            evidence.put(NET_SETTINGS, Ok(settings));
            evidence.put(SOCKETS, Ok(Sockets { listeners: vec![listener(room)], ..Sockets::default() }));
            let server = ServerConfig::parse("[tcp]\nenabled = true\naddress = \"0.0.0.0:8090\"\n").unwrap();
            evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
            assert_eq!(judge_one("net.accept-queue", &evidence).unwrap().verdict, expected, "{room:?}");
        }
    }

    #[test]
    fn queues_of_unknown_length_are_information() {
        let mut evidence = Evidence::default();
        evidence.put(NET_SETTINGS, Ok(NetSettings::default()));
        let judged = judge_one("net.accept-queue", &evidence).unwrap();
        let sentence = "Nothing was dropped during the window; the length of the queues is not known.";
        assert_eq!((judged.verdict, judged.summary.as_str(), judged.gaps.len()), (Verdict::Info, sentence, 2));
    }
}
