//! Roles: made, changed and removed by nobody beyond their own permissions.

use super::actor::{Actor, Authority};
use super::error::{ChangeError, Noun};
use super::hierarchy::{limit, record};
use super::names;
use crate::domain::id::{DivisionId, RoleId, TenantId};
use crate::domain::permission::{Permissions, RoleKind};
use crate::domain::plan::ROLES_MAX;
use crate::domain::time::Timestamp;
use crate::store::{Reader, RoleRow, Writer};

/// What a role is to become; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// Its name.
    pub name: Option<String>,
    /// Its tree, whole.
    pub permissions: Option<Permissions>,
}

/// Makes a custom role. `X:manage` brings `X:read`.
///
/// # Errors
/// Its name is used or no name; too many roles; the tree is too large, goes beyond the actor's own, or speaks of what is
/// not there.
pub fn create_role(
    w: &Writer,
    actor: &Actor,
    tenant: TenantId,
    name: &str,
    permissions: Permissions,
    now: Timestamp,
) -> Result<RoleId, ChangeError> {
    names::check(Noun::Role, name)?;
    let permissions = accepted(w, actor, tenant, permissions)?;
    limit(Noun::Role, w.roles_total(tenant)?, ROLES_MAX)?;
    let id = w
        .insert_role(tenant, name, RoleKind::Custom, &permissions, now)
        .map_err(ChangeError::name_used(Noun::Role, name))?;
    record(w, actor.entry("role.create", tenant, now), id.get(), name)?;
    Ok(id)
}

/// Changes a custom role, and thereby every key that has it.
///
/// # Errors
/// No such role in the tenant; it is not custom; it goes, or would go, beyond the actor's own permissions; those of
/// [`create_role`].
pub fn change_role(
    w: &Writer,
    actor: &Actor,
    tenant: TenantId,
    id: RoleId,
    change: RoleChange,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let role = custom(w, tenant, id)?;
    if actor.is_exceeded_by_role(&role.permissions) {
        return Err(ChangeError::Exceeds);
    }
    let name = change.name.unwrap_or(role.name);
    names::check(Noun::Role, &name)?;
    let permissions = match change.permissions {
        Some(tree) => accepted(w, actor, tenant, tree)?,
        None => role.permissions,
    };
    w.update_role(id, &name, &permissions, now).map_err(ChangeError::name_used(Noun::Role, &name))?;
    record(w, actor.entry("role.change", tenant, now), id.get(), &name)
}

/// Removes a custom role that no key has.
///
/// # Errors
/// No such role in the tenant; it is not custom; keys have it; it goes beyond the actor's own permissions.
pub fn remove_role(w: &Writer, actor: &Actor, tenant: TenantId, id: RoleId, now: Timestamp) -> Result<(), ChangeError> {
    let role = custom(w, tenant, id)?;
    if actor.is_exceeded_by_role(&role.permissions) {
        return Err(ChangeError::Exceeds);
    }
    match w.keys_with_role(id)? {
        0 => w.delete_role(id)?,
        keys => return Err(ChangeError::RoleInUse { keys }),
    }
    record(w, actor.entry("role.remove", tenant, now), id.get(), &role.name)
}

fn custom(r: &Reader, tenant: TenantId, id: RoleId) -> Result<RoleRow, ChangeError> {
    let role = r.role(id)?.filter(|role| role.tenant_id == tenant).ok_or(ChangeError::NotFound(Noun::Role))?;
    if role.kind == RoleKind::Custom { Ok(role) } else { Err(ChangeError::RoleNotCustom) }
}

/// The tree, expanded, if the actor may hand it on. Whether it goes too far is looked at before whether what it speaks
/// of is there, so that the answer reveals nothing.
pub(super) fn accepted(
    r: &Reader,
    actor: &Actor,
    tenant: TenantId,
    tree: Permissions,
) -> Result<Permissions, ChangeError> {
    let tree = tree.expanded().map_err(ChangeError::Tree)?;
    if actor.is_exceeded_by_role(&tree) {
        return Err(ChangeError::Exceeds);
    }
    speaks_of_what_is_there(r, actor, tenant, &tree)?;
    Ok(tree)
}

pub(super) fn speaks_of_what_is_there(
    r: &Reader,
    actor: &Actor,
    tenant: TenantId,
    tree: &Permissions,
) -> Result<(), ChangeError> {
    for (division, entry) in &tree.divisions {
        division_there(r, actor, tenant, *division)?;
        for environment in entry.environments.keys() {
            let there = r.environment(*environment)?.filter(|found| found.division_id == *division);
            let seen = there.filter(|_| match &actor.authority {
                Authority::Operator => true,
                Authority::Key(own) => own.sees_environment(*division, *environment) || own.sees_division(*division),
            });
            if seen.is_none() {
                return Err(ChangeError::UnknownEnvironment { division: *division, environment: *environment });
            }
        }
    }
    Ok(())
}

/// The division is the tenant's, and the actor may know.
pub(super) fn division_there(r: &Reader, actor: &Actor, tenant: TenantId, id: DivisionId) -> Result<(), ChangeError> {
    let there = r.division(id)?.filter(|division| division.tenant_id == tenant);
    let seen = there.filter(|_| match &actor.authority {
        Authority::Operator => true,
        Authority::Key(own) => own.sees_division(id),
    });
    seen.map(|_| ()).ok_or(ChangeError::UnknownDivision(id))
}
