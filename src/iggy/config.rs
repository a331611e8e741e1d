//! The effective configuration of a server, as `runtime/current_config.toml` tells it: what checks need to know.
//!
//! 0.8 nests what belongs to the whole server in `[system]`; 0.9 edge has it at the top. Both are read. What a file does
//! not say is `None`, never a default of ours. Secrets are looked at for one thing only: whether there is one.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::quantity;

/// Why a text is no configuration. The text itself is never quoted: it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is longer than any configuration.
    #[error("{0} bytes, more than a configuration can have")]
    TooLong(usize),
    /// It is not TOML.
    #[error("line {line} is not TOML")]
    NotToml {
        /// The line, from 1.
        line: usize,
    },
    /// It is TOML and has no section of Iggy's.
    #[error("no section of Iggy's")]
    Foreign,
}

/// The longest configuration that is read; Iggy's own commented file has 60 kB.
pub const CONFIG_BYTES_MAX: usize = 1 << 20;

/// TLS of a listener.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// Whether it is on. QUIC has no such switch: it always encrypts.
    pub enabled: Option<bool>,
    /// Whether the server makes its own certificate.
    pub self_signed: Option<bool>,
    /// The certificate, relative to the server's working directory.
    pub cert_file: Option<PathBuf>,
    /// Its key, likewise.
    pub key_file: Option<PathBuf>,
    /// The trust anchors, likewise.
    pub ca_file: Option<PathBuf>,
}

/// A listener.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// `HOST:PORT`; in `current_config.toml` the address really bound.
    pub address: Option<String>,
    /// Its TLS section.
    pub tls: Option<Tls>,
}

impl Listener {
    /// Whether the configuration says that it listens.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.enabled == Some(true)
    }

    /// The port of its address.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.address.as_ref()?.rsplit_once(':')?.1.parse().ok()
    }
}

/// The server's own log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// Directory, relative to the data directory.
    pub path: Option<PathBuf>,
    /// Level or filter.
    pub level: Option<String>,
    /// Whether a file is written at all.
    pub file_enabled: Option<bool>,
    /// Size at which a file is rotated; 0 is none.
    pub max_file_size_bytes: Option<u64>,
    /// Size of all files together; 0 is none.
    pub max_total_size_bytes: Option<u64>,
    /// Age at which rotated files go.
    pub retention: Option<Duration>,
}

/// How data reaches the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durability {
    /// Interval of the background saver; `None` when it is off or not said.
    pub saver_interval: Option<Duration>,
    /// Whether the saver calls fsync.
    pub saver_fsync: Option<bool>,
    /// Messages after which a partition is written.
    pub messages_required_to_save: Option<u64>,
    /// Whether each write of a partition calls fsync.
    pub partition_fsync: Option<bool>,
    /// Whether checksums are verified at start.
    pub validate_checksum: Option<bool>,
    /// Whether messages with an id that was met lately are left out.
    pub deduplicates: Option<bool>,
}

/// What 0.9 edge refuses to start with, or livelocks on. All `None` in a file of 0.8, but for the first two, which 0.8 has
/// and ignores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeLimits {
    /// `system.segment.archive_expired`.
    pub archive_expired: Option<bool>,
    /// `system.recovery.recreate_missing_state`.
    pub recreate_missing_state: Option<bool>,
    /// `partition.transfer_artifact_bytes_max`.
    pub transfer_artifact_bytes_max: Option<u64>,
    /// `partition.transfer_served_cache_bytes_max`, a shard.
    pub transfer_served_cache_bytes_max: Option<u64>,
    /// `message_bus.max_message_size`.
    pub message_bytes_max: Option<u64>,
    /// `metadata.journal_slots`.
    pub journal_slots: Option<u64>,
    /// `metadata.prepare_queue_depth`.
    pub prepare_queue_depth: Option<u64>,
    /// `cluster.heartbeat_timeout`.
    pub heartbeat_timeout: Option<Duration>,
    /// `cluster.commit_broadcast_interval`.
    pub commit_broadcast_interval: Option<Duration>,
}

