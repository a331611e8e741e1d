//! The faults, by area. Those that leave a trace in the kernel's log or counters come last.

mod data;
mod disk;
mod kernel;
mod limits;
mod logs;
mod memory;
mod network;
mod process;
mod security;
mod tls;

use crate::Outcome;
use crate::planting::Planting;

/// A fault: how it is planted, and what must come of it.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// The check that must find it.
    pub(crate) check: &'static str,
    /// With this verdict.
    pub(crate) verdict: &'static str,
    /// Checks that see the same thing from another side, each with good reason.
    pub(crate) also: &'static [&'static str],
    /// Whether the verdict stays after it is taken back, so that only the first one on a machine flips it.
    pub(crate) leaves_a_trace: bool,
    pub(crate) plant: fn(&mut Planting<'_>) -> Outcome<()>,
}

const fn fails(check: &'static str, name: &'static str, plant: fn(&mut Planting<'_>) -> Outcome<()>) -> Fault {
    Fault { name, check, verdict: "fail", also: &[], leaves_a_trace: false, plant }
}

const fn warns(check: &'static str, name: &'static str, plant: fn(&mut Planting<'_>) -> Outcome<()>) -> Fault {
    Fault { verdict: "warn", ..fails(check, name, plant) }
}

impl Fault {
    const fn and(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn for_good(self) -> Self {
        Self { leaves_a_trace: true, ..self }
    }
}

/// All faults, in the order in which they are planted.
pub(crate) fn all() -> impl Iterator<Item = &'static Fault> {
    [
        disk::FAULTS,
        limits::FAULTS,
        memory::FAULTS,
        network::FAULTS,
        process::FAULTS,
        data::FAULTS,
        logs::FAULTS,
        tls::FAULTS,
        security::FAULTS,
        kernel::FAULTS,
    ]
    .into_iter()
    .flatten()
}
