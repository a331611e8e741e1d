//! What the API works with, and what it remembers between requests.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::idempotency::Ledger;
use super::limiter::Limiter;
use crate::archive::{Archives, Links};
use crate::config::Config;
use crate::domain::id::KeyId;
use crate::domain::time::Timestamp;
use crate::observability::Metrics;
use crate::orchestrator::{ChangeError, Orchestrator};
use crate::store::{Store, Writer};

/// What the API works with; made by the composition root.
#[derive(Debug)]
pub struct AppState {
    /// The effective configuration.
    pub config: Arc<Config>,
    /// What clients reach the appliance by, without a closing slash: `public_url`, or the address that it listens on.
    pub public_url: String,
    /// All metadata, and every change of it.
    pub orchestrator: Orchestrator,
    /// Finished archives.
    pub archives: Archives,
    /// Signed links.
    pub links: Links,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
}

/// The state of the API: what it was given, and what it remembers between requests.
#[derive(Debug)]
pub struct Api {
    /// What it was given.
    pub state: AppState,
    /// Requests a minute of each key.
    pub key_rates: Limiter<KeyId>,
    /// Failed logins a minute of each address.
    pub failed_logins: Limiter<IpAddr>,
    /// First answers by idempotency key.
    pub ledger: Ledger,
    /// Archives that may be sent at a time.
    pub downloads: Arc<Semaphore>,
    /// How long a body may take to arrive.
    pub body_max: Duration,
}

/// Archives sent at a time, at most, and never more than there may be connections: each is an open file and a chunk in
/// memory for as long as its client takes, and on HTTP/2 one connection may ask for many.
const DOWNLOADS_MAX: u32 = 1024;

impl Api {
    /// The API over this state, with nothing remembered; a request's body may take `body_max` to arrive.
    #[must_use]
    pub fn new(state: AppState, body_max: Duration) -> Self {
        let limits = &state.config.limits;
        Self {
            key_rates: Limiter::new(limits.requests_per_minute),
            failed_logins: Limiter::new(limits.failed_logins_per_minute),
            ledger: Ledger::default(),
            downloads: Arc::new(Semaphore::new(limits.connections.min(DOWNLOADS_MAX) as usize)),
            body_max,
            state,
        }
    }

    /// The address of a path, as clients reach it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.state.public_url)
    }

    /// All metadata, for reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.state.orchestrator.store()
    }

    /// Runs a change of state as one transaction.
    ///
    /// # Errors
    /// Why it was refused; nothing has changed then.
    pub async fn change<T, F>(&self, change: F) -> Result<T, ChangeError>
    where
        T: Send + 'static,
        F: FnOnce(&Writer, Timestamp) -> Result<T, ChangeError> + Send + 'static,
    {
        self.state.orchestrator.change(change).await
    }

    /// The system clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state.orchestrator.now()
    }

    /// The time by which snapshots expire.
    #[must_use]
    pub fn retention_now(&self) -> Timestamp {
        self.state.orchestrator.retention_now()
    }
}
