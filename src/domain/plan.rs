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

/// Divisions of a tenant at most.
pub const DIVISIONS_MAX: u32 = 100;
/// Environments of a division at most.
pub const ENVIRONMENTS_PER_DIVISION_MAX: u32 = 100;
/// Deployments of an environment at most.
pub const DEPLOYMENTS_PER_ENVIRONMENT_MAX: u32 = 100;
/// Nodes of a deployment at most.
pub const NODES_PER_DEPLOYMENT_MAX: u32 = 100;
/// Roles of a tenant at most, those that belong to one key not counted.
pub const ROLES_MAX: u32 = 200;
/// Keys of a tenant at most, expired ones included.
pub const KEYS_MAX: u32 = 1000;
/// Addresses and networks on a key's allowlist at most.
pub const ALLOWED_IPS_MAX: u32 = 100;
/// Days that a key lives at most.
pub const KEY_DAYS_MAX: i64 = 365;
/// Days after which a line of the audit log is removed.
pub const AUDIT_RETENTION_DAYS: i64 = 365;
/// Seconds of a day.
pub const DAY_S: i64 = 86_400;
