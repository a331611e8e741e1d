//! What the operator sees of the running program: log lines and metrics.
//!
//! Invariants: every log line goes through the redaction engine before it leaves the process, so that a secret that got
//! into an error's text stops there; and a metric's labels come from closed lists, so that no client can make more of them.

mod logs;
mod metrics;

pub use logs::{Colour, Format, Logs, LogsError};
pub use metrics::{Limit, METRICS_TYPE, Metrics, OpenConnection};
