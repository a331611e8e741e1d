//! Checks of `io_uring` and of process limits: what Iggy cannot start without.

use super::Check;

mod files;
mod memlock;
mod open_files;
mod operations;
mod probe;
mod sysctl;
mod threads;

pub(super) const CHECKS: &[Check] =
    &[probe::CHECK, operations::CHECK, sysctl::CHECK, memlock::CHECK, open_files::CHECK, threads::CHECK, files::CHECK];
