//! Environments of a division.

use serde::Serialize;

use super::places::{Asking, InEnvironmentPath};
use crate::domain::id::EnvironmentId;
use crate::domain::time::Timestamp;
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::page;
use crate::http::problem::{Code, Problem};
use crate::http::state::Api;
use crate::store::{EnvironmentRow, Paged};

#[derive(Serialize)]
struct EnvironmentItem {
    id: EnvironmentId,
    name: String,
    deployments_count: u32,
    /// Nothing protects it from the operator's own command line.
    protected: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct EnvironmentDetail {
    #[serde(flatten)]
    item: EnvironmentItem,
    description: String,
}

impl From<EnvironmentRow> for EnvironmentItem {
    fn from(row: EnvironmentRow) -> Self {
        let EnvironmentRow { id, name, deployments_count, created_at, updated_at, .. } = row;
        Self { id, name, deployments_count, protected: false, created_at, updated_at }
    }
}

/// A page of the environments of a division that the key sees.
///
/// # Errors
/// 400 for a bad page, 404 for a division that the key does not see.
pub async fn list(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (request, asking) = (page::requested(&call.query)?, Asking::of(call));
    let division = call.id("division_id", Code::DivisionNotFound)?;
    let found = api.store().read(move |reader| {
        asking.division(reader, division)?;
        let mut rows = reader.environments(division)?;
        rows.retain(|row| asking.caller.grant.sees_environment(row.division_id, row.id));
        Ok::<_, Problem>(Paged::of(rows, request))
    });
    Ok(page::answer(request, found.await?.map(EnvironmentItem::from), &api.url(&call.path), &[]))
}

/// One environment.
///
/// # Errors
/// 404.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (path, asking) = (InEnvironmentPath::of(call)?, Asking::of(call));
    let row = api.store().read(move |reader| asking.environment(reader, path)).await?;
    let description = row.description.clone();
    Ok(Answer::json(&EnvironmentDetail { item: row.into(), description }))
}
