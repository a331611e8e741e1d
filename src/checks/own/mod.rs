//! Checks of the snapshot itself: what it cost, and what it could not see. They stand last in the catalogue.

use super::Check;

mod agent;
mod coverage;

pub(super) const CHECKS: &[Check] = &[agent::CHECK, coverage::CHECK];
