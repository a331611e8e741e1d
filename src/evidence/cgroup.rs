//! The control group of a process: what it may use, as the strictest of its ancestors says, and what it uses.

use serde::{Deserialize, Serialize};

use super::Key;
use super::pressure::Pressure;

/// Our own control group.
pub const OWN_CGROUP: Key<Cgroup> = Key::new("cgroup.own");
/// The control group of the Iggy server.
pub const IGGY_CGROUP: Key<Cgroup> = Key::new("cgroup.iggy");

/// How often the quota has stopped the Iggy server, after the sampling window.
pub const IGGY_THROTTLING_LATER: Key<Throttling> = Key::new("cgroup.iggy-throttling-later");

/// Which kind of control groups the host has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CgroupVersion {
    /// One tree for all controllers.
    #[default]
    V2,
    /// A tree for each controller.
    V1,
    /// Controllers in trees of their own, and a tree of version 2 without them.
    Hybrid,
}

impl CgroupVersion {
    /// The word for a person.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V1 => "v1",
            Self::Hybrid => "hybrid (v1 controllers)",
        }
    }
}

/// A control group. A limit is `None` when there is none or when it could not be seen; `gaps` tells which.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cgroup {
    /// Which kind.
    pub version: CgroupVersion,
    /// Its path, with the ids of containers cut short.
    pub path: String,
    /// The smallest memory limit up to the root, bytes.
    pub memory_max_bytes: Option<u64>,
    /// Memory in use in the group that has that limit (in the group itself if there is none), bytes.
    pub memory_used_bytes: Option<u64>,
    /// Of that, file cache that the kernel can drop at once, bytes.
    pub memory_droppable_bytes: Option<u64>,
    /// Kills by the out-of-memory killer in the group.
    pub oom_kills: Option<u64>,
    /// The smallest CPU quota up to the root.
    pub quota: Option<Quota>,
    /// How often the quota stopped the group.
    pub throttling: Option<Throttling>,
    /// The processors that the group may use, as a list of ranges.
    pub cpus: Option<String>,
    /// The smallest limit of tasks up to the root, and the tasks in the group that has it.
    pub tasks: Option<Tasks>,
    /// Pressure on memory.
    pub memory_pressure: Option<Pressure>,
    /// Pressure on processors.
    pub cpu_pressure: Option<Pressure>,
}

/// CPU time in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Microseconds of CPU time in each period.
    pub quota_us: u64,
    /// The period, microseconds.
    pub period_us: u64,
}

impl Quota {
    /// How many processors that makes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a period")]
    pub fn cpus(self) -> f64 {
        self.quota_us as f64 / self.period_us.max(1) as f64
    }
}

/// Periods since the group exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttling {
    /// Periods in which the group ran.
    pub periods: u64,
    /// Periods in which it was stopped.
    pub throttled: u64,
}

/// Tasks in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tasks {
    /// The limit.
    pub max: u64,
    /// Tasks now.
    pub current: u64,
}
