//! Divisions of a tenant.

use serde::Serialize;

use super::places::Asking;
use crate::domain::id::DivisionId;
use crate::domain::time::Timestamp;
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::page;
use crate::http::problem::{Code, Problem};
use crate::http::state::Api;
use crate::store::{DivisionRow, Paged};

#[derive(Serialize)]
struct DivisionItem {
    id: DivisionId,
    name: String,
    /// Nothing protects it from the operator's own command line.
    protected: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct DivisionDetail {
    #[serde(flatten)]
    item: DivisionItem,
    description: String,
    email: String,
    /// There is nothing to pay here.
    has_payment_method: bool,
}

impl From<DivisionRow> for DivisionItem {
    fn from(row: DivisionRow) -> Self {
        let DivisionRow { id, name, created_at, updated_at, .. } = row;
        Self { id, name, protected: false, created_at, updated_at }
    }
}

/// A page of the divisions that the key sees.
///
/// # Errors
/// 400 for a bad page.
pub async fn list(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (request, asking) = (page::requested(&call.query)?, Asking::of(call));
    let found = api.store().read(move |reader| {
        let mut rows = reader.divisions(asking.caller.key.tenant_id)?;
        rows.retain(|row| asking.caller.grant.sees_division(row.id));
        Ok::<_, Problem>(Paged::of(rows, request))
    });
    Ok(page::answer(request, found.await?.map(DivisionItem::from), &api.url(&call.path), &[]))
}

/// One division.
///
/// # Errors
/// 404.
pub async fn get(api: &Api, call: &Call) -> Result<Answer, Problem> {
    let (id, asking) = (call.id("division_id", Code::DivisionNotFound)?, Asking::of(call));
    let row = api.store().read(move |reader| asking.division(reader, id)).await?;
    let (description, email) = (row.description.clone(), row.email.clone());
    Ok(Answer::json(&DivisionDetail { item: row.into(), description, email, has_payment_method: false }))
}
