//! Checks of processors.

use super::Check;

mod clock_source;
mod load;
mod topology;
mod usage;

pub(super) const CHECKS: &[Check] = &[topology::CHECK, load::CHECK, usage::CHECK, clock_source::CHECK];
