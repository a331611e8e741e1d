//! Snapshots of a deployment: trigger, list, show, download, delete.

use serde::Serialize;

use warp::http::HeaderValue;

use super::{archive, places::Asking};
use crate::archive::Subject;
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, NodeId, SnapshotId, TenantId};
use crate::domain::progress::Progress;
use crate::domain::snapshot::{IggyData, Outcome, Redaction, SnapshotOptions, Status};
use crate::domain::time::Timestamp;
use crate::domain::verdict::VerdictCounts;
use crate::http::answer::Answer;
use crate::http::call::{Call, missing};
use crate::http::fields::{Fields, boolean};
use crate::http::page;
use crate::http::problem::{Code, Problem};
use crate::http::state::Api;
use crate::orchestrator::Hub;
use crate::store::{SnapshotItem, SnapshotRow};

/// Seconds after which a client may ask again whether a snapshot is over.
const PROCESSING_RETRY_S: u64 = 2;

/// One row as lists show it.
#[derive(Serialize)]
struct Item {
    id: SnapshotId,
    tenant_id: TenantId,
    division_id: DivisionId,
    environment_id: EnvironmentId,
    deployment_id: DeploymentId,
    node_id: NodeId,
    deployment_name: String,
    name: String,
    status: Status,
    created_at: Timestamp,
    /// `null` while processing.
    completed_at: Option<Timestamp>,
}

/// One row and its archive, and the rows beside it.
#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    item: Item,
    node_name: String,
    redact_secrets: bool,
    include_iggy: bool,
    expires_at: Timestamp,
    /// How the node's work ended; `null` while processing.
    outcome: Option<Outcome>,
    /// The report in a sentence, or why there is none.
    headline: Option<String>,
    /// `null` while processing, or when no archive could be written.
    size_bytes: Option<u64>,
    sha256: Option<String>,
    verdicts: VerdictCounts,
    /// What the archive does not hold and why, a sentence each.
    left_out: Vec<String>,
    /// Every row of the same trigger, this one included.
    nodes: Vec<Node>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
struct Node {
    id: SnapshotId,
    node_id: NodeId,
    node_name: String,
    status: Status,
    outcome: Option<Outcome>,
    completed_at: Option<Timestamp>,
    /// How far it has come; `null` when it is over.
    progress: Option<Progress>,
}

/// Where an archive is.
#[derive(Serialize)]
struct Download {
    url: String,
}

impl From<SnapshotItem> for Item {
    fn from(row: SnapshotItem) -> Self {
        Self {
            id: row.id,
            tenant_id: row.tenant_id,
            division_id: row.division_id,
            environment_id: row.environment_id,
            deployment_id: row.deployment_id,
            node_id: row.node_id,
            deployment_name: row.deployment_name,
            name: row.name,
            status: row.status,
            created_at: row.created_at,
            completed_at: row.completed_at,
        }
    }
}

impl Detail {
    fn new(row: SnapshotRow, beside: Vec<SnapshotRow>, hub: &Hub) -> Self {
        Self {
            item: row.item.into(),
            node_name: row.node_name,
            redact_secrets: row.options.redaction == Redaction::Masked,
            include_iggy: row.options.iggy_data == IggyData::Included,
            expires_at: row.expires_at,
            outcome: row.outcome,
            headline: row.headline,
            size_bytes: row.archive.map(|archive| archive.size_bytes),
            sha256: row.archive.map(|archive| archive.sha256_hex()),
            verdicts: row.counts,
            left_out: row.left_out,
            nodes: beside.into_iter().map(|row| Node::new(row, hub)).collect(),
        }
    }
}

impl Node {
    fn new(row: SnapshotRow, hub: &Hub) -> Self {
        Self {
            id: row.item.id,
            node_id: row.item.node_id,
            node_name: row.node_name,
            status: row.item.status,
            outcome: row.outcome,
            completed_at: row.item.completed_at,
            progress: hub.progress(row.item.id).map(|(progress, _)| progress),
        }
    }
}

fn deployment(call: &Call) -> Result<DeploymentId, Problem> {
    call.id("deployment_id", Code::DeploymentNotFound)
}

