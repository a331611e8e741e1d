//! Deployments of an environment.

use serde::Serialize;

use super::places::{Asking, InEnvironmentPath};
use crate::domain::deployment::{Area, AvailabilityMode, Cloud, StorageType};
use crate::domain::id::DeploymentId;
use crate::domain::time::Timestamp;
use crate::http::answer::Answer;
use crate::http::call::{Call, missing};
use crate::http::page;
use crate::http::problem::{Code, Problem};
use crate::http::state::Api;
use crate::store::DeploymentRow;

/// Where every deployment of an appliance runs, in the words of the closed list.
pub(super) const VARIANT: &str = "on_premise";

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "these are the fields on the wire")]
struct Deployment {
    id: DeploymentId,
    name: String,
    code: String,
    variant: &'static str,
    domain: String,
    cloud: Cloud,
    area: Area,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    cluster: &'static str,
    /// What an appliance knows of: Iggy itself.
    runtimes: [&'static str; 1],
    nodes_count: u32,
    /// Nothing protects it from the operator's own command line.
    protected: bool,
    /// The appliance does not know how its disks are encrypted, and does not claim it.
    encrypted: bool,
    /// Words of the hosted service's offers; an operator's own host is neither.
    dedicated: bool,
    shared: bool,
    storage_type: StorageType,
    storage_size: u64,
    availability_mode: AvailabilityMode,
    retention: Retention,
    /// An appliance upgrades nothing.
    can_upgrade: bool,
    description: String,
    supervisor_url: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct DeploymentDetail {
    #[serde(flatten)]
    deployment: Deployment,
    upgrades: [(); 0],
}

#[derive(Serialize)]
struct Retention {
    telemetry: Telemetry,
}

/// An appliance keeps no telemetry.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
struct Telemetry {
    logs_days: u32,
    metrics_days: u32,
    heartbeats_days: u32,
}

impl Deployment {
    fn new(row: DeploymentRow, supervisor_url: &str) -> Self {
        Self {
            id: row.id,
            name: row.name,
            code: row.code,
            variant: VARIANT,
            domain: row.domain,
            cloud: row.cloud,
            area: row.area,
            region: row.region,
            cluster: if row.nodes_count > 1 { "cluster" } else { "standalone" },
            runtimes: ["iggy"],
            nodes_count: row.nodes_count,
            protected: false,
            encrypted: false,
            dedicated: false,
            shared: false,
            storage_type: row.storage_type,
            storage_size: row.storage_size_gb,
            availability_mode: row.availability_mode,
            retention: Retention { telemetry: Telemetry { logs_days: 0, metrics_days: 0, heartbeats_days: 0 } },
            can_upgrade: false,
            description: row.description,
            supervisor_url: supervisor_url.to_owned(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of the deployments of an environment.
///
/// # Errors
/// 400 for a bad page, 404 for an environment that the key does not see, 403 without `deployment:read` there.
pub async fn list(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (request, asking) = (page::requested(&call.query)?, Asking::of(call));
    let path = InEnvironmentPath::of(call)?;
    let found = api.store().read(move |reader| {
        asking.environment(reader, path)?;
        Ok::<_, Problem>(reader.deployments(path.environment, request)?)
    });
    let found = found.await?.map(|row| Deployment::new(row, &api.state.public_url));
    Ok(page::answer(request, found, &api.url(&call.path), &[]))
}

/// One deployment.
///
/// # Errors
/// 404, and 403 without `deployment:read` there.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (path, asking) = (InEnvironmentPath::of(call)?, Asking::of(call));
    let id: DeploymentId = call.id("deployment_id", Code::DeploymentNotFound)?;
    let row = api.store().read(move |reader| {
        asking.environment(reader, path)?;
        let found = reader.deployment(id)?.filter(|row| row.environment_id == path.environment);
        found.ok_or_else(|| missing(Code::DeploymentNotFound))
    });
    let deployment = Deployment::new(row.await?, &api.state.public_url);
    Ok(Answer::json(&DeploymentDetail { deployment, upgrades: [] }))
}
