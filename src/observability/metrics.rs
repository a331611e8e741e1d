//! Counters, gauges and histograms, in Prometheus' text format.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// The media type of what [`Metrics::text`] gives.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of request durations, in seconds: from a cached list to a slow disk.
const DURATION_BUCKETS_S: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Methods that have a label of their own; a client may send any word.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A limit that a request ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Requests a minute of one key.
    Key,
    /// Failed logins a minute of one address.
    Address,
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    connections_open: IntGauge,
    connections: IntCounter,
    failed_logins: IntCounter,
    limited: IntCounterVec,
    archive_bytes: IntCounter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry with every metric at zero.
    #[must_use]
    pub fn new() -> Self {
        let requests = counters("snapvisor_http_requests_total", "Requests answered.", &["method", "route", "status"]);
        let durations = HistogramVec::new(
            HistogramOpts::new("snapvisor_http_request_duration_seconds", "Time to the head of an answer.")
                .buckets(DURATION_BUCKETS_S.to_vec()),
            &["route"],
        );
        let built = counters("snapvisor_build_info", "The version that runs.", &["version"]);
        built.with_label_values(&[env!("CARGO_PKG_VERSION")]).inc();
        let start = Gauge::new("process_start_time_seconds", "When the process began, in seconds since 1970.");
        let start = start.expect("a constant name is good");
        start.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
        let metrics = Self {
            registry: Registry::new(),
            requests,
            durations: durations.expect("a constant name is good"),
            connections_open: IntGauge::new("snapvisor_http_connections_open", "Connections open.")
                .expect("a constant name is good"),
            connections: counter("snapvisor_http_connections_total", "Connections accepted."),
            failed_logins: counter(
                "snapvisor_failed_logins_total",
                "Requests without a valid key where one is needed.",
            ),
            limited: counters("snapvisor_rate_limited_total", "Requests refused by a rate limit.", &["limit"]),
            archive_bytes: counter("snapvisor_archive_sent_bytes_total", "Bytes of archives given to connections."),
        };
        metrics.register(built).register(start);
        metrics
            .register(metrics.requests.clone())
            .register(metrics.durations.clone())
            .register(metrics.connections_open.clone())
            .register(metrics.connections.clone())
            .register(metrics.failed_logins.clone())
            .register(metrics.limited.clone())
            .register(metrics.archive_bytes.clone());
        metrics
    }

    fn register(&self, metric: impl Collector + 'static) -> &Self {
        self.registry.register(Box::new(metric)).expect("each name is registered once");
        self
    }

    /// A request was answered. `route` is a pattern of the route table, never a path that a client sent.
    pub fn answered(&self, method: &str, route: &'static str, status: u16, time: Duration) {
        let method = METHODS.iter().find(|known| **known == method).unwrap_or(&"other");
        self.requests.with_label_values(&[*method, route, status.to_string().as_str()]).inc();
        self.durations.with_label_values(&[route]).observe(time.as_secs_f64());
    }

    /// A connection was accepted; it is open until the guard is dropped.
    #[must_use]
    pub fn connection_opened(self: &Arc<Self>) -> OpenConnection {
        self.connections.inc();
        self.connections_open.inc();
        OpenConnection(Arc::clone(self))
    }

    /// A request without a valid key came where one is needed.
    pub fn login_failed(&self) {
        self.failed_logins.inc();
    }

    /// A request was refused by a rate limit.
    pub fn limited(&self, limit: Limit) {
        let label = match limit {
            Limit::Key => "key",
            Limit::Address => "address",
        };
        self.limited.with_label_values(&[label]).inc();
    }

    /// Bytes of an archive were given to a connection.
    pub fn archive_sent(&self, bytes: u64) {
        self.archive_bytes.inc_by(bytes);
    }

    /// Everything, as text of [`METRICS_TYPE`].
    #[must_use]
    pub fn text(&self) -> String {
        let families = self.registry.gather();
        TextEncoder::new().encode_to_string(&families).expect("every metric has a name and a type")
    }
}

fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::new(name, help).expect("a constant name is good")
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("constant names are good")
}

/// Counts a connection as open while it lives.
#[derive(Debug)]
pub struct OpenConnection(Arc<Metrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_method_route_and_status() {
        let metrics = Metrics::new();
        metrics.answered("GET", "/x/{id}", 200, Duration::from_millis(2));
        metrics.answered("GET", "/x/{id}", 200, Duration::from_millis(2));
        metrics.answered("BREW", "none", 404, Duration::ZERO);
        let text = metrics.text();
        for line in [
            r#"snapvisor_http_requests_total{method="GET",route="/x/{id}",status="200"} 2"#,
            r#"snapvisor_http_requests_total{method="other",route="none",status="404"} 1"#,
            r#"snapvisor_http_request_duration_seconds_bucket{route="/x/{id}",le="0.0025"} 2"#,
            r#"snapvisor_http_request_duration_seconds_bucket{route="/x/{id}",le="0.001"} 0"#,
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_connection_is_open_as_long_as_its_guard_lives() {
        let metrics = Arc::new(Metrics::new());
        let open = metrics.connection_opened();
        assert!(metrics.text().contains("snapvisor_http_connections_open 1"));
        drop(open);
        assert!(metrics.text().contains("snapvisor_http_connections_open 0"));
        assert!(metrics.text().contains("snapvisor_http_connections_total 1"));
    }
}