/// Triggers a snapshot of every node: 204, its name in `ld-snapshot`.
///
/// # Errors
/// 400 for a bad body, 404 for a deployment that the key does not see, 403 without `deployment:manage`, 409 while one is
/// in progress, when the plan's count is used up, or without nodes, 507 without room.
pub async fn create(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (id, asking) = (deployment(call)?, Asking::of(call));
    api.store().read(move |reader| asking.deployment(reader, id)).await?;
    let options = options(Fields::of(call.object()?))?;
    let triggered = api.state.orchestrator.trigger(id, options, call.actor()).await;
    let triggered = triggered.map_err(|error| api.trigger_problem(error))?;
    let name = HeaderValue::try_from(triggered.name).expect("letters, digits and dashes are a header value");
    Ok(Answer::nothing().with("ld-snapshot", name))
}

fn options(mut body: Fields) -> Result<SnapshotOptions, Problem> {
    let redact_secrets = body.default("redact_secrets", boolean).unwrap_or(true);
    let include_iggy = body.default("include_iggy", boolean).unwrap_or(true);
    body.finish(|| {
        Some(SnapshotOptions {
            redaction: if redact_secrets { Redaction::Masked } else { Redaction::Unredacted },
            iggy_data: if include_iggy { IggyData::Included } else { IggyData::Excluded },
        })
    })
}

/// A page of a deployment's rows, newest first.
///
/// # Errors
/// 400 for a bad page, 404 for a deployment that the key does not see, 403 without `deployment:read`.
pub async fn list(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (id, request, asking) = (deployment(call)?, page::requested(&call.query)?, Asking::of(call));
    let now = api.retention_now();
    let found = api.store().read(move |reader| {
        asking.deployment(reader, id)?;
        Ok::<_, Problem>(reader.snapshots(id, now, request)?)
    });
    Ok(page::answer(request, found.await?.map(Item::from), &api.url(&call.path), &[]))
}

/// One row with all that is known of it.
///
/// # Errors
/// 404, and 403 without `deployment:read`.
pub async fn detail(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (deployment, asking, now) = (deployment(call)?, Asking::of(call), api.retention_now());
    let id: Result<SnapshotId, Problem> = call.id("snapshot_id", Code::SnapshotNotFound);
    let found = api.store().read(move |reader| {
        asking.deployment(reader, deployment)?;
        let id = id?;
        let row = reader.snapshot(deployment, id, now)?.ok_or_else(|| missing(Code::SnapshotNotFound))?;
        Ok::<_, Problem>((row, reader.snapshots_beside(id)?))
    });
    let (row, beside) = found.await?;
    Ok(Answer::json(&Detail::new(row, beside, api.state.orchestrator.hub())))
}

/// A short-lived URL of a row's archive.
///
/// # Errors
/// 404 for a snapshot that is not there and for one whose archive is not (lost when it was written, or since), 403
/// without `deployment:read`, 409 while processing.
pub async fn download(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (deployment, asking, now) = (deployment(call)?, Asking::of(call), api.retention_now());
    let id: Result<SnapshotId, Problem> = call.id("snapshot_id", Code::SnapshotNotFound);
    let found = api.store().read(move |reader| {
        asking.deployment(reader, deployment)?;
        reader.snapshot(deployment, id?, now)?.ok_or_else(|| missing(Code::SnapshotNotFound))
    });
    let row = found.await?;
    if row.item.status == Status::Processing {
        let reason = "This snapshot is still processing; ask again once its completed_at is set.";
        return Err(Problem::new(Code::SnapshotNotCompleted, reason).retry_after_s(PROCESSING_RETRY_S));
    }
    let Some(archive) = row.archive else {
        let reason =
            "No archive of this snapshot could be written; its headline says why. Delete it and trigger another.";
        return Err(Problem::new(Code::ArchiveNotFound, reason));
    };
    // A URL that leads nowhere would be found out only by whoever it is given to.
    archive::open(api, row.item.id, archive).await?;
    let sha256 = archive.sha256_hex();
    let ttl_s = u32::try_from(api.state.config.archive.link_ttl_s).unwrap_or(u32::MAX);
    let (query, _) = api.state.links.sign(Subject { id: row.item.id, sha256: &sha256 }, api.now(), ttl_s);
    Ok(Answer::json(&Download { url: format!("{}/archives/{}?{query}", api.state.public_url, row.item.id) }))
}

/// Deletes a row, its archive, and with them every URL of it. One at work is cancelled first.
///
/// # Errors
/// 404, and 403 without `deployment:manage`.
pub async fn delete(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (deployment, asking) = (deployment(call)?, Asking::of(call));
    api.store().read(move |reader| asking.deployment(reader, deployment)).await?;
    let id: SnapshotId = call.id("snapshot_id", Code::SnapshotNotFound)?;
    api.state.orchestrator.delete_snapshot(deployment, id, call.actor()).await?;
    Ok(Answer::nothing())
}
