//! `make bench`: a list of ten out of 100,000 rows, authenticated, against a warp handler that returns a constant.
//!
//! Both are served in this process over loopback and asked by the same client; what is shown is the latency of one
//! connection and the throughput of several, and how the two servers compare.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot begin has failed")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use snapvisor::archive::{Archives, Links};
use snapvisor::config::Config;
use snapvisor::domain::id::DeploymentId;
use snapvisor::domain::snapshot::{Outcome, SnapshotOptions};
use snapvisor::domain::time::Timestamp;
use snapvisor::domain::verdict::VerdictCounts;
use snapvisor::http::{self, AppState};
use snapvisor::observability::Metrics;
use snapvisor::orchestrator::{
    BOOTSTRAP_FILE, ChangeError, ChildExaminer, Clock as _, Orchestrator, Parts, SystemClock, bootstrap,
};
use snapvisor::store::{Completion, NewTrigger, Store};
use warp::Filter as _;

const ROWS: i64 = 100_000;
const WARM_UP: usize = 500;
const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 8;
const THROUGHPUT_FOR: Duration = Duration::from_secs(5);

fn main() {
    // `cargo test --benches` and its like ask for a list of tests; there is none.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let data_dir = tempfile::tempdir().unwrap();
    let (state, key, deployment) = appliance(data_dir.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bind = || runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let (ours, theirs) = (bind(), bind());
    let (our_address, their_address) = (ours.local_addr().unwrap(), theirs.local_addr().unwrap());
    runtime.spawn(http::serve(state, ours, std::future::pending()));
    let path = format!("/deployments/{deployment}/snapshots");
    let list = ask(&mut TcpStream::connect(our_address).unwrap(), &request(&path, &key), &mut Vec::new());
    let body = String::from_utf8(list).unwrap();
    let shown: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((shown["items"].as_array().unwrap().len(), &shown["total_results"]), (10, &ROWS.into()));
    let length = body.len();
    let constant = warp::any().map(move || warp::reply::with_header(body.clone(), "content-type", "application/json"));
    runtime.spawn(warp::serve(constant).incoming(theirs).run());

    println!(
        "{ROWS} rows, a page of 10 ({length} bytes); {REQUESTS} requests on one connection, then {CONNECTIONS} at once"
    );
    let ours = measure(our_address, &request(&path, &key));
    let theirs = measure(their_address, &request("/", &key));
    println!("{:<28}{:>12}{:>12}{:>14}", "", "median", "p99", "requests/s");
    for (name, measured) in [("list of 10 from 100,000", &ours), ("warp returning a constant", &theirs)] {
        let (median, p99) = (measured.median.as_secs_f64() * 1e6, measured.p99.as_secs_f64() * 1e6);
        println!("{name:<28}{median:>9.0} us{p99:>9.0} us{:>14.0}", measured.per_second);
    }
    println!("throughput relative to the constant: {:.2}", ours.per_second / theirs.per_second);
}

/// An appliance whose one deployment has many rows, the key of its first start, and the deployment.
fn appliance(data_dir: &std::path::Path) -> (AppState, String, DeploymentId) {
    let mut config = Config { data_dir: data_dir.to_owned(), ..Config::default() };
    config.limits.requests_per_minute = 0;
    let config = Arc::new(config);
    let (store, now) = (Store::open(data_dir).unwrap(), SystemClock.now());
    let public_url = "http://127.0.0.1:8787".to_owned();
    bootstrap(&store, data_dir, "host-1", &public_url, now).unwrap();
    let first: Value = serde_json::from_slice(&fs::read(data_dir.join(BOOTSTRAP_FILE)).unwrap()).unwrap();
    let deployment = DeploymentId::new(first["deployment_id"].as_i64().unwrap()).unwrap();
    fill(&store, deployment, now);
    let archives = Archives::open(data_dir).unwrap();
    let parts = Parts {
        store,
        archives: archives.clone(),
        config: Arc::clone(&config),
        examiner: Arc::new(ChildExaminer),
        clock: Arc::new(SystemClock),
    };
    let state = AppState {
        config,
        public_url,
        orchestrator: Orchestrator::new(parts).unwrap(),
        archives,
        links: Links::open(data_dir).unwrap(),
        metrics: Arc::new(Metrics::new()),
    };
    (state, first["api_key"].as_str().unwrap().to_owned(), deployment)
}

fn fill(store: &Store, deployment: DeploymentId, now: Timestamp) {
    let filled = store.write_blocking(move |w| {
        let node = w.nodes(deployment)?.remove(0);
        for number in 0..ROWS {
            let trigger = w.insert_trigger(&NewTrigger {
                deployment_id: deployment,
                name: format!("snapshot-20260101-{number:06}"),
                options: SnapshotOptions::default(),
                created_at: now,
                expires_at: now.plus_s(86_400),
            })?;
            let row = w.insert_snapshot(trigger, &node)?;
            let end = Completion {
                outcome: Outcome::Lost,
                archive: None,
                headline: String::new(),
                left_out: Vec::new(),
                counts: VerdictCounts::default(),
            };
            w.complete_snapshot(row, &end, now)?;
        }
        Ok::<_, ChangeError>(())
    });
    filled.unwrap();
}

struct Measured {
    median: Duration,
    p99: Duration,
    per_second: f64,
}

fn measure(address: SocketAddr, request: &[u8]) -> Measured {
    let (mut stream, mut buffer) = (TcpStream::connect(address).unwrap(), Vec::new());
    stream.set_nodelay(true).unwrap();
    let mut times: Vec<Duration> = (0..WARM_UP + REQUESTS)
        .map(|_| {
            let start = Instant::now();
            ask(&mut stream, request, &mut buffer);
            start.elapsed()
        })
        .skip(WARM_UP)
        .collect();
    times.sort_unstable();
    let over = AtomicBool::new(false);
    let start = Instant::now();
    let answered: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut stream, mut buffer) = (TcpStream::connect(address).unwrap(), Vec::new());
                    stream.set_nodelay(true).unwrap();
                    let mut answered = 0;
                    while !over.load(Ordering::Relaxed) {
                        ask(&mut stream, request, &mut buffer);
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        thread::sleep(THROUGHPUT_FOR);
        over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let per_second = answered as f64 / start.elapsed().as_secs_f64();
    Measured { median: times[REQUESTS / 2], p99: times[REQUESTS * 99 / 100], per_second }
}

fn request(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nld-api-key: {key}\r\n\r\n").into_bytes()
}

/// Sends a request and reads the one answer, by its content-length; gives its body.
fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Vec<u8> {
    const LENGTH: &[u8] = b"content-length: ";
    stream.write_all(request).unwrap();
    buffer.clear();
    let mut chunk = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the server closed");
        buffer.extend_from_slice(&chunk[..read]);
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..head]));
        let at = buffer[..head].windows(LENGTH.len()).position(|window| window == LENGTH).unwrap() + LENGTH.len();
        let digits = buffer[at..].split(|byte| *byte == b'\r').next().unwrap();
        let length: usize = std::str::from_utf8(digits).unwrap().parse().unwrap();
        if buffer.len() >= head + 4 + length {
            return buffer[head + 4..head + 4 + length].to_vec();
        }
    }
}
