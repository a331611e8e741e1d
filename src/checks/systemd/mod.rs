//! Checks of systemd's services.

use super::Check;

mod coredumps;
mod restarts;
mod state;
mod unit;

pub(super) const CHECKS: &[Check] = &[state::CHECK, unit::CHECK, restarts::CHECK, coredumps::CHECK];
