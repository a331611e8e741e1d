//! The server's own counters, asked twice.

use serde::{Deserialize, Serialize};

use super::Key;
use crate::iggy::metrics::Metrics;

/// The first answer, before the sampling window ends.
pub const METRICS_FIRST: Key<MetricsAnswer> = Key::new("iggy.metrics-first");
/// The second answer, after it.
pub const METRICS_SECOND: Key<MetricsAnswer> = Key::new("iggy.metrics-second");

/// An answer of the metrics' endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricsAnswer {
    /// When, milliseconds since the epoch.
    pub at_unix_ms: u64,
    /// The counters.
    pub metrics: Metrics,
}
