//! What the server's configuration says of safety.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size::human;
use crate::domain::verdict::Severity;
use crate::evidence::config::{IGGY_CONFIG, IggyConfig};
use crate::iggy::config::{Durability, EdgeLimits, Release};

pub(super) const CHECK: Check = Check {
    id: "iggy.config",
    title: "Effective configuration",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[IGGY_CONFIG.source()],
    rule: "By the release whose configuration it is. 0.8: warns when the background saver is off and writes are not fsynced either, so that acknowledged messages may stay in memory for good. 0.9 (edge): fails on what its server refuses to start with: archive_expired or recreate_missing_state on, partition.transfer_artifact_bytes_max below 1 GiB and one message_bus.max_message_size, metadata.journal_slots below four times the larger of 64 and prepare_queue_depth, and warns when cluster.heartbeat_timeout is less than four times commit_broadcast_interval. A configuration that is not recognised is judged by neither. Information otherwise: what is encrypted, validated and kept, and which secrets are set (never their values).",
    threshold_source: "The validators and comments of Apache Iggy's own configuration (0.8.0, and master of 2026-08); what is its default (no checksum validation, no encryption) is information.",
    why: "The configuration decides what a crash costs.",
    remedy: "# In Iggy's configuration: [message_saver] enabled = true, enforce_fsync = true, interval = \"30s\"\n# or the keys that the verdict names, then in a maintenance window:\nsystemctl restart iggy-server",
    references: &["Apache Iggy: server configuration"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: config,
};

fn config(case: &Case<'_>) -> Result<Judgement, Gap> {
    let config = case.read(IGGY_CONFIG)?;
    Ok(judged(config).proof(facts(config)))
}

fn judged(config: &IggyConfig) -> Judgement {
    match config.server.release {
        Release::V0_8 => saved(&config.server.durability),
        Release::Edge => refused(&config.server.edge).unwrap_or_else(|| {
            let validated = validated(&config.server.durability);
            Judgement::info(format!("The configuration is that of 0.9 (edge); checksums are {validated} at start."))
        }),
        Release::Unknown => Judgement::info(
            "Whose release's configuration this is was not recognised, so no rule of a release was applied.",
        ),
    }
}

const fn validated(durability: &Durability) -> &'static str {
    match durability.validate_checksum {
        Some(true) => "verified",
        Some(false) => "not verified",
        None => "not said to be verified",
    }
}

/// What a server of 0.9 edge refuses to start with.
fn refused(edge: &EdgeLimits) -> Option<Judgement> {
    /// The largest segment that a topic may have, and what a message adds to it when none is configured.
    const SEGMENT_BYTES_MAX: u64 = 1 << 30;
    const MESSAGE_BYTES_DEFAULT: u64 = 64 << 20;
    /// The least queue that counts, and how many queues the journal must hold.
    const QUEUE_MIN: u64 = 64;
    const QUEUES_MIN: u64 = 4;
    for (on, key) in [
        (edge.archive_expired, "system.segment.archive_expired"),
        (edge.recreate_missing_state, "system.recovery.recreate_missing_state"),
    ] {
        if on == Some(true) {
            return Some(Judgement::fail(format!("{key} is on: a server of 0.9 does not start with it.")));
        }
    }
    let artifact_min = SEGMENT_BYTES_MAX + edge.message_bytes_max.unwrap_or(MESSAGE_BYTES_DEFAULT);
    if let Some(bytes) = edge.transfer_artifact_bytes_max.filter(|bytes| *bytes < artifact_min) {
        return Some(
            Judgement::fail(format!(
                "partition.transfer_artifact_bytes_max is {}: a segment that is legal may not fit into it, and the server does not start.",
                human(bytes)
            ))
            .expected(format!("≥ {}", human(artifact_min))),
        );
    }
    let slots_min = QUEUES_MIN * edge.prepare_queue_depth.unwrap_or(QUEUE_MIN).max(QUEUE_MIN);
    if let Some(slots) = edge.journal_slots.filter(|slots| *slots < slots_min) {
        return Some(
            Judgement::fail(format!("metadata.journal_slots is {slots}: the server does not start with so few."))
                .expected(format!("≥ {slots_min}")),
        );
    }
    let (heartbeat, commit) = edge.heartbeat_timeout.zip(edge.commit_broadcast_interval)?;
    (heartbeat < commit * 4).then(|| {
        Judgement::warn(format!(
            "cluster.heartbeat_timeout is {heartbeat:?}, less than four times commit_broadcast_interval ({commit:?}): one late broadcast makes the followers choose another leader."
        ))
    })
}

fn saved(durability: &Durability) -> Judgement {
    if durability.saver_interval.is_none()
        && durability.saver_fsync.is_some()
        && durability.partition_fsync == Some(false)
    {
        return Judgement::warn(
            "The background saver is off and writes are not fsynced: acknowledged messages may never reach the disk.",
        );
    }
    let validated = validated(durability);
    let saved = durability.saver_interval.map_or_else(
        || "whenever a partition has enough of them".to_owned(),
        |interval| format!("at least every {} s", interval.as_secs()),
    );
    Judgement::info(format!("Messages are saved {saved}; checksums are {validated} at start."))
}

