//! Collectors of memory.

use super::collector::{Collect, Collector, Stage};
use super::observe::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::memory::{SWAPPINESS, Swappiness};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(SWAPPINESS, Stage::Facts, swappiness)];

/// Counter files of the sampling window.
pub(super) const SAMPLED: &[&str] = &["/proc/vmstat", "/proc/pressure/memory"];

fn swappiness(scene: &Scene) -> Observed<Swappiness> {
    const PATH: &str = "/proc/sys/vm/swappiness";
    let text = scene.host.text(PATH)?;
    let value = text.trim().parse().map_err(|_| Gap::broken(format!("{PATH} holds no number")))?;
    Ok(Swappiness(value))
}
