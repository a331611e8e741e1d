//! The runtime of connectors, and what it answered over HTTP.

use serde::{Deserialize, Serialize};

use super::{Key, Observed};
use crate::iggy::connectors::Connector;

/// What the runtime of connectors answered. A gap when none is installed.
pub const CONNECTORS: Key<Connectors> = Key::new("iggy.connectors");

/// The runtime of connectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connectors {
    /// How it is doing.
    pub runtime: Runtime,
    /// Its version, when it says so.
    pub version: Option<String>,
    /// Its sources.
    pub sources: Observed<Vec<Connector>>,
    /// Its sinks.
    pub sinks: Observed<Vec<Connector>>,
}

/// How the runtime is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// It answers at this URL.
    Answers(String),
    /// It runs and does not answer there, and why.
    Silent {
        /// The URL.
        url: String,
        /// Why.
        why: String,
    },
    /// It runs, and its API is switched off or out of our reach.
    Unasked(String),
    /// It is installed, by this unit, and does not run.
    Down {
        /// The unit.
        unit: String,
        /// Whether it is started at boot.
        wanted: crate::evidence::units::Wanted,
    },
}
