//! Checks of Iggy itself.

use super::Check;

mod cluster;
mod config;
mod connectors;
mod drift;
mod flags;
mod health;
mod integrity;
mod metrics;
mod process;
mod retention;
mod segments;
mod statistics;
mod version;

/// The process, in the category of processes.
pub(super) const PROCESS_CHECKS: &[Check] = &[process::CHECK];

pub(super) const CHECKS: &[Check] = &[
    version::CHECK,
    health::CHECK,
    statistics::CHECK,
    metrics::CHECK,
    config::CHECK,
    drift::CHECK,
    flags::CHECK,
    integrity::CHECK,
    segments::CHECK,
    cluster::CHECK,
    retention::CHECK,
    connectors::CHECK,
];
