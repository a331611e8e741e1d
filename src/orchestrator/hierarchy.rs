//! Tenants, divisions, environments, deployments and nodes: made, changed, removed.

use super::actor::Actor;
use super::error::{ChangeError, Listed, Noun};
use super::names;
use crate::config::Config;
use crate::domain::deployment::NodeKind;
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, NodeId, SnapshotId, TenantId};
use crate::domain::permission::{Permissions, RoleKind};
use crate::domain::plan::{
    self, DEPLOYMENTS_PER_ENVIRONMENT_MAX, DIVISIONS_MAX, ENVIRONMENTS_PER_DIVISION_MAX, NODES_PER_DEPLOYMENT_MAX,
};
use crate::domain::time::Timestamp;
use crate::store::{AuditEntry, DeploymentRow, NewDeployment, PageRequest, Reader, Scope, StoreError, Writer};

/// The name of the role that may do everything.
pub const ADMINISTRATOR: &str = "administrator";

/// Whether what is below may go with what is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// Somebody said so.
    Given,
    /// Nobody did.
    Missing,
}

/// Makes a tenant on the default plan, with the role that may do everything.
///
/// # Errors
/// Its name is used or no name.
pub fn create_tenant(w: &Writer, actor: &Actor, name: &str, now: Timestamp) -> Result<TenantId, ChangeError> {
    names::check(Noun::Tenant, name)?;
    let id = w.insert_tenant(name, plan::DEFAULT, now).map_err(ChangeError::name_used(Noun::Tenant, name))?;
    w.insert_role(id, ADMINISTRATOR, RoleKind::System, &Permissions::all(), now)?;
    record(w, actor.entry("tenant.create", id, now), id.get(), name)?;
    Ok(id)
}

/// Puts a tenant on a plan of this name. Snapshots that exist keep their expiry.
///
/// # Errors
/// There is no such tenant, or no such plan in the configuration.
pub fn set_plan(
    w: &Writer,
    actor: &Actor,
    config: &Config,
    tenant: TenantId,
    plan: &str,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let found = w.tenant(tenant)?.ok_or(ChangeError::NotFound(Noun::Tenant))?;
    if config.plan(plan).is_none() {
        let known = config.all_plans().into_iter().map(|plan| plan.name).collect::<Vec<_>>().join(", ");
        return Err(ChangeError::UnknownPlan { name: plan.to_owned(), known });
    }
    w.set_plan(tenant, plan, now)?;
    let entry =
        AuditEntry { detail: format!("{} to {plan}", found.plan), ..actor.entry("tenant.set_plan", tenant, now) };
    record(w, entry, tenant.get(), &found.name)
}

/// Makes a division.
///
/// # Errors
/// No such tenant; its name is used or no name; too many.
pub fn create_division(
    w: &Writer,
    actor: &Actor,
    tenant: TenantId,
    name: &str,
    now: Timestamp,
) -> Result<DivisionId, ChangeError> {
    names::check(Noun::Division, name)?;
    w.tenant(tenant)?.ok_or(ChangeError::NotFound(Noun::Tenant))?;
    limit(Noun::Division, w.divisions(tenant)?.len() as u64, DIVISIONS_MAX)?;
    let id = w.insert_division(tenant, name, now).map_err(ChangeError::name_used(Noun::Division, name))?;
    record(w, actor.entry("division.create", tenant, now), id.get(), name)?;
    Ok(id)
}

/// Makes an environment.
///
/// # Errors
/// No such division; its name is used or no name; too many.
pub fn create_environment(
    w: &Writer,
    actor: &Actor,
    division: DivisionId,
    name: &str,
    now: Timestamp,
) -> Result<EnvironmentId, ChangeError> {
    names::check(Noun::Environment, name)?;
    let tenant = w.division(division)?.ok_or(ChangeError::NotFound(Noun::Division))?.tenant_id;
    limit(Noun::Environment, w.environments(division)?.len() as u64, ENVIRONMENTS_PER_DIVISION_MAX)?;
    let id = w.insert_environment(division, name, now).map_err(ChangeError::name_used(Noun::Environment, name))?;
    record(w, actor.entry("environment.create", tenant, now), id.get(), name)?;
    Ok(id)
}

/// Makes a deployment, without nodes.
///
/// # Errors
/// No such environment; its name is used or no name; too many.
pub fn create_deployment(
    w: &Writer,
    actor: &Actor,
    environment: EnvironmentId,
    new: &NewDeployment,
    now: Timestamp,
) -> Result<DeploymentId, ChangeError> {
    names::check(Noun::Deployment, &new.name)?;
    let tenant = w.environment(environment)?.ok_or(ChangeError::NotFound(Noun::Environment))?.tenant_id;
    let there = w.deployments(environment, PageRequest::default())?.total;
    limit(Noun::Deployment, there, DEPLOYMENTS_PER_ENVIRONMENT_MAX)?;
    let id = w.insert_deployment(environment, new, now).map_err(ChangeError::name_used(Noun::Deployment, &new.name))?;
    record(w, actor.entry("deployment.create", tenant, now), id.get(), &new.name)?;
    Ok(id)
}

