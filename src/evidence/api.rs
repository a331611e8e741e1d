//! What the server answered over HTTP. The credential and the tokens that it issued are in none of it.

use serde::{Deserialize, Serialize};

use super::{Key, Observed};
use crate::iggy::answers::{Client, Cluster, Stats, Stream, Topic};

/// Whether the server answers at all.
pub const IGGY_PING: Key<Ping> = Key::new("iggy.ping");
/// What it tells whoever has a credential.
pub const IGGY_API: Key<ApiAnswers> = Key::new("iggy.api");

/// What came of knocking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ping {
    /// Where: a URL, or an address for a bare connection.
    pub place: String,
    /// How.
    pub by: Knock,
    /// Milliseconds until the answer, or why there was none.
    pub answer: Result<f64, String>,
}

/// How it was knocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knock {
    /// `GET /ping`.
    Http,
    /// A connection to the TCP listener, since HTTP is off.
    Tcp,
}

/// What the server tells whoever has a credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiAnswers {
    /// Where.
    pub url: String,
    /// What came of the login; after a refusal nothing else was asked.
    pub login: Login,
    /// `GET /stats`.
    pub stats: Observed<Stats>,
    /// `GET /clients`.
    pub clients: Observed<Vec<Client>>,
    /// `GET /cluster/metadata`.
    pub cluster: Observed<Cluster>,
    /// `GET /streams`.
    pub streams: Observed<Vec<Stream>>,
    /// `GET /streams/ID/topics`, by stream.
    pub topics: Observed<Vec<(u64, Topic)>>,
    /// Streams whose topics were not asked for, because of a cap.
    pub streams_dropped: u64,
}

/// What came of the login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// A token was issued.
    Accepted,
    /// The credential was refused.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error's name, if it has one.
        code: Option<String>,
    },
}
