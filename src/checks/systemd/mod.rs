//! Checks of systemd's services.

use super::Check;

mod unit;

pub(super) const CHECKS: &[Check] = &[unit::CHECK];
