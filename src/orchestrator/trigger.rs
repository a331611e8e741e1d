//! A POST becomes a trigger and its rows, in one transaction.

use crate::archive::{ArchiveError, Archives};
use crate::config::{ArchiveConfig, Config};
use crate::domain::id::{DeploymentId, SnapshotId, TriggerId};
use crate::domain::plan::{self, DAY_S, Plan};
use crate::domain::size;
use crate::domain::snapshot::{self, IggyData, Redaction, SnapshotOptions};
use crate::domain::time::Timestamp;
use crate::store::{AuditEntry, NewTrigger, NodeRow, Place, StoreError, Writer};

use super::actor::Actor;

/// What was triggered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggered {
    /// The trigger.
    pub id: TriggerId,
    /// The name of all its rows.
    pub name: String,
    /// Its rows, one per node.
    pub rows: Vec<SnapshotId>,
}

/// Why nothing was triggered.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// There is no such deployment.
    #[error("no such deployment")]
    NoDeployment,
    /// One is in progress.
    #[error("snapshot {name} is in progress")]
    InProgress {
        /// Its name.
        name: String,
        /// When it was triggered; it is over `snapshot.deadline_s` later.
        since: Timestamp,
    },
    /// The plan's count is used up.
    #[error(
        "the plan {plan} keeps {limit} snapshots of a deployment; the first to expire is {oldest}, at {expires_at}"
    )]
    LimitReached {
        /// The plan.
        plan: String,
        /// Its count.
        limit: u32,
        /// The snapshot that expires first.
        oldest: String,
        /// When it does.
        expires_at: Timestamp,
    },
    /// The deployment has no nodes.
    #[error("the deployment has no nodes")]
    NoNodes,
    /// The store of archives is at its limit or the disk below its reserve.
    #[error("{0}")]
    Storage(String),
    /// The appliance is stopping.
    #[error("the appliance is stopping")]
    Stopping,
    /// The store of archives cannot be asked.
    #[error("the store of archives cannot be asked")]
    Archives(#[source] ArchiveError),
    /// The database.
    #[error("the database refused it")]
    Store(#[from] StoreError),
}

/// What room there is for archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes that the next archive may have; `None`: no limit but free space.
    pub(super) bytes_max: Option<u64>,
    /// Free bytes that must stay.
    pub(super) reserve_bytes: u64,
}

/// What room there is; refused below the reserve, and when stored archives have reached their limit. Blocks.
pub(super) fn room(archives: &Archives, config: &ArchiveConfig) -> Result<Room, TriggerError> {
    let space = archives.space().map_err(TriggerError::Archives)?;
    let reserve_bytes = config.reserve(space.total_bytes);
    if space.free_bytes < reserve_bytes {
        return Err(TriggerError::Storage(format!(
            "{} are free where archives are stored, less than the reserve of {}",
            size::human(space.free_bytes),
            size::human(reserve_bytes)
        )));
    }
    if config.max_bytes == 0 {
        return Ok(Room { bytes_max: None, reserve_bytes });
    }
    let stored_bytes = archives.inventory().map_err(TriggerError::Archives)?.size_bytes;
    match config.max_bytes.checked_sub(stored_bytes) {
        None | Some(0) => Err(TriggerError::Storage(format!(
            "stored archives take {}, and archive.max_bytes allows {}",
            size::human(stored_bytes),
            size::human(config.max_bytes)
        ))),
        left => Ok(Room { bytes_max: left, reserve_bytes }),
    }
}

/// The rows of a trigger and what their work needs to know.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) triggered: Triggered,
    pub(super) place: Place,
    pub(super) nodes: Vec<NodeRow>,
}

/// Enters a trigger and one row per node. `retention_now` decides what has expired, `now` is what clients are shown.
pub(super) fn enter(
    w: &Writer,
    config: &Config,
    actor: &Actor,
    deployment: DeploymentId,
    options: SnapshotOptions,
    now: Timestamp,
    retention_now: Timestamp,
) -> Result<Entered, TriggerError> {
    let place = w.place(deployment)?.ok_or(TriggerError::NoDeployment)?;
    if let Some(running) = w.trigger_in_progress(deployment)? {
        return Err(TriggerError::InProgress { name: running.name, since: running.created_at });
    }
    let nodes = w.nodes(deployment)?;
    if nodes.is_empty() {
        return Err(TriggerError::NoNodes);
    }
    let plan = plan_of(config, &place);
    if let (kept, Some(oldest)) = w.triggers_kept(deployment, retention_now)?
        && kept >= u64::from(plan.snapshots_max)
    {
        return Err(TriggerError::LimitReached {
            plan: plan.name,
            limit: plan.snapshots_max,
            oldest: oldest.name,
            expires_at: oldest.expires_at,
        });
    }
    let name = free_name(w, deployment, now)?;
    let id = w.insert_trigger(&NewTrigger {
        deployment_id: deployment,
        name: name.clone(),
        options,
        created_at: now,
        expires_at: now.plus_s(i64::from(plan.retention_days) * DAY_S),
    })?;
    let rows = nodes.iter().map(|node| w.insert_snapshot(id, node)).collect::<Result<Vec<_>, _>>()?;
    w.record(&AuditEntry {
        target_id: Some(deployment.get()),
        target_name: name.clone(),
        detail: described(options).to_owned(),
        ..actor.entry("snapshot.create", place.tenant_id, now)
    })?;
    Ok(Entered { triggered: Triggered { id, name, rows }, place, nodes })
}

const fn described(options: SnapshotOptions) -> &'static str {
    match (options.redaction, options.iggy_data) {
        (Redaction::Masked, IggyData::Included) => "masked, with Iggy's data",
        (Redaction::Masked, IggyData::Excluded) => "masked, without Iggy's data",
        (Redaction::Unredacted, IggyData::Included) => "UNREDACTED, with Iggy's data",
        (Redaction::Unredacted, IggyData::Excluded) => "UNREDACTED, without Iggy's data",
    }
}

/// The tenant's plan. One that the configuration does not know any more counts as the smallest.
fn plan_of(config: &Config, place: &Place) -> Plan {
    config.plan(&place.plan).unwrap_or_else(|| {
        let (smallest, ..) = plan::BUILT_IN[0];
        tracing::warn!(plan = %place.plan, counts_as = smallest, "the configuration has no such plan");
        plan::built_in(smallest).expect("it is in the table")
    })
}

fn free_name(w: &Writer, deployment: DeploymentId, now: Timestamp) -> Result<String, StoreError> {
    let mut repeat = 1;
    loop {
        let name = snapshot::name(now, repeat);
        if !w.trigger_named(deployment, &name)? {
            return Ok(name);
        }
        // A plan keeps so few snapshots that this ends soon.
        repeat += 1;
    }
}
