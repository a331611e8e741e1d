//! The configuration as one value: what every other room reads. Made by [`super::load()`], which validates it; crosses to
//! the examining child as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::checks;
use crate::domain::plan::{self, Plan};
use crate::domain::size::{GIB, KIB, MIB};
use crate::domain::snapshot::{IggyData, Redaction};
use crate::redact;

/// The longest deadline of a snapshot, in seconds: clients stop polling after 600.
pub const DEADLINE_S_MAX: u64 = 570;
/// The longest life of a download link, in seconds.
pub const LINK_TTL_S_MAX: u64 = 3600;

/// Everything that an operator can set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the appliance listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the database, the signing key and the archives are.
    pub data_dir: PathBuf,
    /// What clients reach the appliance by; links begin with it.
    pub public_url: Option<BaseUrl>,
    /// Only from these is a forwarded address believed, for allowlists, rate limits and audit.
    pub trusted_proxies: Vec<IpNet>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where log lines go besides standard error.
    pub log_file: Option<PathBuf>,
    /// Where Iggy is, if it is not to be searched for.
    pub iggy: IggyConfig,
    /// One node's snapshot.
    pub snapshot: SnapshotConfig,
    /// The data directory's ZIP.
    pub bundle: BundleConfig,
    /// The archives on disk and their links.
    pub archive: ArchiveConfig,
    /// What the API grants a client.
    pub limits: LimitsConfig,
    /// Checks that are off, and thresholds that were changed.
    pub checks: checks::Settings,
    /// The operator's own rules of redaction.
    pub redaction: redact::Settings,
    /// The operator's own plans, by name.
    pub plans: BTreeMap<String, PlanConfig>,
}

/// `[iggy]`: each `None` is found by looking at the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IggyConfig {
    /// Its data directory.
    pub data_dir: Option<PathBuf>,
    /// Its configuration file.
    pub config_file: Option<PathBuf>,
    /// Its HTTP API.
    pub http_url: Option<BaseUrl>,
    /// A file with the credential for that API.
    pub credential_file: Option<PathBuf>,
}

/// `[snapshot]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotConfig {
    /// Seconds after which a node's snapshot is over, whatever its state.
    pub deadline_s: u64,
    /// Milliseconds between the two samples of rates.
    pub sampling_ms: u64,
    /// Bytes of data that the examining child may hold.
    pub memory_max_bytes: u64,
    /// Whether this node gives clear text to who asks for it.
    pub allow_unredacted: bool,
    /// Whether this node gives the data directory to who asks for it.
    pub allow_iggy_data: bool,
    /// Whether roster peers may be connected to and names looked up.
    pub contact_peers: bool,
}

impl SnapshotConfig {
    /// The clearest text that this node gives.
    #[must_use]
    pub const fn redaction_allowed(&self) -> Redaction {
        if self.allow_unredacted { Redaction::Unredacted } else { Redaction::Masked }
    }

    /// The most of the data directory that this node gives.
    #[must_use]
    pub const fn iggy_data_allowed(&self) -> IggyData {
        if self.allow_iggy_data { IggyData::Included } else { IggyData::Excluded }
    }
}

/// `[bundle]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleConfig {
    /// Bytes that the data directory's ZIP may have; 0: only the deadline and free space limit it.
    pub max_bytes: u64,
    /// What becomes of messages.
    pub payloads: Payloads,
}

/// What a bundle holds of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payloads {
    /// Segments byte for byte: message payloads are in it.
    All,
    /// Offsets, times, sizes and checksums of messages, no payload.
    None,
}

/// `[archive]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Bytes of free space below which no snapshot starts; `None`: see [`ArchiveConfig::reserve`].
    pub reserve_bytes: Option<u64>,
    /// Bytes that all stored archives may have together; 0: no limit.
    pub max_bytes: u64,
    /// Seconds that a download link lives.
    pub link_ttl_s: u64,
}

impl ArchiveConfig {
    /// The reserve on a file system of this size: the configured one, else 1 GiB or 5 % of it if that is less.
    #[must_use]
    pub fn reserve(&self, file_system_bytes: u64) -> u64 {
        self.reserve_bytes.unwrap_or_else(|| GIB.min(file_system_bytes / 20))
    }
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests a minute of one key, a token bucket; 0: off.
    pub requests_per_minute: u32,
    /// Failed logins a minute of one address; past it failing requests become 429; 0: off.
    pub failed_logins_per_minute: u32,
    /// Connections at a time.
    pub connections: u32,
    /// Bytes of a request's body.
    pub body_bytes: u64,
}

