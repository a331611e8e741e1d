//! Whether the appliance lives, can work, and what it has counted.

use serde::Serialize;

use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::state::Api;
use crate::observability::METRICS_TYPE;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// The process answers.
///
/// # Errors
/// None.
pub async fn healthz(_: &Api, _: &Call) -> Result<Answer, Problem> {
    Ok(Answer::json(&Health { status: "ok" }))
}

/// The database answers.
///
/// # Errors
/// 503 when it does not.
pub async fn readyz(api: &Api, _: &Call) -> Result<Answer, Problem> {
    api.store().read(|reader| Ok::<_, Problem>(reader.appliance()?)).await?;
    Ok(Answer::json(&Health { status: "ready" }))
}

/// Everything that was counted.
///
/// # Errors
/// None.
pub async fn metrics(api: &Api, _: &Call) -> Result<Answer, Problem> {
    Ok(Answer::text(METRICS_TYPE, api.state.metrics.text()))
}