/// Whether a secret is set. Its value is never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// The file has no such key.
    Unstated,
    /// It is there and empty.
    Empty,
    /// It is there.
    Set,
}

/// Which secrets are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// `http.jwt.encoding_secret`.
    pub jwt_encoding: Secret,
    /// `http.jwt.decoding_secret`.
    pub jwt_decoding: Secret,
    /// The key of stored data.
    pub encryption_key: Secret,
    /// `cluster.auth.shared_secret`.
    pub cluster_shared: Secret,
}

/// A member of the cluster's roster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterNode {
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub ip: Option<String>,
    /// Its ports by transport, in the file's order.
    pub ports: Vec<(String, u16)>,
}

/// The cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Whether there is one.
    pub enabled: Option<bool>,
    /// Its name.
    pub name: Option<String>,
    /// Whether peers must prove a shared secret (0.9 edge).
    pub auth_enabled: Option<bool>,
    /// TLS between peers (0.9 edge).
    pub tls: Option<Tls>,
    /// The roster.
    pub nodes: Vec<ClusterNode>,
}

/// The release whose configuration this is, by the sections that only one of them has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// 0.8.
    V0_8,
    /// Master after 0.8 (0.9 edge).
    Edge,
    /// It cannot be told.
    #[default]
    Unknown,
}

impl Release {
    /// For a person.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V0_8 => "0.8",
            Self::Edge => "0.9 (edge)",
            Self::Unknown => "not recognised",
        }
    }
}

/// What the configuration says, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerConfig {
    /// Whose configuration it is.
    pub release: Release,
    /// The data directory, relative to the working directory.
    pub data_dir: Option<PathBuf>,
    /// TCP.
    pub tcp: Listener,
    /// HTTP.
    pub http: Listener,
    /// QUIC.
    pub quic: Listener,
    /// WebSocket.
    pub websocket: Listener,
    /// Path of the metrics, when they are on.
    pub metrics_endpoint: Option<String>,
    /// Size at which a segment is closed. 0.9 edge has it per topic.
    pub segment_size_bytes: Option<u64>,
    /// CPUs of the shards: `all`, a number, `0..4`, `numa:auto`.
    pub cpu_allocation: Option<String>,
    /// Size of the memory pool; `None` when it is off or not said.
    pub memory_pool_bytes: Option<u64>,
    /// Whether expired segments are deleted.
    pub cleaner_enabled: Option<bool>,
    /// Whether stored data is encrypted.
    pub encryption_enabled: Option<bool>,
    /// Capacity of the client table (0.9 edge).
    pub clients_table_max: Option<u64>,
    /// The server's log.
    pub logging: Logging,
    /// How data reaches the disk.
    pub durability: Durability,
    /// The cluster.
    pub cluster: Cluster,
    /// What only 0.9 edge has.
    pub edge: EdgeLimits,
    /// Which secrets are set.
    pub secrets: Secrets,
}

impl ServerConfig {
    /// The configuration in `text`.
    ///
    /// # Errors
    /// It is not TOML, too long, or nothing of Iggy's.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLong(text.len()));
        }
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let at = text.floor_char_boundary(error.span().map_or(0, |span| span.start));
            ConfigError::NotToml { line: text[..at].split('\n').count() }
        })?;
        let file = File(&table);
        if ["system", "tcp", "http", "quic"].iter().all(|section| file.section(&[section]).is_none()) {
            return Err(ConfigError::Foreign);
        }
        Ok(file.server())
    }
}

/// A parsed file, with both places where a server-wide key may stand.
#[derive(Clone, Copy)]
struct File<'a>(&'a Table);

