//! Tenants: a key sees its own.

use std::collections::BTreeMap;

use serde::Serialize;

use super::places::Asking;
use super::plan_features::PlanFeatures;
use crate::domain::deployment::Cloud;
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, TenantId};
use crate::domain::plan;
use crate::domain::time::Timestamp;
use crate::http::answer::Answer;
use crate::http::call::{Call, missing};
use crate::http::problem::{Code, Problem};
use crate::http::state::Api;
use crate::store::{DeploymentRow, DivisionRow, EnvironmentRow, Reader, TenantRow};

#[derive(Serialize)]
struct TenantItem {
    id: TenantId,
    name: String,
    /// Nothing protects it from the operator's own command line.
    protected: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct TenantDetail {
    #[serde(flatten)]
    item: TenantItem,
    description: String,
    email: String,
    /// A tenant of an appliance is not locked from afar.
    status: &'static str,
    subscription: Subscription,
    features: PlanFeatures,
    /// There is nothing to pay here.
    starter_available: bool,
    has_payment_method: bool,
    has_custom_email_domain: bool,
}

#[derive(Serialize)]
struct Subscription {
    id: TenantId,
    plan: String,
    active: bool,
    created_at: Timestamp,
    valid_from: Timestamp,
    /// An appliance's plan does not end: the last time that can be written.
    valid_to: Timestamp,
}

#[derive(Serialize)]
struct Structure {
    id: TenantId,
    name: String,
    divisions: Vec<StructureDivision>,
}

#[derive(Serialize)]
struct StructureDivision {
    id: DivisionId,
    name: String,
    environments: Vec<StructureEnvironment>,
}

#[derive(Serialize)]
struct StructureEnvironment {
    id: EnvironmentId,
    name: String,
    deployments: Vec<StructureDeployment>,
}

#[derive(Serialize)]
struct StructureDeployment {
    id: DeploymentId,
    name: String,
    cloud: Cloud,
    variant: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    supervisor_url: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
struct Summary {
    total_divisions: usize,
    total_environments: usize,
    total_deployments: usize,
}

impl From<TenantRow> for TenantItem {
    fn from(row: TenantRow) -> Self {
        let TenantRow { id, name, created_at, updated_at, .. } = row;
        Self { id, name, protected: false, created_at, updated_at }
    }
}

/// The key's own tenant, in a plain array.
///
/// # Errors
/// The database's.
pub async fn list(api: &Api, call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::json(&[TenantItem::from(own(api, call).await?)]))
}

/// The tenant, its plan and its limits.
///
/// # Errors
/// The database's.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let row = own(api, call).await?;
    // A plan that the configuration does not know any more counts as the smallest, as it does for a trigger.
    let unknown = || plan::built_in(plan::BUILT_IN[0].0).expect("it is in the table");
    let plan = api.state.config.plan(&row.plan).unwrap_or_else(unknown);
    let subscription = Subscription {
        id: row.id,
        plan: row.plan.clone(),
        active: true,
        created_at: row.plan_since,
        valid_from: row.plan_since,
        valid_to: Timestamp::from_unix(i64::MAX),
    };
    let (description, email) = (row.description.clone(), row.email.clone());
    Ok(Answer::json(&TenantDetail {
        item: row.into(),
        description,
        email,
        status: "active",
        subscription,
        features: PlanFeatures::of(&plan),
        starter_available: false,
        has_payment_method: false,
        has_custom_email_domain: false,
    }))
}

/// What the key sees, as a tree.
///
/// # Errors
/// The database's.
pub async fn structure(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (tenant, visible) = (own(api, call).await?, visible(api, call).await?);
    let supervisor_url = api.state.public_url.as_str();
    let mut deployments: BTreeMap<EnvironmentId, Vec<StructureDeployment>> = BTreeMap::new();
    for row in visible.deployments {
        deployments.entry(row.environment_id).or_default().push(StructureDeployment {
            id: row.id,
            name: row.name,
            cloud: row.cloud,
            variant: super::deployments::VARIANT,
            region: row.region,
            supervisor_url: supervisor_url.to_owned(),
        });
    }
    let mut environments: BTreeMap<DivisionId, Vec<StructureEnvironment>> = BTreeMap::new();
    for row in visible.environments {
        let deployments = deployments.remove(&row.id).unwrap_or_default();
        let environment = StructureEnvironment { id: row.id, name: row.name, deployments };
        environments.entry(row.division_id).or_default().push(environment);
    }
    let division = |row: DivisionRow| StructureDivision {
        id: row.id,
        name: row.name,
        environments: environments.remove(&row.id).unwrap_or_default(),
    };
    let divisions = visible.divisions.into_iter().map(division).collect();
    Ok(Answer::json(&Structure { id: tenant.id, name: tenant.name, divisions }))
}

/// How many there are of what the key sees.
///
/// # Errors
/// The database's.
pub async fn summary(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let visible = visible(api, call).await?;
    Ok(Answer::json(&Summary {
        total_divisions: visible.divisions.len(),
        total_environments: visible.environments.len(),
        total_deployments: visible.deployments.len(),
    }))
}

async fn own(api: &Api, call: &Call) -> Result<TenantRow, Problem> {
    let id = call.caller().key.tenant_id;
    let found = api.store().read(move |reader| Ok::<_, Problem>(reader.tenant(id)?)).await?;
    // It went after the key was looked at, and the key with it.
    found.ok_or_else(|| missing(Code::TenantNotFound))
}

struct Visible {
    divisions: Vec<DivisionRow>,
    environments: Vec<EnvironmentRow>,
    deployments: Vec<DeploymentRow>,
}

async fn visible(api: &Api, call: &Call) -> Result<Visible, Problem> {
    let asking = Asking::of(call);
    let question = move |reader: &Reader| {
        let (tenant, grant) = (asking.caller.key.tenant_id, &asking.caller.grant);
        let mut divisions = reader.divisions(tenant)?;
        divisions.retain(|row| grant.sees_division(row.id));
        let mut environments = reader.environments_of_tenant(tenant)?;
        environments.retain(|row| grant.sees_environment(row.division_id, row.id));
        let mut deployments = reader.deployments_of_tenant(tenant)?;
        deployments.retain(|row| grant.sees_environment(row.division_id, row.environment_id));
        Ok::<_, Problem>(Visible { divisions, environments, deployments })
    };
    api.store().read(question).await
}
