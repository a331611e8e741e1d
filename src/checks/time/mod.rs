//! Checks of the clock.

use super::Check;

mod sync;

pub(super) const CHECKS: &[Check] = &[sync::CHECK];
