//! What stands around every request: its id, its line in the log, its place in the metrics.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use tracing::Instrument as _;
use warp::http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use warp::http::uri::Authority;
use warp::http::{HeaderValue, Method, StatusCode, Version};

use super::client::{self, Peer};
use super::dispatch::Told;
use super::problem::{Code, Problem};
use super::request_id::{LD_REQUEST, RequestId};
use super::routes;
use super::state::Api;

/// The route that log and metrics show for a path that is none of ours.
const NO_ROUTE: &str = "none";

/// A body on its way to the connection.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

type Routing = Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, warp::reply::Response> + Send + Sync>;

/// The API as a service of one request after the other.
#[derive(Clone)]
pub struct Surrounded {
    api: Arc<Api>,
    routing: Routing,
}

impl std::fmt::Debug for Surrounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surrounded").finish_non_exhaustive()
    }
}

impl Surrounded {
    /// The whole API over this state.
    #[must_use]
    pub fn new(api: Arc<Api>) -> Self {
        let warp = TowerToHyperService::new(warp::service(routes::filter(&api)));
        let routing: Routing = Arc::new(move |request| {
            let answering = warp.call(request);
            Box::pin(async move { answering.await.unwrap_or_else(|never| match never {}) })
        });
        Self { api, routing }
    }
}

impl Service<Request<Incoming>> for Surrounded {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let (start, id, method) = (Instant::now(), RequestId::fresh(), request.method().clone());
            let trusted = &this.api.state.config.trusted_proxies;
            let peer = request.extensions().get::<Peer>().copied();
            let client = peer.map(|peer| client::address(peer, request.headers(), trusted));
            request.extensions_mut().insert(id);
            let addressed = addressed(&request);
            let closing = closing(&request) || addressed.is_err();
            let mut response = match addressed {
                // Whatever is logged on the way carries the id that the client is told.
                Ok(()) => (this.routing)(request).instrument(tracing::info_span!("request", id = %id)).await,
                Err(problem) => problem.response(id),
            };
            response.headers_mut().insert(LD_REQUEST, id.header());
            if closing {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            let told = response.extensions_mut().remove::<Told>();
            let (route, key) = told.map_or((NO_ROUTE, None), |told| (told.route, told.key));
            let (status, time) = (response.status().as_u16(), start.elapsed());
            this.api.state.metrics.answered(method.as_str(), route, status, time);
            // The pattern, never the path or the query: those hold signatures.
            tracing::info!(
                request = %id,
                method = %shown(&method),
                route,
                status,
                duration_ms = milliseconds(time),
                key = key.map(crate::domain::id::KeyId::get),
                client = client.map(tracing::field::display),
                "answered"
            );
            Ok(sent(&method, response))
        })
    }
}

/// Whole microseconds: a line shows no digits that mean nothing.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A request of HTTP/1.1 says once which host it is for (RFC 9112, section 3.2). We serve one host, but a proxy before us
/// may not, and it must not be led to take a request for another than we do.
fn addressed<B>(request: &Request<B>) -> Result<(), Problem> {
    let hosts: Vec<_> = request.headers().get_all(HOST).iter().collect();
    let readable = |host: &HeaderValue| {
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        host.is_empty() || authority.is_some_and(|authority| !authority.as_str().contains('@'))
    };
    let good = match (hosts.as_slice(), request.version()) {
        ([], Version::HTTP_11) => false,
        ([], _) => true,
        ([host], _) => readable(host),
        _ => false,
    };
    let reason = "The request has no host header, several, or one that names no host; send exactly one.";
    if good { Ok(()) } else { Err(Problem::new(Code::MalformedRequest, reason)) }
}

/// Whether the connection ends with the answer. A request in chunks may have stated a length besides, which hyper takes
/// away: after one of those RFC 9112, section 6.1, demands it, since a proxy may have seen another end of the request.
fn closing<B>(request: &Request<B>) -> bool {
    request.version() <= Version::HTTP_11 && request.headers().contains_key(TRANSFER_ENCODING)
}

/// A method is any word of the client's; only those that exist are written down.
fn shown(method: &Method) -> &str {
    const KNOWN: [Method; 8] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ];
    if KNOWN.contains(method) { method.as_str() } else { "other" }
}

/// The answer to a HEAD has the headers of a GET and no body.
fn sent(method: &Method, response: warp::reply::Response) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    if method != Method::HEAD {
        return Response::from_parts(head, body.map_err(Into::into).boxed_unsync());
    }
    // A 204 has none, and that of a 304 would be about the whole that it does not send.
    let stated = head.headers.contains_key(CONTENT_LENGTH)
        || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let (Some(length), false) = (body.size_hint().exact(), stated) {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(head, Empty::new().map_err(|never| match never {}).boxed_unsync())
}
