//! Checks of the operating system, the kernel and what the host runs on.

use super::Check;

mod boot;
mod cgroup;
mod crashes;
mod drift;
mod kernel;
mod os;
mod parameters;
mod platform;
mod support;
mod taint;

pub(super) const CHECKS: &[Check] = &[
    os::CHECK,
    kernel::CHECK,
    platform::CHECK,
    taint::CHECK,
    cgroup::CHECK,
    parameters::CHECK,
    boot::CHECK,
    drift::CHECK,
    crashes::CHECK,
];
