//! Collector of the host's clock.

use super::collector::{Collect, Collector, Stage};
use super::observe::Scene;
use super::sys;
use crate::evidence::Observed;
use crate::evidence::time::{KERNEL_CLOCK, KernelClock};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(KERNEL_CLOCK, Stage::Facts, clock)];

fn clock(scene: &Scene) -> Observed<KernelClock> {
    scene.host.call("adjtimex", sys::kernel_clock)
}