/// `[plans.NAME]`: a plan of the operator's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanConfig {
    /// Snapshots a deployment may keep at a time.
    pub snapshots_max: u32,
    /// Days after which a snapshot disappears.
    pub retention_days: u32,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// An `http` or `https` URL without credentials, query, fragment or closing slash: a path can be put behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

/// A text is not a base URL.
#[derive(Debug, thiserror::Error)]
#[error("not an http:// or https:// URL of a host, without user, query or fragment")]
pub struct BaseUrlError;

impl BaseUrl {
    /// The URL, without a closing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let uri: hyper::Uri = text.parse().map_err(|_| BaseUrlError)?;
        let authority = uri.authority().ok_or(BaseUrlError)?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        let plain = !authority.as_str().contains('@') && uri.query().is_none() && !text.contains('#');
        let port = authority.as_str().strip_prefix(authority.host());
        let port_fits = port == Some("") || authority.port_u16().is_some_and(|port| port > 0);
        if known && plain && port_fits && !authority.host().is_empty() {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(BaseUrlError)
        }
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;
    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> String {
        url.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)),
            data_dir: PathBuf::from("./snapvisor-data"),
            public_url: None,
            trusted_proxies: Vec::new(),
            log_format: LogFormat::Auto,
            log_file: None,
            iggy: IggyConfig::default(),
            snapshot: SnapshotConfig::default(),
            bundle: BundleConfig::default(),
            archive: ArchiveConfig::default(),
            limits: LimitsConfig::default(),
            checks: checks::Settings::default(),
            redaction: redact::Settings::default(),
            plans: BTreeMap::new(),
        }
    }
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self {
            deadline_s: 540,
            sampling_ms: 1000,
            memory_max_bytes: 256 * MIB,
            allow_unredacted: true,
            allow_iggy_data: true,
            contact_peers: false,
        }
    }
}

impl Default for BundleConfig {
    fn default() -> Self {
        Self { max_bytes: 0, payloads: Payloads::All }
    }
}

impl Default for ArchiveConfig {
    fn default() -> Self {
        Self { reserve_bytes: None, max_bytes: 0, link_ttl_s: 300 }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { requests_per_minute: 600, failed_logins_per_minute: 20, connections: 4096, body_bytes: 64 * KIB }
    }
}

impl Config {
    /// The plan of this name: a built-in one, else one of the operator's own.
    #[must_use]
    pub fn plan(&self, name: &str) -> Option<Plan> {
        plan::built_in(name).or_else(|| {
            self.plans.get(name).map(|own| Plan {
                name: name.to_owned(),
                snapshots_max: own.snapshots_max,
                retention_days: own.retention_days,
            })
        })
    }

    /// Every plan, the built-in ones first.
    #[must_use]
    pub fn all_plans(&self) -> Vec<Plan> {
        let names = plan::BUILT_IN.iter().map(|(name, ..)| *name).chain(self.plans.keys().map(String::as_str));
        names.filter_map(|name| self.plan(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_a_gibibyte_or_a_twentieth_if_that_is_less() {
        let archive = ArchiveConfig::default();
        for (size, reserve) in [(0, 0), (10 * GIB, GIB / 2), (20 * GIB, GIB), (500 * GIB, GIB)] {
            assert_eq!(archive.reserve(size), reserve, "{size}");
        }
        assert_eq!(ArchiveConfig { reserve_bytes: Some(7), ..archive }.reserve(GIB), 7);
    }

    #[test]
    fn a_base_url_is_a_host_and_perhaps_a_path() {
        for (text, expected) in [
            ("http://10.0.0.5:8787", Some("http://10.0.0.5:8787")),
            ("https://snap.example.com/", Some("https://snap.example.com")),
            ("https://example.com/snap/", Some("https://example.com/snap")),
            ("http://[::1]:8787", Some("http://[::1]:8787")),
            ("ftp://example.com", None),
            ("example.com", None),
            ("/path", None),
            ("http://", None),
            ("http://user:word@example.com", None),
            ("http://example.com/?a=b", None),
            ("http://example.com/#a", None),
            ("http://example.com:99999", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<BaseUrl>().ok().as_ref().map(BaseUrl::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_configuration_survives_the_way_to_the_child() {
        let config = Config { public_url: "https://example.com".parse().ok(), ..Config::default() };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
    }
}
