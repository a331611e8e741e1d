//! What the server's configuration says of safety.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size::human;
use crate::domain::verdict::Severity;
use crate::evidence::config::{IGGY_CONFIG, IggyConfig};

pub(super) const CHECK: Check = Check {
    id: "iggy.config",
    title: "Effective configuration",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[IGGY_CONFIG.source()],
    rule: "Warns when the background saver is off and writes are not fsynced either, so that acknowledged messages may stay in memory for good. Information otherwise: what is encrypted, validated and kept, and which secrets are set (never their values).",
    threshold_source: "Apache Iggy's own configuration; what is its default (no checksum validation, no encryption) is information.",
    why: "The configuration decides what a crash costs.",
    remedy: "# In Iggy's configuration: [message_saver] enabled = true, enforce_fsync = true, interval = \"30s\"\nsystemctl restart iggy-server",
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
    let durability = &config.server.durability;
    if durability.saver_interval.is_none()
        && durability.saver_fsync.is_some()
        && durability.partition_fsync == Some(false)
    {
        return Judgement::warn(
            "The background saver is off and writes are not fsynced: acknowledged messages may never reach the disk.",
        );
    }
    let validated =
        if durability.validate_checksum == Some(true) { "verified" } else { "not verified (Iggy's default)" };
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
    let mut facts: Vec<(String, String)> = vec![("File".to_owned(), config.path.clone())];
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
}
