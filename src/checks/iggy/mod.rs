//! Checks of Iggy itself.

use super::Check;

mod health;
mod process;
mod statistics;
mod version;

/// The process, in the category of processes.
pub(super) const PROCESS_CHECKS: &[Check] = &[process::CHECK];

pub(super) const CHECKS: &[Check] = &[version::CHECK, health::CHECK, statistics::CHECK];
