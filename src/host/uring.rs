//! Collectors of `io_uring`.

use super::collector::{Collect, Collector, Stage};
use super::scalar::optional;
use super::scene::Scene;
use super::sys;
use crate::evidence::Observed;
use crate::evidence::uring::{RING_PROBE, RING_SETTINGS, RingProbe, RingSettings};

pub(super) const COLLECTORS: &[&dyn Collect] =
    &[&Collector::new(RING_PROBE, Stage::Facts, probe), &Collector::new(RING_SETTINGS, Stage::Facts, settings)];

fn probe(scene: &Scene) -> Observed<RingProbe> {
    scene.host.call("io_uring_setup", || Ok(sys::probe_ring()))
}

fn settings(scene: &Scene) -> Observed<RingSettings> {
    Ok(RingSettings {
        disabled: optional(scene.host.value("/proc/sys/kernel/io_uring_disabled"))?,
        group: optional(scene.host.value("/proc/sys/kernel/io_uring_group"))?,
    })
}
