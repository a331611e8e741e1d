//! Checks of processes.

use super::{Case, Check};
use crate::evidence::processes::{PROCESSES, Process};

mod stuck;
mod top;

pub(super) const CHECKS: &[Check] = &[top::CHECK, stuck::CHECK];

/// The name of Iggy's server program.
const SERVER: &str = "iggy-server";

/// The Iggy servers in the table of processes; none if there is no table.
pub(super) fn servers<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Process> {
    let processes = case.evidence.read(PROCESSES).map(|table| table.processes.as_slice()).unwrap_or_default();
    processes.iter().filter(|process| process.name == SERVER || process.program() == SERVER)
}
