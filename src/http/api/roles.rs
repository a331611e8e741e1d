//! Roles of a tenant.

use serde::Serialize;

use super::permissions::Resolved;
use crate::domain::id::RoleId;
use crate::domain::permission::RoleKind;
use crate::http::answer::Answer;
use crate::http::call::{Call, missing};
use crate::http::dispatch::Api;
use crate::http::page;
use crate::http::problem::{Code, Problem};
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
    let found = api.state.store.read(move |reader| Ok::<_, Problem>(reader.roles(tenant, request)?)).await?;
    Ok(page::answer(request, found.map(RoleItem::from), &api.url(call), &[]))
}

/// One role with its permissions.
///
/// # Errors
/// 404.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (id, tenant) = (role(call)?, call.caller().key.tenant_id);
    let found = api.state.store.read(move |reader| {
        let row = reader.role(id)?.filter(|row| row.tenant_id == tenant).ok_or_else(|| missing(Code::RoleNotFound))?;
        let permissions = Resolved::of(reader, tenant, &row.permissions)?;
        Ok::<_, Problem>(RoleDetail { item: row.into(), permissions })
    });
    Ok(Answer::json(&found.await?))
}
