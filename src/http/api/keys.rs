//! API keys of a tenant.

use serde::Serialize;

use super::permissions::Resolved;
use crate::domain::id::{DivisionId, KeyId, RoleId, UserId};
use crate::domain::time::Timestamp;
use crate::http::answer::Answer;
use crate::http::call::{Call, missing};
use crate::http::dispatch::Api;
use crate::http::page;
use crate::http::problem::{Code, Problem};
use crate::store::{KeyRow, Reader};

#[derive(Serialize)]
struct KeyItem {
    id: KeyId,
    user_id: UserId,
    role_id: RoleId,
    role_name: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    division_id: Option<DivisionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    division_name: Option<String>,
    validate_ip: bool,
    allowed_ips: Vec<String>,
    expiry_at: Timestamp,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct KeyDetail {
    #[serde(flatten)]
    item: KeyItem,
    permissions: Resolved,
}

impl From<KeyRow> for KeyItem {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            role_id: row.role_id,
            role_name: row.role_name,
            name: row.name,
            division_id: row.division_id,
            division_name: row.division_name,
            validate_ip: row.security.validate_ip,
            allowed_ips: row.security.allowed_ips,
            expiry_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

impl KeyDetail {
    fn of(reader: &Reader, row: KeyRow) -> Result<Self, Problem> {
        let permissions = Resolved::of(reader, row.tenant_id, &row.permissions)?;
        Ok(Self { item: row.into(), permissions })
    }
}

fn key(call: &Call) -> Result<KeyId, Problem> {
    call.id("api_key_id", Code::ApiKeyNotFound)
}

/// A page of the tenant's keys that the calling key sees: a key that is bound to a division sees those of its division.
///
/// # Errors
/// 400 for a bad page or filter.
pub async fn list(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let request = page::requested(&call.query)?;
    let name = call.query.one("name")?.filter(|name| !name.is_empty()).map(str::to_owned);
    let (tenant, reach, wanted) = (call.caller().key.tenant_id, call.caller().grant.reach, name.clone());
    let question = move |reader: &Reader| Ok::<_, Problem>(reader.keys(tenant, reach, wanted.as_deref(), request)?);
    let found = api.state.store.read(question).await?;
    let filters: Vec<(&str, &str)> = name.iter().map(|name| ("name", name.as_str())).collect();
    Ok(page::answer(request, found.map(KeyItem::from), &api.url(call), &filters))
}

/// One key with its permissions.
///
/// # Errors
/// 404.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (id, caller) = (key(call)?, call.caller().clone());
    let found = api.state.store.read(move |reader| {
        let row = reader.key(id)?.filter(|row| row.tenant_id == caller.key.tenant_id);
        let visible = row.filter(|row| {
            row.division_id.map_or(caller.key.division_id.is_none(), |division| caller.grant.reach.includes(division))
        });
        KeyDetail::of(reader, visible.ok_or_else(|| missing(Code::ApiKeyNotFound))?)
    });
    Ok(Answer::json(&found.await?))
}

/// The key that calls.
///
/// # Errors
/// The database's.
pub async fn context(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let row = call.caller().key.clone();
    Ok(Answer::json(&api.state.store.read(move |reader| KeyDetail::of(reader, row)).await?))
}
