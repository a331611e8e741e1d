//! From a matched path to an answer: method, caller, rate, body, idempotency, handler, problem.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Buf;
use futures_util::{FutureExt as _, Stream};
use tracing::Instrument as _;
use warp::http::{HeaderMap, Method};
use warp::reply::Response;

use super::answer::{Answer, Reply};
use super::auth::{self, Caller};
use super::body;
use super::call::{Access, Call, Handle, Matched, Params, Route};
use super::client::{self, Peer};
use super::idempotency::{self, Fingerprint, Verdict};
use super::problem::{Code, Problem};
use super::query::Query;
use super::request_id::RequestId;
use super::state::Api;
use crate::domain::id::{KeyId, TenantId};

/// A request before it is known whose it is.
#[derive(Debug)]
pub struct Arrived {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Its raw query.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Where its connection came from.
    pub peer: Peer,
    /// Its id.
    pub request: RequestId,
}

/// What the log and the metrics want to know of an answer; it travels in the response's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The pattern of the path.
    pub route: &'static str,
    /// The key, if one was accepted.
    pub key: Option<KeyId>,
}

/// Answers a request whose path was matched.
pub async fn answer<S, B>(api: Arc<Api>, matched: Matched, arrived: Arrived, body: S) -> Response
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let request = arrived.request;
    let mut told = Told { route: matched.rows[0].path, key: None };
    let answering = AssertUnwindSafe(try_answer(&api, matched, arrived, body, &mut told)).catch_unwind();
    let outcome = answering.await.unwrap_or_else(|_| Err(panicked()));
    let mut response = outcome.map_or_else(|problem| problem.response(request), Reply::response);
    response.extensions_mut().insert(told);
    response
}

/// What warp itself rejects: nothing that we know of, so it is our failure.
///
/// # Errors
/// None.
pub async fn rejected(rejection: warp::Rejection) -> Result<Response, Infallible> {
    tracing::error!(?rejection, "a request was rejected by a filter");
    Ok(panicked().response(RequestId::fresh()))
}

/// A handler panicked; the panic's own line is in the log.
fn panicked() -> Problem {
    Problem::new(
        Code::InternalError,
        "The server failed on this request; its log tells why, under the id that is in instance.",
    )
}

async fn try_answer<S, B>(
    api: &Arc<Api>,
    matched: Matched,
    arrived: Arrived,
    body: S,
    told: &mut Told,
) -> Result<Reply, Problem>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let Some(row) = row(&matched.rows, &arrived.method) else {
        return Err(Problem::method_not_allowed(&allowed(&matched.rows)));
    };
    let client = client::address(arrived.peer, &arrived.headers, &api.state.config.trusted_proxies);
    let caller = admit(api, row, &arrived, &matched.params, client).await?;
    told.key = caller.as_ref().map(Caller::id);
    let query = Query::parse(Some(&arrived.query))?;
    let body = match row.handle {
        Handle::Read(_) => Vec::new(),
        Handle::Write(_) => {
            body::read(&arrived.headers, body, api.state.config.limits.body_bytes, api.body_max).await?
        }
    };
    let Arrived { method, path, query: raw_query, headers, request, .. } = arrived;
    let params = matched.params;
    let call = Call { route: row, method, path, params, query, raw_query, headers, body, caller, client, request };
    match row.handle {
        Handle::Read(handler) => handler(Arc::clone(api), call).await,
        Handle::Write(_) => {
            // In a task of its own: a client that goes away takes its answer with it, not the work.
            let work = tokio::spawn(write(Arc::clone(api), call).in_current_span());
            work.await.unwrap_or_else(|_| Err(panicked())).map(Reply::Whole)
        }
    }
}

/// The row for a method; HEAD is answered by the row of GET.
fn row(rows: &[&'static Route], method: &Method) -> Option<&'static Route> {
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    rows.iter().copied().find(|row| row.method == *wanted)
}

/// The methods of a path, as `allow` lists them.
fn allowed(rows: &[&'static Route]) -> String {
    let methods = rows.iter().flat_map(|row| {
        let head = (row.method == Method::GET).then_some("HEAD");
        [Some(row.method.as_str()), head].into_iter().flatten()
    });
    methods.collect::<Vec<_>>().join(", ")
}

/// Lets a request in: its key, that the key is of the path's tenant, and a permission that holds in the whole tenant.
async fn admit(
    api: &Api,
    row: &Route,
    arrived: &Arrived,
    params: &Params,
    client: IpAddr,
) -> Result<Option<Caller>, Problem> {
    let keyless = match row.access {
        Access::Public | Access::Link => true,
        Access::LoopbackOrKey => client.is_loopback() && !client::was_forwarded(&arrived.headers),
        Access::Key | Access::Tenant(_) | Access::Visible | Access::Environment(_) => false,
    };
    if keyless {
        return Ok(None);
    }
    let caller = auth::caller(api, &arrived.headers, client).await?;
    let own = |text: &str| text.parse::<TenantId>().is_ok_and(|tenant| tenant == caller.key.tenant_id);
    if !params.text("tenant_id").is_none_or(own) {
        return Err(Problem::new(Code::Unauthorized, "This API key is of another tenant than the one in the path."));
    }
    if let Access::Tenant(permission) = row.access {
        caller.demand(permission)?;
    }
    Ok(Some(caller))
}

/// Runs a write to its end. Cancelling is of no use: the database's transaction runs on its own thread anyway, and here
/// the first answer is still kept.
async fn write(api: Arc<Api>, call: Call) -> Result<Answer, Problem> {
    let Handle::Write(handler) = call.route.handle else { return Err(panicked()) };
    let run = async |call| match handler(Arc::clone(&api), call).await? {
        Reply::Whole(answer) => Ok(answer),
        Reply::Stream(_) => Err(panicked()),
    };
    let honoured = matches!(call.method, Method::POST | Method::PUT | Method::PATCH);
    let Some(key) = (if honoured { idempotency::key(&call.headers)? } else { None }) else { return run(call).await };
    let fingerprint = Fingerprint::of(call.method.as_str(), &call.path, &call.raw_query, &call.body);
    let name = (call.caller().id(), key);
    match api.ledger.begin(api.store(), name, fingerprint, api.now()).await? {
        Verdict::Replay(answer) => Ok(answer),
        Verdict::Run(running) => {
            let outcome = AssertUnwindSafe(run(call)).catch_unwind().await.unwrap_or_else(|_| Err(panicked()));
            running.finish(api.store(), &outcome, api.now()).await;
            outcome
        }
    }
}
