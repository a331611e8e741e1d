//! API keys of a tenant.

use serde::Serialize;

use warp::http::HeaderValue;

use super::permissions::{Resolved, tree};
use crate::domain::id::{DivisionId, KeyId, RoleId, UserId};
use crate::domain::permission::Reach;
use crate::domain::plan::ALLOWED_IPS_MAX;
use crate::domain::time::Timestamp;
use crate::http::answer::Answer;
use crate::http::call::{Call, missing};
use crate::http::fields::{self, Fields, Wrong};
use crate::http::page;
use crate::http::problem::{Code, Issue, Problem};
use crate::http::state::Api;
use crate::orchestrator::{
    ChangeError, KeyRequest, KeyRole, SecurityChange, change_security, create_key, revoke_key, sees_key,
};
use crate::store::{KeyRow, Reader, Security};

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

/// A new key: the only answer that ever holds its token.
#[derive(Serialize)]
struct Created<'a> {
    id: KeyId,
    token: &'a str,
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
    fn of(reader: &Reader, row: KeyRow, reach: Reach) -> Result<Self, Problem> {
        let permissions = Resolved::of(reader, row.tenant_id, &row.permissions, reach)?;
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
    let found = api.store().read(question).await?;
    let filters: Vec<(&str, &str)> = name.iter().map(|name| ("name", name.as_str())).collect();
    Ok(page::answer(request, found.map(KeyItem::from), &api.url(&call.path), &filters))
}

/// One key with its permissions.
///
/// # Errors
/// 404.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (id, caller) = (key(call)?, call.caller().clone());
    let found = api.store().read(move |reader| {
        let row = reader.key(id)?.filter(|row| row.tenant_id == caller.key.tenant_id);
        let visible = row.filter(|row| sees_key(&caller.grant, row));
        KeyDetail::of(reader, visible.ok_or_else(|| missing(Code::ApiKeyNotFound))?, caller.grant.reach)
    });
    Ok(Answer::json(&found.await?))
}

/// The key that calls.
///
/// # Errors
/// The database's.
pub async fn context(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (row, reach) = (call.caller().key.clone(), call.caller().grant.reach);
    Ok(Answer::json(&api.store().read(move |reader| KeyDetail::of(reader, row, reach)).await?))
}

/// Makes a key: 201 with its token, which is shown this once.
///
/// # Errors
/// 400 for a bad body, 403 when it would exceed the calling key, 409 when the name is used or there are too many.
pub async fn create(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let request = requested(Fields::of(call.object()?))?;
    let (actor, tenant) = (call.actor(), call.caller().key.tenant_id);
    let bound = request.division_id;
    let created = api.change(move |w, now| create_key(w, &actor, tenant, request, now)).await;
    let (id, token) = created.map_err(|error| match error {
        ChangeError::UnknownDivision(id) if bound == Some(id) => {
            let reason = format!("There is no division {id}, or this API key may not see it.");
            Problem::invalid(vec![Issue::new("invalid_value", "division_id", reason)])
        }
        other => other.into(),
    })?;
    let answer = Answer::created(&Created { id, token: token.expose() }).secret();
    Ok(answer.with("ld-api-key-id", HeaderValue::from(id.get())))
}

fn requested(mut body: Fields) -> Result<KeyRequest, Problem> {
    let name = body.required("name", fields::name);
    let expires_at = body.required("expiry_at", fields::time);
    let validate_ip = body.optional("validate_ip", fields::boolean).unwrap_or(false);
    let allowed_ips = body.optional("allowed_ips", addresses).unwrap_or_default();
    let division_id = body.optional("division_id", fields::id);
    let (has_role, has_tree) = (body.has("role_id"), body.has("permissions"));
    let role = body.optional("role_id", fields::id).map(KeyRole::Role);
    let inline = body.optional("permissions", tree("permissions")).map(KeyRole::Inline);
    if has_role == has_tree {
        let reason = "Give either role_id or permissions, and not both.";
        body.refuse(Issue::new(if has_role { "invalid_value" } else { "required" }, "role_id", reason));
    }
    let security = Security { validate_ip, allowed_ips };
    body.finish(|| {
        Some(KeyRequest { name: name?, expires_at: expires_at?, security, division_id, role: role.or(inline)? })
    })
}

/// A list of texts; whether each is an address is told by the change itself.
fn addresses(value: &serde_json::Value) -> Result<Vec<String>, Wrong> {
    fields::list("allowed_ips", usize::try_from(ALLOWED_IPS_MAX).unwrap_or(usize::MAX), fields::text)(value)
}

/// Changes the addresses that a key may be used from; a field that is absent stays as it is.
///
/// # Errors
/// 400 for a bad body or an empty list that counts, 403 when the key exceeds the calling one, 404.
pub async fn update_security(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let id = key(call)?;
    let mut body = Fields::of(call.object()?);
    let validate_ip = body.optional("validate_ip", fields::boolean);
    let allowed_ips = body.optional("allowed_ips", addresses);
    let change = body.finish(|| Some(SecurityChange { validate_ip, allowed_ips }))?;
    let (actor, tenant) = (call.actor(), call.caller().key.tenant_id);
    api.change(move |w, now| change_security(w, &actor, tenant, id, change, now)).await?;
    Ok(Answer::nothing())
}

/// Revokes a key: its next request is a 401.
///
/// # Errors
/// 404.
pub async fn delete(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let id = key(call)?;
    let (actor, tenant) = (call.actor(), call.caller().key.tenant_id);
    api.change(move |w, now| revoke_key(w, &actor, tenant, id, now)).await?;
    Ok(Answer::nothing())
}
