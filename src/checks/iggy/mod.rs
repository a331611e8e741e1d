//! Checks of Iggy itself.

use super::Check;

mod cluster;
mod config;
mod flags;
mod health;
mod integrity;
mod process;
mod retention;
mod statistics;
mod version;

/// The process, in the category of processes.
pub(super) const PROCESS_CHECKS: &[Check] = &[process::CHECK];

pub(super) const CHECKS: &[Check] = &[
    version::CHECK,
    health::CHECK,
    statistics::CHECK,
    config::CHECK,
    flags::CHECK,
    integrity::CHECK,
    cluster::CHECK,
    retention::CHECK,
];
