//! Roles of a tenant.

use serde::Serialize;

use warp::http::HeaderValue;

use super::permissions::{Resolved, tree};
use crate::domain::id::RoleId;
use crate::domain::permission::RoleKind;
use crate::http::answer::Answer;
use crate::http::call::{Call, missing};
use crate::http::fields::{Fields, name};
use crate::http::page;
use crate::http::problem::{Code, Problem};
use crate::http::state::Api;
use crate::orchestrator::{RoleChange, change_role, create_role, remove_role};
use crate::store::RoleRow;

#[derive(Serialize)]
struct RoleItem {
    id: RoleId,
    name: String,
    kind: RoleKind,
}

#[derive(Serialize)]
struct RoleDetail {
    #[serde(flatten)]
    item: RoleItem,
    permissions: Resolved,
}

impl From<RoleRow> for RoleItem {
    fn from(row: RoleRow) -> Self {
        Self { id: row.id, name: row.name, kind: row.kind }
    }
}

fn role(call: &Call) -> Result<RoleId, Problem> {
    call.id("role_id", Code::RoleNotFound)
}

/// A page of the tenant's roles.
///
/// # Errors
/// 400 for a bad page.
pub async fn list(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (request, tenant) = (page::requested(&call.query)?, call.caller().key.tenant_id);
    let found = api.store().read(move |reader| Ok::<_, Problem>(reader.roles(tenant, request)?)).await?;
    Ok(page::answer(request, found.map(RoleItem::from), &api.url(&call.path), &[]))
}

/// One role with its permissions.
///
/// # Errors
/// 404.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (id, tenant, reach) = (role(call)?, call.caller().key.tenant_id, call.caller().grant.reach);
    let found = api.store().read(move |reader| {
        let row = reader.role(id)?.filter(|row| row.tenant_id == tenant).ok_or_else(|| missing(Code::RoleNotFound))?;
        let permissions = Resolved::of(reader, tenant, &row.permissions, reach)?;
        Ok::<_, Problem>(RoleDetail { item: row.into(), permissions })
    });
    Ok(Answer::json(&found.await?))
}

/// Makes a custom role: 201, its id in `ld-role`.
///
/// # Errors
/// 400 for a bad body, 403 when it would exceed the calling key, 409 when the name is used or there are too many.
pub async fn create(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let mut body = Fields::of(call.object()?);
    let (wanted, permissions) = (body.required("name", name), body.required("permissions", tree("permissions")));
    let (wanted, permissions) = body.finish(|| Some((wanted?, permissions?)))?;
    let (actor, tenant) = (call.actor(), call.caller().key.tenant_id);
    let shown = wanted.clone();
    let id = api.change(move |w, now| create_role(w, &actor, tenant, &wanted, permissions, now)).await?;
    let item = RoleItem { id, name: shown, kind: RoleKind::Custom };
    Ok(Answer::created(&item).with("ld-role", HeaderValue::from(id.get())))
}

/// Changes a custom role: its name, or its tree as a whole, or both.
///
/// # Errors
/// 400 for a bad body, 403 when it exceeds the calling key or is no custom role, 404, 409 when the name is used.
pub async fn update(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let id = role(call)?;
    let mut body = Fields::of(call.object()?);
    let (wanted, permissions) = (body.optional("name", name), body.optional("permissions", tree("permissions")));
    let change = body.finish(|| Some(RoleChange { name: wanted, permissions }))?;
    let (actor, tenant) = (call.actor(), call.caller().key.tenant_id);
    api.change(move |w, now| change_role(w, &actor, tenant, id, change, now)).await?;
    Ok(Answer::nothing())
}

/// Deletes a custom role that no key has.
///
/// # Errors
/// 403 when it exceeds the calling key or is no custom role, 404, 409 while keys have it.
pub async fn delete(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let id = role(call)?;
    let (actor, tenant) = (call.actor(), call.caller().key.tenant_id);
    api.change(move |w, now| remove_role(w, &actor, tenant, id, now)).await?;
    Ok(Answer::nothing())
}
