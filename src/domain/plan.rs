//! Plans: how many snapshots a deployment may keep, and for how long.

use serde::{Deserialize, Serialize};

/// A plan's limits. The plan is the tenant's; a snapshot is one trigger, however many nodes it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name, as the API shows it.
    pub name: String,
    /// Snapshots a deployment may keep at a time.
    pub snapshots_max: u32,
    /// Days after which a snapshot disappears. Fixed into each snapshot when it is made.
    pub retention_days: u32,
}

/// The built-in plans. A configuration may add plans of the operator's own, not change these.
pub const BUILT_IN: [(&str, u32, u32); 3] = [("basic", 3, 7), ("pro", 5, 14), ("enterprise", 20, 90)];

/// The plan of a fresh install's tenant.
pub const DEFAULT: &str = "enterprise";

/// The built-in plan of this name.
#[must_use]
pub fn built_in(name: &str) -> Option<Plan> {
    BUILT_IN.iter().find(|(known, ..)| *known == name).map(|&(name, snapshots_max, retention_days)| Plan {
        name: name.to_owned(),
        snapshots_max,
        retention_days,
    })
}
