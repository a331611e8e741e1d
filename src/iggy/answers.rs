//! Answers of Iggy's HTTP API, as 0.8 gives them.
//!
//! Fields that a release may leave out are options, and unknown ones are ignored: an answer is worth more than its
//! exact shape. Bodies arrive already bounded.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::quantity;

/// Why a body is not the answer that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column} is not what Iggy answers there")]
pub struct AnswerError {
    /// Line of the body, from 1.
    pub line: usize,
    /// Column of the line, from 1.
    pub column: usize,
}

/// The answer in this body.
///
/// # Errors
/// It is not JSON of that shape. The body is never quoted: it may hold a token.
pub fn decode<A: Answer>(body: &[u8]) -> Result<A, AnswerError> {
    decode_any(body)
}

/// What is in this body, whatever it answers.
pub(super) fn decode_any<A: DeserializeOwned>(body: &[u8]) -> Result<A, AnswerError> {
    serde_json::from_slice(body).map_err(|error| AnswerError { line: error.line(), column: error.column() })
}

/// An answer, and the path that gives it.
pub trait Answer: DeserializeOwned {
    /// The path below the server's address.
    const PATH: &'static str;
}

/// Path of the question that needs no credential.
pub const PING_PATH: &str = "/ping";

/// Whether this body is the answer to a ping.
#[must_use]
pub fn is_pong(body: &[u8]) -> bool {
    body.trim_ascii() == b"pong"
}

/// Path of the metrics, by default.
pub const METRICS_PATH: &str = "/metrics";

/// A size: a number of bytes, or a text with a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bytes(pub u64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sizes;
        impl Visitor<'_> for Sizes {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size")
            }
            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                match quantity::limit(text) {
                    Some(quantity::Limit::Unlimited) => Ok(Bytes(0)),
                    Some(quantity::Limit::Bytes(bytes)) => Ok(Bytes(bytes)),
                    None => Err(E::custom("not a size")),
                }
            }
        }
        deserializer.deserialize_any(Sizes)
    }
}

/// `GET /stats`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The server's process.
    pub process_id: u32,
    /// CPU of the process in percent of one core.
    pub cpu_usage: f64,
    /// CPU of the host in percent.
    pub total_cpu_usage: f64,
    /// Resident memory of the process.
    #[serde(rename = "memory_usage")]
    pub memory_bytes: Bytes,
    /// Memory of the host.
    #[serde(rename = "total_memory")]
    pub total_memory_bytes: Bytes,
    /// Memory of the host that is available.
    #[serde(rename = "available_memory")]
    pub available_memory_bytes: Bytes,
    /// Microseconds since the start.
    #[serde(rename = "run_time")]
    pub run_time_us: u64,
    /// Start in microseconds since 1970.
    #[serde(rename = "start_time")]
    pub start_time_us: u64,
    /// Bytes that the process read.
    pub read_bytes: Bytes,
    /// Bytes that the process wrote.
    pub written_bytes: Bytes,
    /// Bytes of all messages.
    pub messages_size_bytes: Bytes,
    /// Streams.
    pub streams_count: u64,
    /// Topics.
    pub topics_count: u64,
    /// Partitions.
    pub partitions_count: u64,
    /// Segments.
    pub segments_count: u64,
    /// Messages.
    pub messages_count: u64,
    /// Connected clients.
    pub clients_count: u64,
    /// Consumer groups.
    pub consumer_groups_count: u64,
    /// The host's name.
    pub hostname: String,
    /// The system's name.
    pub os_name: String,
    /// The system's version.
    #[serde(default)]
    pub os_version: Option<String>,
    /// The kernel's version.
    pub kernel_version: String,
    /// The server's version.
    pub iggy_server_version: String,
    /// The same as a number.
    #[serde(default)]
    pub iggy_server_semver: Option<u64>,
    /// Threads of the process.
    #[serde(default)]
    pub threads_count: Option<u64>,
    /// Free space of the data directory's file system.
    #[serde(default, rename = "free_disk_space")]
    pub free_disk_bytes: Option<Bytes>,
    /// Size of the data directory's file system.
    #[serde(default, rename = "total_disk_space")]
    pub total_disk_bytes: Option<Bytes>,
}

impl Answer for Stats {
    const PATH: &'static str = "/stats";
}

/// A connected client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its id.
    pub client_id: u64,
    /// Its user, once it has logged in.
    #[serde(default)]
    pub user_id: Option<u64>,
    /// Its address.
    pub address: String,
    /// Its transport.
    pub transport: String,
    /// Consumer groups that it is in.
    pub consumer_groups_count: u64,
}

impl Answer for Vec<Client> {
    const PATH: &'static str = "/clients";
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its size.
    #[serde(rename = "size")]
    pub size_bytes: Bytes,
    /// Its messages.
    pub messages_count: u64,
    /// Its topics.
    pub topics_count: u64,
}

impl Answer for Vec<Stream> {
    const PATH: &'static str = "/streams";
}

/// A topic. Its list's path holds the stream: [`topics_path`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its size.
    #[serde(rename = "size")]
    pub size_bytes: Bytes,
    /// Age at which messages go, in microseconds; [`u64::MAX`] is never.
    pub message_expiry: u64,
    /// Size at which the oldest segments go; [`u64::MAX`] is never.
    pub max_topic_size: u64,
    /// Its messages.
    pub messages_count: u64,
    /// Its partitions.
    pub partitions_count: u64,
}

/// The path of a stream's topics.
#[must_use]
pub fn topics_path(stream: u64) -> String {
    format!("/streams/{stream}/topics")
}

/// The topics in this body.
///
/// # Errors
/// As [`decode`].
pub fn topics(body: &[u8]) -> Result<Vec<Topic>, AnswerError> {
    decode_any(body)
}

/// `GET /cluster/metadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its members.
    pub nodes: Vec<Member>,
}

/// A member of the cluster, as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: String,
    /// `leader` or `follower`.
    pub role: String,
    /// `healthy` and what else there is.
    pub status: String,
}

impl Answer for Cluster {
    const PATH: &'static str = "/cluster/metadata";
}

/// Path of the login with a name and a password.
pub const LOGIN_PATH: &str = "/users/login";
/// Path of the login with a personal access token.
pub const TOKEN_LOGIN_PATH: &str = "/personal-access-tokens/login";

/// A bearer token: the one secret in this module, wiped when dropped and never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop, Deserialize)]
#[serde(transparent)]
pub struct AccessToken(String);

impl AccessToken {
    /// The token, for the `authorization` header alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// The token in the answer to a login.
///
/// # Errors
/// As [`decode`].
pub fn login(body: &[u8]) -> Result<AccessToken, AnswerError> {
    #[derive(Deserialize)]
    struct Login {
        access_token: Issued,
    }
    #[derive(Deserialize)]
    struct Issued {
        token: AccessToken,
    }
    serde_json::from_slice(body)
        .map(|login: Login| login.access_token.token)
        .map_err(|error| AnswerError { line: error.line(), column: error.column() })
}

/// The body of an error; a 401 has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// Its number.
    pub id: u64,
    /// Its name, `invalid_credentials`.
    pub code: String,
    /// Its sentence.
    pub reason: String,
    /// The field that is wrong.
    #[serde(default)]
    pub field: Option<String>,
}

impl ApiError {
    /// The error in this body, if there is one.
    #[must_use]
    pub fn in_body(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