fn facts(config: &IggyConfig) -> Proof {
    let server = &config.server;
    let switch = |value: Option<bool>| value.map_or("not stated", |on| if on { "yes" } else { "no" }).to_owned();
    let size = |value: Option<u64>| value.map_or_else(|| "not stated".to_owned(), human);
    let text = |value: Option<&String>| value.cloned().unwrap_or_else(|| "not stated".to_owned());
    let mut facts: Vec<(String, String)> = vec![
        ("File".to_owned(), config.path.clone()),
        ("Release, by its sections".to_owned(), server.release.label().to_owned()),
    ];
    for (name, _, listener) in config.all_listeners() {
        let on = if listener.is_on() { "on" } else { "off" };
        facts.push((format!("{name} listener"), format!("{on}, {}", text(listener.address.as_ref()))));
    }
    let durability = &server.durability;
    let secret = |secret| match secret {
        crate::iggy::config::Secret::Unstated => "not stated",
        crate::iggy::config::Secret::Empty => "empty",
        crate::iggy::config::Secret::Set => "set",
    };
    let more = [
        ("Segment size", size(server.segment_size_bytes)),
        ("CPUs of the shards", text(server.cpu_allocation.as_ref())),
        ("Memory pool", size(server.memory_pool_bytes)),
        ("Cleaner", switch(server.cleaner_enabled)),
        ("Encryption of stored data", switch(server.encryption_enabled)),
        ("Saver calls fsync", switch(durability.saver_fsync)),
        ("Writes call fsync", switch(durability.partition_fsync)),
        ("Checksums verified at start", switch(durability.validate_checksum)),
        ("Log level", text(server.logging.level.as_ref())),
        ("Log files together", size(server.logging.max_total_size_bytes)),
        ("Cluster", switch(server.cluster.enabled)),
        ("JWT secrets", format!("{}, {}", secret(server.secrets.jwt_encoding), secret(server.secrets.jwt_decoding))),
        ("Encryption key", secret(server.secrets.encryption_key).to_owned()),
    ];
    facts.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Proof::facts("What it says", facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::iggy::config::ServerConfig;

    #[test]
    fn only_a_server_that_never_saves_warns() {
        let verdict = |text: &str| {
            let server = ServerConfig::parse(text).unwrap();
            judged(&IggyConfig { path: String::new(), server }).verdict
        };
        let recorded = include_str!("../../../tests/data/iggy-0.8.0-clean/runtime/current_config.toml");
        assert_eq!(verdict(recorded), Verdict::Info, "a default server");
        let saver = |on: bool, fsync: bool| {
            format!(
                "[message_saver]\nenabled = {on}\nenforce_fsync = true\ninterval = \"30s\"\n[system.partition]\nenforce_fsync = {fsync}\n"
            )
        };
        assert_eq!(verdict(&saver(false, false)), Verdict::Warn);
        assert_eq!(verdict(&saver(false, true)), Verdict::Info);
        assert_eq!(verdict(&saver(true, false)), Verdict::Info);
    }

    #[test]
    fn each_release_is_judged_by_its_own_rules() {
        let verdict = |text: &str| {
            let server = ServerConfig::parse(text).unwrap();
            judged(&IggyConfig { path: String::new(), server }).verdict
        };
        let both = "[tcp]\nenabled = true\n[system.segment]\narchive_expired = true\n";
        assert_eq!(verdict(both), Verdict::Info, "not recognised");
        assert_eq!(verdict(&format!("{both}[message_saver]\nenabled = true\n")), Verdict::Info, "0.8 ignores it");
        assert_eq!(verdict(&format!("{both}[message_bus]\nmax_batch = 1\n")), Verdict::Fail);
        for (more, expected) in [
            ("", Verdict::Info),
            ("[system.recovery]\nrecreate_missing_state = true\n", Verdict::Fail),
            ("[partition]\ntransfer_artifact_bytes_max = \"1088 MiB\"\n", Verdict::Info),
            ("[partition]\ntransfer_artifact_bytes_max = \"1087 MiB\"\n", Verdict::Fail),
            ("[metadata]\njournal_slots = 256\nprepare_queue_depth = 32\n", Verdict::Info),
            ("[metadata]\njournal_slots = 255\nprepare_queue_depth = 32\n", Verdict::Fail),
            ("[metadata]\njournal_slots = 400\nprepare_queue_depth = 101\n", Verdict::Fail),
            ("[cluster]\nheartbeat_timeout = \"2s\"\ncommit_broadcast_interval = \"500ms\"\n", Verdict::Info),
            ("[cluster]\nheartbeat_timeout = \"1999ms\"\ncommit_broadcast_interval = \"500ms\"\n", Verdict::Warn),
        ] {
            let text = format!("[tcp]\nenabled = true\n[message_bus]\nmax_message_size = \"64 MiB\"\n{more}");
            assert_eq!(verdict(&text), expected, "{more}");
        }
    }
}
