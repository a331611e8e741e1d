//! Checks of processors.

use super::Check;

mod clock_source;
mod governor;
mod load;
mod pinning;
mod quota;
mod topology;
mod usage;

pub(super) const CHECKS: &[Check] =
    &[topology::CHECK, load::CHECK, usage::CHECK, quota::CHECK, pinning::CHECK, clock_source::CHECK, governor::CHECK];
