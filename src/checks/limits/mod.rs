//! Checks of `io_uring` and of process limits: what Iggy cannot start without.

use super::Check;

mod memlock;
mod open_files;
mod probe;
mod sysctl;

pub(super) const CHECKS: &[Check] = &[probe::CHECK, sysctl::CHECK, memlock::CHECK, open_files::CHECK];
