//! The accept loop: a permit for each connection, and an orderly end.
//!
//! Refuses to hold more connections than its limit: the next ones wait in the kernel's queue. On stopping it accepts no
//! more, finishes what is under way for a while, and then closes what is left.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::connection::{self, Patience};
use crate::observability::Metrics;

/// Wait after an accept that failed: out of file descriptors, for one, passes only when a connection ends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the accept loop needs besides a service.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Connections at a time.
    pub connections_max: usize,
    /// How long a client may keep a connection waiting.
    pub patience: Patience,
    /// Where connections are counted.
    pub metrics: Arc<Metrics>,
}

/// Serves until `shutdown` is ready, then ends in an orderly way within [`Patience::farewell`]. Dropping the future
/// closes every connection at once.
pub async fn run<S, B>(listener: TcpListener, service: S, serving: Serving, shutdown: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let permits = Arc::new(Semaphore::new(serving.connections_max.min(Semaphore::MAX_PERMITS)));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("this semaphore is never closed");
            (permit, listener.accept().await)
        };
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            (permit, accepted) = next => match accepted {
                Ok((stream, peer)) => {
                    let (service, stopping) = (service.clone(), stopping.clone());
                    let open = serving.metrics.connection_opened();
                    connections.spawn(async move {
                        connection::serve(stream, peer, service, serving.patience, stopping).await;
                        drop((open, permit));
                    });
                }
                Err(error) => {
                    tracing::warn!(error = %error, "no connection could be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    stop.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(serving.patience.farewell, ended).await.is_err() {
        tracing::warn!("connections that did not end in time are closed");
    }
}
