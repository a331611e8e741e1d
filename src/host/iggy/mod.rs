//! Finding Iggy on a host and asking it.
//!
//! Whatever a process says about itself can be said by anybody who may start a process of that name, so it is believed
//! only within limits ([`place`]). Environments and command lines are read into memory that is wiped, and only what is
//! on a closed list leaves this room.

use super::collector::{Collect, Collector, Stage};
use super::observe::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::iggy::{IGGY_PLACE, IGGY_PROCESS, IGGY_PROCESSES, IggyProcess, Program, SECRET_SEEDS};

pub(super) mod environment;
mod place;
mod process;
mod seeds;
#[cfg(test)]
mod tests;

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(IGGY_PROCESSES, Stage::Discovery, process::processes),
    &Collector::new(IGGY_PROCESS, Stage::Placement, server),
    &Collector::new(IGGY_PLACE, Stage::Placement, place::place),
    &Collector::new(SECRET_SEEDS, Stage::Detail, seeds::seeds),
];

fn server(scene: &Scene) -> Observed<IggyProcess> {
    let configured = place::configured(scene);
    let chosen = chosen(scene.evidence.read(IGGY_PROCESSES)?, configured.as_deref());
    chosen.cloned().ok_or_else(|| Gap::absent("no process of iggy-server runs on this host, as far as it can be seen"))
}

/// The server that the snapshot is about: the one on the configured data directory, else the one that started first.
fn chosen<'a>(processes: &'a [IggyProcess], configured: Option<&str>) -> Option<&'a IggyProcess> {
    let servers = || processes.iter().filter(|process| process.program == Program::Server);
    let on_it = |process: &&IggyProcess| {
        process.data_dir.as_deref().is_ok_and(|named| Some(process.seen(named).as_str()) == configured)
    };
    servers().find(on_it).or_else(|| servers().min_by_key(|process| (process.started_ticks, process.pid)))
}