impl<'a> File<'a> {
    fn value(self, path: &[&str]) -> Option<&'a Value> {
        let (key, sections) = path.split_last()?;
        self.section(sections)?.get(*key)
    }

    fn section(self, path: &[&str]) -> Option<&'a Table> {
        path.iter().try_fold(self.0, |table, name| table.get(*name)?.as_table())
    }

    /// A key that 0.8 has in `[system]` and 0.9 edge at the top.
    fn system(self, path: &[&str]) -> Option<&'a Value> {
        let nested: Vec<&str> = std::iter::once("system").chain(path.iter().copied()).collect();
        self.value(&nested).or_else(|| self.value(path))
    }

    fn flag(self, path: &[&str]) -> Option<bool> {
        self.value(path)?.as_bool()
    }

    fn text(self, path: &[&str]) -> Option<String> {
        self.value(path).and_then(text)
    }

    fn secret(value: Option<&Value>) -> Secret {
        match value {
            None => Secret::Unstated,
            Some(value) if value.as_str().is_some_and(str::is_empty) => Secret::Empty,
            Some(_) => Secret::Set,
        }
    }

    fn tls(self, path: &[&str]) -> Option<Tls> {
        let section = File(self.section(path)?);
        Some(Tls {
            enabled: section.flag(&["enabled"]),
            self_signed: section.flag(&["self_signed"]),
            cert_file: section.value(&["cert_file"]).and_then(path_of),
            key_file: section.value(&["key_file"]).and_then(path_of),
            ca_file: section.value(&["ca_file"]).and_then(path_of),
        })
    }

    fn listener(self, section: &str, tls: &str) -> Listener {
        Listener {
            enabled: self.flag(&[section, "enabled"]),
            address: self.text(&[section, "address"]),
            tls: self.tls(&[section, tls]),
        }
    }

    fn logging(self) -> Logging {
        let key = |name| self.system(&["logging", name]);
        Logging {
            path: key("path").and_then(path_of),
            level: key("level").and_then(text),
            file_enabled: key("file_enabled").and_then(Value::as_bool),
            max_file_size_bytes: key("max_file_size").and_then(limit_bytes),
            max_total_size_bytes: key("max_total_size").and_then(limit_bytes),
            retention: key("retention").and_then(duration),
        }
    }

    fn durability(self) -> Durability {
        let partition = |name| self.system(&["partition", name]);
        let saver_on = self.flag(&["message_saver", "enabled"]) == Some(true);
        Durability {
            saver_interval: self.value(&["message_saver", "interval"]).and_then(duration).filter(|_| saver_on),
            saver_fsync: self.flag(&["message_saver", "enforce_fsync"]),
            messages_required_to_save: partition("messages_required_to_save").and_then(count),
            partition_fsync: partition("enforce_fsync").and_then(Value::as_bool),
            validate_checksum: partition("validate_checksum").and_then(Value::as_bool),
            deduplicates: self.system(&["message_deduplication", "enabled"]).and_then(Value::as_bool),
        }
    }

    fn cluster(self) -> Cluster {
        // 0.8 names this node and its peers apart; 0.9 edge has one list.
        let listed = |path: &[&str]| self.value(path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let current = self.value(&["cluster", "node", "current"]);
        let others = listed(&["cluster", "node", "others"]).iter();
        let roster = listed(&["cluster", "nodes"]).iter();
        Cluster {
            enabled: self.flag(&["cluster", "enabled"]),
            name: self.text(&["cluster", "name"]),
            auth_enabled: self.flag(&["cluster", "auth", "enabled"]),
            tls: self.tls(&["cluster", "tls"]),
            nodes: current.into_iter().chain(others).chain(roster).filter_map(Value::as_table).map(node).collect(),
        }
    }

    fn release(self) -> Release {
        let has = |path: &[&str]| self.section(path).is_some();
        let old = has(&["message_saver"]) || has(&["system", "state"]) || has(&["cluster", "node"]);
        let new =
            has(&["message_bus"]) || has(&["metadata"]) || has(&["partition"]) || has(&["cluster", "coordinator"]);
        match (old, new) {
            (true, false) => Release::V0_8,
            (false, true) => Release::Edge,
            _ => Release::Unknown,
        }
    }

    fn edge(self) -> EdgeLimits {
        let flag = |path: &[&str]| self.system(path).and_then(Value::as_bool);
        EdgeLimits {
            archive_expired: flag(&["segment", "archive_expired"]),
            recreate_missing_state: flag(&["recovery", "recreate_missing_state"]),
            transfer_artifact_bytes_max: self.value(&["partition", "transfer_artifact_bytes_max"]).and_then(size),
            transfer_served_cache_bytes_max: self
                .value(&["partition", "transfer_served_cache_bytes_max"])
                .and_then(size),
            message_bytes_max: self.value(&["message_bus", "max_message_size"]).and_then(size),
            journal_slots: self.value(&["metadata", "journal_slots"]).and_then(count),
            prepare_queue_depth: self.value(&["metadata", "prepare_queue_depth"]).and_then(count),
            heartbeat_timeout: self.value(&["cluster", "heartbeat_timeout"]).and_then(duration),
            commit_broadcast_interval: self.value(&["cluster", "commit_broadcast_interval"]).and_then(duration),
        }
    }

    fn server(self) -> ServerConfig {
        let pool_on = self.system(&["memory_pool", "enabled"]).and_then(Value::as_bool) == Some(true);
        let metrics_on = self.flag(&["http", "metrics", "enabled"]) == Some(true);
        ServerConfig {
            release: self.release(),
            data_dir: self.system(&["path"]).and_then(path_of),
            tcp: self.listener("tcp", "tls"),
            http: self.listener("http", "tls"),
            quic: self.listener("quic", "certificate"),
            websocket: self.listener("websocket", "tls"),
            metrics_endpoint: self.text(&["http", "metrics", "endpoint"]).filter(|_| metrics_on),
            segment_size_bytes: self.system(&["segment", "size"]).and_then(size),
            cpu_allocation: self.system(&["sharding", "cpu_allocation"]).and_then(text),
            memory_pool_bytes: self.system(&["memory_pool", "size"]).and_then(size).filter(|_| pool_on),
            cleaner_enabled: self.flag(&["data_maintenance", "messages", "cleaner_enabled"]),
            encryption_enabled: self.system(&["encryption", "enabled"]).and_then(Value::as_bool),
            clients_table_max: self.value(&["metadata", "clients_table_max"]).and_then(count),
            logging: self.logging(),
            durability: self.durability(),
            cluster: self.cluster(),
            edge: self.edge(),
            secrets: Secrets {
                jwt_encoding: Self::secret(self.value(&["http", "jwt", "encoding_secret"])),
                jwt_decoding: Self::secret(self.value(&["http", "jwt", "decoding_secret"])),
                encryption_key: Self::secret(self.system(&["encryption", "key"])),
                cluster_shared: Self::secret(self.value(&["cluster", "auth", "shared_secret"])),
            },
        }
    }
}

fn node(table: &Table) -> ClusterNode {
    let ports = table.get("ports").and_then(Value::as_table);
    ClusterNode {
        name: table.get("name").and_then(text),
        ip: table.get("ip").and_then(text),
        ports: ports
            .into_iter()
            .flatten()
            .filter_map(|(name, port)| Some((name.clone(), u16::try_from(port.as_integer()?).ok()?)))
            .collect(),
    }
}

/// Text, or a number as text (`cpu_allocation = 2`).
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A path; an empty one is none.
fn path_of(value: &Value) -> Option<PathBuf> {
    value.as_str().filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn count(value: &Value) -> Option<u64> {
    u64::try_from(value.as_integer()?).ok()
}

fn size(value: &Value) -> Option<u64> {
    count(value).or_else(|| quantity::size_bytes(value.as_str()?))
}

/// A limit of size, 0 when there is none.
fn limit_bytes(value: &Value) -> Option<u64> {
    count(value).or_else(|| match quantity::limit(value.as_str()?)? {
        quantity::Limit::Unlimited => Some(0),
        quantity::Limit::Bytes(bytes) => Some(bytes),
    })
}

fn duration(value: &Value) -> Option<Duration> {
    quantity::duration(value.as_str()?)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
