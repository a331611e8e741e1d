//! The only code that looks at a host.
//!
//! A [`Host`] is this machine or a recorded tree; either way every read is bounded, and what comes from system calls goes
//! through [`Host::call`], so that a recorded tree answers it from `.snapvisor/`. [`observe()`] runs all collectors, each
//! under its own deadline, and gives the [`crate::evidence::Evidence`]. It refuses to write, to start programs and to
//! contact anything that was not configured. Invariant: one source that hangs, panics or is denied costs that source alone.

mod block;
mod cgroup;
mod clock;
mod collector;
mod cpu;
mod damage;
mod data_dir;
mod deleted_files;
mod drbd;
mod file;
mod frequency;
mod gap;
mod iggy;
mod journal;
mod kernel_log;
mod limits;
mod memory;
mod mounts;
mod network;
mod nvme;
mod observe;
mod own;
mod processes;
mod root;
mod runtime_logs;
mod sampling;
mod scalar;
mod scene;
pub mod sys;
mod system;
mod systemd;
mod tape;
mod tls;
mod trim;
mod turn;
mod units;
mod uring;
mod zone;

pub use file::{Bounded, FileKind, Metadata, Truncated};
pub use gap::HostError;
pub use mounts::{PROBE_MOUNTS_ARGUMENT, probe_mounts_main};
pub use observe::{Observation, observe};
pub use root::{Host, Reading};
pub use scene::{ContactPeers, IggyRequest, Request};
pub use tape::Mask;

use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::pressure::Pressure;

/// A file of pressure stall information.
fn pressure(host: &Host, path: &str) -> Observed<Pressure> {
    host.text(path)?.parse().map_err(|error| Gap::broken(format!("{path}: {error}")))
}