/// Writes a deployment's settings anew; its place and code stay.
///
/// # Errors
/// No such deployment; its name is used or no name.
pub fn change_deployment(w: &Writer, actor: &Actor, new: &DeploymentRow, now: Timestamp) -> Result<(), ChangeError> {
    names::check(Noun::Deployment, &new.name)?;
    let tenant = w.place(new.id)?.ok_or(ChangeError::NotFound(Noun::Deployment))?.tenant_id;
    w.update_deployment(new, now).map_err(ChangeError::name_used(Noun::Deployment, &new.name))?;
    record(w, actor.entry("deployment.change", tenant, now), new.id.get(), &new.name)
}

/// Makes a node.
///
/// # Errors
/// No such deployment; its name is used or no name; too many; this host is a node of it already.
pub fn create_node(
    w: &Writer,
    actor: &Actor,
    deployment: DeploymentId,
    name: &str,
    kind: NodeKind,
    now: Timestamp,
) -> Result<NodeId, ChangeError> {
    names::check_node(name)?;
    let tenant = w.place(deployment)?.ok_or(ChangeError::NotFound(Noun::Deployment))?.tenant_id;
    let there = w.nodes(deployment)?;
    limit(Noun::Node, there.len() as u64, NODES_PER_DEPLOYMENT_MAX)?;
    if kind == NodeKind::Local && there.iter().any(|node| node.kind == NodeKind::Local) {
        return Err(ChangeError::LocalNodeUsed);
    }
    let id = w.insert_node(deployment, name, kind, now).map_err(ChangeError::name_used(Noun::Node, name))?;
    record(w, actor.entry("node.create", tenant, now), id.get(), name)?;
    Ok(id)
}

/// Removes a place of the hierarchy and, once that is confirmed, all that is below it. Gives the rows of snapshots that
/// went: who calls deletes their archives after the commit; a crash in between leaves files that the next start of the
/// server removes.
///
/// # Errors
/// It is not there, or something is below it and nobody has confirmed.
pub fn remove(
    w: &Writer,
    actor: &Actor,
    scope: Scope,
    confirmation: Confirmation,
    now: Timestamp,
) -> Result<Vec<SnapshotId>, ChangeError> {
    let target = target(w, scope)?;
    let mut contents = w.contents(scope)?;
    if let Scope::Tenant(_) = scope {
        // The role that came with the tenant is nothing that anybody made.
        contents.roles = contents.roles.saturating_sub(1);
    }
    if confirmation == Confirmation::Missing && !contents.is_empty() {
        return Err(ChangeError::NeedsConfirmation(Listed(contents)));
    }
    let rows = w.delete_scope(scope)?;
    let detail = if contents.is_empty() { String::new() } else { format!("with {}", Listed(contents)) };
    let entry = AuditEntry { detail, ..actor.entry(target.action, target.tenant, now) };
    record(w, entry, target.id, &target.name)?;
    Ok(rows)
}

struct Target {
    action: &'static str,
    tenant: TenantId,
    id: i64,
    name: String,
}

fn target(r: &Reader, scope: Scope) -> Result<Target, ChangeError> {
    Ok(match scope {
        Scope::Tenant(id) => {
            let found = r.tenant(id)?.ok_or(ChangeError::NotFound(Noun::Tenant))?;
            Target { action: "tenant.remove", tenant: id, id: id.get(), name: found.name }
        }
        Scope::Division(id) => {
            let found = r.division(id)?.ok_or(ChangeError::NotFound(Noun::Division))?;
            Target { action: "division.remove", tenant: found.tenant_id, id: id.get(), name: found.name }
        }
        Scope::Environment(id) => {
            let found = r.environment(id)?.ok_or(ChangeError::NotFound(Noun::Environment))?;
            Target { action: "environment.remove", tenant: found.tenant_id, id: id.get(), name: found.name }
        }
        Scope::Deployment(id) => {
            let found = r.place(id)?.ok_or(ChangeError::NotFound(Noun::Deployment))?;
            Target { action: "deployment.remove", tenant: found.tenant_id, id: id.get(), name: found.deployment_name }
        }
        Scope::Node(id) => {
            let found = r.node(id)?.ok_or(ChangeError::NotFound(Noun::Node))?;
            let place = r.place(found.deployment_id)?.ok_or(ChangeError::NotFound(Noun::Deployment))?;
            Target { action: "node.remove", tenant: place.tenant_id, id: id.get(), name: found.name }
        }
    })
}

pub(super) fn limit(noun: Noun, there: u64, limit: u32) -> Result<(), ChangeError> {
    if there < u64::from(limit) { Ok(()) } else { Err(ChangeError::LimitReached { noun, limit }) }
}

pub(super) fn record(w: &Writer, entry: AuditEntry, id: i64, name: &str) -> Result<(), ChangeError> {
    let entry = AuditEntry { target_id: Some(id), target_name: name.to_owned(), ..entry };
    w.record(&entry).map_err(|error: StoreError| error.into())
}
