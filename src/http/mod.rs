//! The HTTP side: connections, requests, answers.
//!
//! A connection ([`server`], [`connection`]) carries requests; around each stands [`service`] (its id, its log line, its
//! metrics); [`routes`] is the one table of all paths; [`dispatch`] takes a matched request through caller, rate, body and
//! idempotency to its handler in [`api`]. Every answer is JSON, an archive, or a [`problem::Problem`].
//!
//! Invariants: no answer without an `ld-request` header; no secret and no signed URL in a log line; no thread and no
//! database connection held while a client reads or writes slowly; a limit with a name on all that a client may send.

pub mod answer;
pub mod api;
pub mod auth;
pub mod body;
pub mod call;
pub mod client;
pub mod conditions;
pub mod connection;
pub mod dispatch;
mod failure;
pub mod fields;
pub mod file_stream;
pub mod idempotency;
pub mod limiter;
pub mod page;
pub mod problem;
pub mod query;
pub mod range;
pub mod request_id;
pub mod routes;
pub mod server;
pub mod service;
pub mod state;

use std::sync::Arc;

use tokio::net::TcpListener;

pub use state::AppState;

/// Serves the API until `shutdown` is ready, then finishes what is under way for a while and returns.
pub async fn serve(state: AppState, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    serve_with(state, listener, connection::Patience::default(), shutdown).await;
}

/// [`serve`] with other limits on what a client may keep waiting.
pub async fn serve_with(
    state: AppState,
    listener: TcpListener,
    patience: connection::Patience,
    shutdown: impl Future<Output = ()>,
) {
    let connections_max = usize::try_from(state.config.limits.connections).unwrap_or(usize::MAX);
    let serving = server::Serving { connections_max, patience, metrics: Arc::clone(&state.metrics) };
    let service = service::Surrounded::new(Arc::new(state::Api::new(state, patience.body)));
    server::run(listener, service, serving, shutdown).await;
}
