//! One connection: HTTP/1.1 or HTTP/2 over a socket, with a limit on everything that a client may keep waiting.
//!
//! A connection ends when its client sends nothing at first, drips its headers, asks nothing for a while, or stops
//! reading an answer. Dropping the future closes the socket at once.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::body::READ_MAX;
use super::client::Peer;

/// How long a client may keep a connection waiting.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the first byte after connecting.
    pub first_byte: Duration,
    /// For a whole head of a request; on HTTP/1.1 also between two requests.
    pub head: Duration,
    /// For a whole body of a request.
    pub body: Duration,
    /// For a next request.
    pub idle: Duration,
    /// For an answer's next chunk to be taken.
    pub stall: Duration,
    /// For what is under way when the server stops.
    pub farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: READ_MAX,
            idle: Duration::from_secs(75),
            // With at most 128 KiB unsent in the kernel, a client of 500 bytes a second is still served.
            stall: Duration::from_mins(5),
            farewell: Duration::from_secs(30),
        }
    }
}

/// Headers of one request.
const HEADERS_MAX: usize = 100;
/// Bytes of one request's head on HTTP/1.1, and of answers gathered before the socket is waited for: hyper has one
/// limit for both.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Requests at a time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// Bytes of answers that HTTP/2 gathers for one stream.
const STREAM_BUFFER_BYTES_MAX: usize = 128 * 1024;
/// Bytes that the kernel holds unsent before it stops asking for more: what was sent and not acknowledged comes on top,
/// so this costs no throughput, and progress can be seen on slow lines.
const UNSENT_BYTES_MAX: u32 = 128 * 1024;
/// How often a silent HTTP/2 peer is asked whether it is still there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_MAX: Duration = Duration::from_secs(20);

/// Serves one connection until it ends or `stopping` says so; a request that is under way then is finished.
pub async fn serve<S, B>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    patience: Patience,
    mut stopping: watch::Receiver<bool>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let socket = socket2::SockRef::from(&stream);
    // Both only make a good connection better.
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
    // A look at the byte itself: a socket may be called readable when it is not.
    let mut first = [0];
    let spoke = tokio::select! {
        spoke = tokio::time::timeout(patience.first_byte, stream.peek(&mut first)) => matches!(spoke, Ok(Ok(1))),
        _ = stopping.wait_for(|stop| *stop) => false,
    };
    if !spoke {
        return;
    }
    let activity = Arc::new(Activity::new());
    let watched = Arc::clone(&activity);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let busy = Busy::new(&watched);
        let answer = service.call(request);
        async move { Ok::<_, Infallible>(answer.await?.map(|body| Watched { body, busy })) }
    });
    let builder = builder(patience);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut leaving = false;
    loop {
        let alarm = tokio::time::sleep(activity.alarm_in(patience, leaving));
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = %error, "a connection broke");
                }
                return;
            }
            _ = stopping.wait_for(|stop| *stop), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            () = alarm => match activity.overdue(patience, leaving) {
                Overdue::No => {}
                Overdue::Idle if !leaving => {
                    leaving = true;
                    connection.as_mut().graceful_shutdown();
                }
                Overdue::Idle | Overdue::Stalled => return,
            },
        }
    }
}

fn builder(patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_send_buf_size(STREAM_BUFFER_BYTES_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_MAX);
    builder
}

/// What is going on on a connection: which requests are under way, and when something last moved on each of them and
/// between them. Each counts for itself, so that one which moves does not keep another that does not.
#[derive(Debug)]
struct Activity {
    start: Instant,
    /// When a request last began or ended, in milliseconds since the start.
    changed_ms: AtomicU64,
    /// When each request under way last moved. At most [`STREAMS_MAX`].
    moved_ms: Mutex<Vec<Arc<AtomicU64>>>,
}

enum Overdue {
    No,
    Idle,
    Stalled,
}

impl Activity {
    fn new() -> Self {
        Self { start: Instant::now(), changed_ms: AtomicU64::new(0), moved_ms: Mutex::default() }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<Arc<AtomicU64>>> {
        self.moved_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the request that has been still for longest last moved; `None`: none is under way.
    fn stillest_ms(&self) -> Option<u64> {
        self.requests().iter().map(|moved| moved.load(Ordering::Relaxed)).min()
    }

    /// Time until the present state would be overdue, if nothing moves.
    fn alarm_in(&self, patience: Patience, leaving: bool) -> Duration {
        let (since_ms, limit) = if let Some(moved_ms) = self.stillest_ms() {
            (moved_ms, patience.stall)
        } else {
            let limit = if leaving { patience.farewell } else { patience.idle };
            (self.changed_ms.load(Ordering::Relaxed), limit)
        };
        // A request may begin or end meanwhile, which changes the limit: look again at the shortest of them.
        let look = limit.min(patience.idle).min(patience.stall);
        (Duration::from_millis(since_ms) + limit)
            .saturating_sub(self.start.elapsed())
            .clamp(Duration::from_millis(1), look)
    }

    fn overdue(&self, patience: Patience, leaving: bool) -> Overdue {
        let still = |since_ms| self.start.elapsed().saturating_sub(Duration::from_millis(since_ms));
        match self.stillest_ms() {
            Some(moved_ms) if still(moved_ms) >= patience.stall => Overdue::Stalled,
            Some(_) => Overdue::No,
            None => {
                let limit = if leaving { patience.farewell } else { patience.idle };
                let idle = still(self.changed_ms.load(Ordering::Relaxed)) >= limit;
                if idle { Overdue::Idle } else { Overdue::No }
            }
        }
    }
}

/// Marks a request as under way, until its answer's body has been sent or given up.
#[derive(Debug)]
struct Busy {
    activity: Arc<Activity>,
    moved_ms: Arc<AtomicU64>,
}

impl Busy {
    fn new(activity: &Arc<Activity>) -> Self {
        let moved_ms = Arc::new(AtomicU64::new(activity.now_ms()));
        activity.requests().push(Arc::clone(&moved_ms));
        Self { activity: Arc::clone(activity), moved_ms }
    }

    fn moved(&self) {
        self.moved_ms.store(self.activity.now_ms(), Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.activity.changed_ms.store(self.activity.now_ms(), Ordering::Relaxed);
        self.activity.requests().retain(|moved_ms| !Arc::ptr_eq(moved_ms, &self.moved_ms));
    }
}

/// A body whose progress is seen.
struct Watched<B> {
    body: B,
    busy: Busy,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.busy.moved();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
