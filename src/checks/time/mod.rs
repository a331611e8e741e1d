//! Checks of the clock.

use super::Check;

mod jumps;
mod sync;

pub(super) const CHECKS: &[Check] = &[sync::CHECK, jumps::CHECK];
