//! What the server tells of itself to whoever has a credential.

use super::super::figures::{counted, float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, ChartKind, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size::human;
use crate::domain::verdict::Severity;
use crate::evidence::api::{ApiAnswers, IGGY_API, Login};
use crate::evidence::config::IGGY_CONFIG;
use crate::iggy::answers::{Stats, Topic};

/// Clients that a server takes unless `metadata.clients_table_max` says otherwise.
const CLIENTS_MAX_DEFAULT: u64 = 8192;
/// Topics of the picture; the table has all of them.
const SIZES_MAX: usize = 20;

pub(super) const CHECK: Check = Check {
    id: "iggy.stats",
    title: "The server's own statistics",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[IGGY_API.source()],
    rule: "Fails when the configured credential is refused. Warns when the clients fill more than 80 % (clients_warn_percent) of the table of clients (metadata.clients_table_max, 8,192 unless configured). Information otherwise, as tables. Without a credential it is a skip.",
    threshold_source: "The size of the table is Iggy's own; the share is our own.",
    why: "Streams, messages and clients are what an operator compares from one snapshot to the next.",
    remedy: "# Make a token for a user that may read, and hand it to snapvisor:\niggy pat create snapvisor\ninstall -m 0600 /dev/stdin /etc/snapvisor/iggy-credential   # paste the token, then Ctrl-D\n# with iggy.credential_file = \"/etc/snapvisor/iggy-credential\" in snapvisor's configuration",
    references: &["Apache Iggy: HTTP API, /stats"],
    privilege: "a credential of Iggy's",
    settings: &[Setting {
        name: "clients_warn_percent",
        default: 80.0,
        min: 1.0,
        max: 100.0,
        help: "share of the table of clients that warns, percent",
    }],
    evaluate: statistics,
};

fn statistics(case: &Case<'_>) -> Result<Judgement, Gap> {
    let api = case.read(IGGY_API)?;
    if let Login::Refused { status, code } = &api.login {
        let code = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        return Ok(Judgement::fail(format!(
            "{} refused the configured credential with status {status}{code}.",
            api.url
        )));
    }
    let stats = match &api.stats {
        Ok(stats) => stats,
        Err(gap) if gap.reason == crate::domain::gap::GapReason::Denied => {
            return Ok(Judgement::fail(format!("The credential's user may not read statistics: {}.", gap.detail)));
        }
        Err(gap) => return Err(gap.clone()),
    };
    let clients_max =
        case.read(IGGY_CONFIG).ok().and_then(|config| config.server.clients_table_max).unwrap_or(CLIENTS_MAX_DEFAULT);
    let mut judged = judged(stats, clients_max, case.setting("clients_warn_percent")).proof(facts(stats));
    if let Ok(topics) = &api.topics
        && !topics.is_empty()
    {
        judged = judged.proof(sizes(api)).proof(table(api));
    }
    let gaps = [api.clients.as_ref().err(), api.streams.as_ref().err(), api.topics.as_ref().err()];
    Ok(gaps.into_iter().flatten().cloned().fold(judged, Judgement::gap))
}

fn judged(stats: &Stats, clients_max: u64, warn_percent: f64) -> Judgement {
    let filled = share(stats.clients_count, clients_max);
    let judged = if filled > warn_percent {
        Judgement::warn(format!(
            "{} clients are connected, {} of the {clients_max} that the server takes.",
            stats.clients_count,
            percent(filled)
        ))
    } else {
        Judgement::info(format!(
            "{} ({}) in {}, {} and {}; {}.",
            counted(stats.messages_count, "message", "messages"),
            human(stats.messages_size_bytes.0),
            counted(stats.streams_count, "stream", "streams"),
            counted(stats.topics_count, "topic", "topics"),
            counted(stats.partitions_count, "partition", "partitions"),
            counted(stats.clients_count, "client", "clients")
        ))
    };
    judged
        .measured(filled, Unit::Percent, percent(filled))
        .expected(format!("≤ {warn_percent} % of the table of clients"))
}

fn facts(stats: &Stats) -> Proof {
    let size = |bytes: crate::iggy::answers::Bytes| human(bytes.0);
    let facts = vec![
        ("Version", stats.iggy_server_version.clone()),
        ("Process", stats.process_id.to_string()),
        ("Up", format!("{} s", stats.run_time_us / 1_000_000)),
        ("CPU", format!("{:.1} % of one core", stats.cpu_usage)),
        ("Memory", size(stats.memory_bytes)),
        ("Read from disk", size(stats.read_bytes)),
        ("Written to disk", size(stats.written_bytes)),
        ("Messages", stats.messages_count.to_string()),
        ("Size of the messages", size(stats.messages_size_bytes)),
        ("Streams", stats.streams_count.to_string()),
        ("Topics", stats.topics_count.to_string()),
        ("Partitions", stats.partitions_count.to_string()),
        ("Segments", stats.segments_count.to_string()),
        ("Clients", stats.clients_count.to_string()),
        ("Consumer groups", stats.consumer_groups_count.to_string()),
    ];
    Proof::facts("Statistics", facts)
}

/// All topics with the ids of their streams, the largest first.
fn largest_first(api: &ApiAnswers) -> Vec<&(u64, Topic)> {
    let mut topics: Vec<_> = api.topics.iter().flatten().collect();
    topics.sort_by_key(|(_, topic)| std::cmp::Reverse(topic.size_bytes));
    topics
}

/// The name of a stream, or its id while the name is not known.
fn stream(api: &ApiAnswers, id: u64) -> String {
    let known = api.streams.iter().flatten().find(|stream| stream.id == id);
    known.map_or_else(|| id.to_string(), |stream| stream.name.clone())
}

fn sizes(api: &ApiAnswers) -> Proof {
    let bars = largest_first(api)
        .into_iter()
        .take(SIZES_MAX)
        .map(|(id, topic)| (format!("{}/{}", stream(api, *id), topic.name), float(topic.size_bytes.0)));
    Proof::chart("Size of the largest topics", ChartKind::Bars, Unit::Bytes, bars, None)
}

fn table(api: &ApiAnswers) -> Proof {
    let topics = largest_first(api);
    let rows = topics.iter().map(|(id, topic)| {
        vec![
            stream(api, *id).into(),
            topic.name.as_str().into(),
            topic.partitions_count.into(),
            topic.messages_count.into(),
            Cell::from(topic.size_bytes.0),
        ]
    });
    let columns = vec![
        Column::text("Stream"),
        Column::text("Topic"),
        Column::number("Partitions", Unit::Count),
        Column::number("Messages", Unit::Count),
        Column::number("Size", Unit::Bytes),
    ];
    Proof::table("Topics, the largest first", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    fn answers(login: Login, stats: Result<Stats, Gap>) -> ApiAnswers {
        let none = || Gap::absent("none");
        ApiAnswers {
            url: "http://127.0.0.1:3000".into(),
            login,
            stats,
            clients: Err(none()),
            cluster: Err(none()),
            streams: Err(none()),
            topics: Err(none()),
            streams_dropped: 0,
        }
    }

    fn stats(clients: u64) -> Stats {
        let recorded = include_str!("../../../tests/data/iggy-0.8.0-http/08-stats.txt");
        let (_, rest) = recorded.split_once("\n{").unwrap();
        let body = rest.split_once("\n<<<").map_or(rest, |(body, _)| body);
        let stats: Stats = serde_json::from_str(&format!("{{{body}")).unwrap();
        Stats { clients_count: clients, ..stats }
    }

    #[test]
    fn a_refusal_fails_and_a_full_table_warns() {
        let refused = Login::Refused { status: 400, code: Some("invalid_credentials".into()) };
        let none = || Gap::absent("none");
        for (answers, expected) in [
            (answers(refused, Err(none())), Some(Verdict::Fail)),
            (answers(Login::Accepted, Err(Gap::denied("/stats: status 403", "x"))), Some(Verdict::Fail)),
            (answers(Login::Accepted, Ok(stats(6553))), Some(Verdict::Info)),
            (answers(Login::Accepted, Ok(stats(6554))), Some(Verdict::Warn)),
            (answers(Login::Accepted, Err(Gap::timeout("silent"))), None),
        ] {
            let mut evidence = Evidence::default();
            evidence.put(IGGY_API, Ok(answers));
            let judged = judge_one("iggy.stats", &evidence).ok();
            assert_eq!(judged.as_ref().map(|judged| judged.verdict), expected, "{judged:?}");
        }
    }
}
