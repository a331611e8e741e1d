//! One deployment's snapshots over HTTP.
//!
//! Invariant: the key goes to the configured address alone (no redirect is followed, no proxy of the environment is
//! used), and a download link, which needs no key, is never shown.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

use super::Token;
use super::resolver::OperatorNames;
use crate::cli::{CliError, Exit};
use crate::config::BaseUrl;
use crate::domain::id::{DeploymentId, NodeId, SnapshotId};
use crate::domain::snapshot::{IggyData, Redaction, SnapshotOptions, Status};
use crate::domain::time::Timestamp;

/// The longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The longest wait for an answer to begin, and between two pieces of it.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// Bytes of a JSON answer at most.
const JSON_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Rows of a page: the most that the API serves.
const PAGE_ROWS: u32 = 100;
/// Pages that are asked for at most.
const PAGES_MAX: u32 = 10_000;

/// Why the API did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No answer.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The API's address.
        url: String,
        /// Why, and what to look at.
        reason: String,
    },
    /// An answer that says no.
    #[error("{reason} ({code}, status {status}{request})")]
    Problem {
        /// The HTTP status.
        status: u16,
        /// The stable code.
        code: String,
        /// The sentence.
        reason: String,
        /// `, request ID`, for whoever looks into the server's log; empty if there is none.
        request: String,
    },
    /// An answer that is not what the API promises.
    #[error("the answer is not understood: {0}")]
    Answer(String),
    /// The snapshot was not over in time.
    #[error("{name} is not over after {waited_s} s; it goes on, `snapvisor snapshot list` shows it")]
    StillRunning {
        /// The snapshot.
        name: String,
        /// How long was waited.
        waited_s: u64,
    },
    /// What arrived is not what was sent.
    #[error("the download is damaged: {0}; it was thrown away")]
    Damaged(String),
    /// It broke off again and again without a byte of progress.
    #[error("the download broke off; run the command again to resume it")]
    Interrupted(#[source] std::io::Error),
}

impl ApiError {
    /// Which kind it is.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problem { status: 400..=499, .. } => Exit::Refused,
            _ => Exit::Failed,
        }
    }

    /// Whether asking again later may help.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Problem { status: 408 | 425 | 429 | 500 | 502..=504, .. })
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Problem { status: 404, .. })
    }
}

/// A node's part of a snapshot, as the API lists it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Row {
    pub(super) id: SnapshotId,
    pub(super) node_id: NodeId,
    pub(super) deployment_name: String,
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) created_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
}

/// What the row's detail says of its archive; the hosted service has no such thing.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Detail {
    pub(super) size_bytes: Option<u64>,
    pub(super) sha256: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    total_pages: u32,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    reason: String,
    instance: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

/// What was triggered: its name, where the server says it.
pub(super) struct Triggered(pub(super) Option<String>);

/// Talks to the API about one deployment.
pub(super) struct Client {
    agent: Agent,
    url: BaseUrl,
    key: Token,
    deployment: DeploymentId,
}

impl Client {
    pub(super) fn new(
        url: BaseUrl,
        key: Token,
        deployment: DeploymentId,
        ca_file: Option<&Path>,
    ) -> Result<Self, CliError> {
        let mut config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_recv_response(Some(SILENCE_MAX))
            .timeout_per_read(Some(SILENCE_MAX))
            .user_agent(concat!("snapvisor/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = ca_file {
            config = config.tls_config(TlsConfig::builder().root_certs(authority(path)?).build());
        }
        let agent = Agent::with_parts(config.build(), DefaultConnector::default(), OperatorNames);
        Ok(Self { agent, url, key, deployment })
    }

    /// Triggers a snapshot.
    pub(super) fn create(&self, options: SnapshotOptions) -> Result<Triggered, ApiError> {
        let body = json!({
            "redact_secrets": options.redaction == Redaction::Masked,
            "include_iggy": options.iggy_data == IggyData::Included,
        });
        let request = self.agent.post(self.address("")).header("ld-api-key", self.key.0.as_str());
        let answer = self.answered(request.send_json(body))?;
        Ok(Triggered(header(answer.headers(), "ld-snapshot")))
    }

    /// The newest rows, at most `rows_max`.
    pub(super) fn rows(&self, rows_max: usize) -> Result<Vec<Value>, ApiError> {
        let mut rows = Vec::new();
        for page in 1..=PAGES_MAX {
            let page_rows = PAGE_ROWS.min(u32::try_from(rows_max).unwrap_or(PAGE_ROWS)).max(1);
            let answer: Page = self.get(&format!("?page={page}&results={page_rows}"))?;
            let last = answer.items.is_empty() || page >= answer.total_pages;
            rows.extend(answer.items);
            if last || rows.len() >= rows_max {
                break;
            }
        }
        rows.truncate(rows_max);
        Ok(rows)
    }

    /// What is known of a row's archive; nothing where the server does not tell.
    pub(super) fn detail(&self, id: SnapshotId) -> Result<Detail, ApiError> {
        match self.get(&format!("/{id}")) {
            Err(error) if error.is_not_found() => Ok(Detail::default()),
            detail => detail,
        }
    }

    /// A fresh link to a row's archive: a secret while it lives.
    pub(super) fn link(&self, id: SnapshotId) -> Result<String, ApiError> {
        let link: Link = self.get(&format!("/{id}/download"))?;
        match link.url.parse::<ureq::http::Uri>().ok().filter(|uri| uri.authority().is_some()) {
            Some(_) => Ok(link.url),
            None => Err(ApiError::Answer("the download link is no URL".to_owned())),
        }
    }

    /// Deletes a row and its archive.
    pub(super) fn delete(&self, id: SnapshotId) -> Result<(), ApiError> {
        let request = self.agent.delete(self.address(&format!("/{id}"))).header("ld-api-key", self.key.0.as_str());
        self.answered(request.call()).map(drop)
    }

    /// Follows a link, without the key. Any status but 200, 206 and 416 is an error.
    pub(super) fn open(&self, link: &str, part: Option<&Part>) -> Result<Response<Body>, ApiError> {
        let mut request = self.agent.get(link);
        if let Some(part) = part {
            request = request.header("range", format!("bytes={}-", part.from)).header("if-range", part.etag.as_str());
        }
        let answer = request.call().map_err(|error| self.unreachable(&error))?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => Ok(answer),
            _ => Err(problem(answer)),
        }
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let request = self.agent.get(self.address(path)).header("ld-api-key", self.key.0.as_str());
        let mut answer = self.answered(request.call())?;
        let body = answer.body_mut().with_config().limit(JSON_BYTES_MAX);
        body.read_json().map_err(|error| match error {
            ureq::Error::Json(error) => ApiError::Answer(error.to_string()),
            error => self.unreachable(&error),
        })
    }

    fn address(&self, path: &str) -> String {
        format!("{}/deployments/{}/snapshots{path}", self.url, self.deployment)
    }

    fn answered(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ApiError> {
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(problem(answer)) }
    }

    fn unreachable(&self, error: &ureq::Error) -> ApiError {
        ApiError::Unreachable { url: self.url.to_string(), reason: why_unreachable(error) }
    }
}

/// Why nothing answered, in words of the one who asked.
fn why_unreachable(error: &ureq::Error) -> String {
    let ureq::Error::Io(error) = error else {
        return match error {
            ureq::Error::HostNotFound => "no name server and no line of /etc/hosts knows the name".to_owned(),
            other => other.to_string(),
        };
    };
    let text = error.to_string();
    if error.kind() == std::io::ErrorKind::ConnectionRefused {
        return format!("{text}; is the appliance running there?");
    }
    // rustls says it by the name of its variant alone.
    if text.contains("InvalidContentType") {
        return "what answers there does not speak TLS: is its address http://?".to_owned();
    }
    if text.contains("UnknownIssuer") {
        return format!("{text}: --ca-file names the certificates of a private authority");
    }
    text
}

/// The rest of an archive whose beginning is here.
pub(super) struct Part {
    /// The first byte that is missing.
    pub(super) from: u64,
    /// Of which archive the beginning is.
    pub(super) etag: String,
}

/// The rows as values that we can read.
pub(super) fn read_rows(rows: &[Value]) -> Result<Vec<Row>, ApiError> {
    let read = |row: &Value| Row::deserialize(row).map_err(|error| ApiError::Answer(error.to_string()));
    rows.iter().map(read).collect()
}

pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn problem(mut answer: Response<Body>) -> ApiError {
    let status = answer.status();
    let request = header(answer.headers(), "ld-request");
    let body = answer.body_mut().with_config().limit(JSON_BYTES_MAX).read_to_string().unwrap_or_default();
    let (code, reason, instance) = match serde_json::from_str::<Problem>(&body) {
        Ok(problem) => (problem.code, problem.reason, problem.instance),
        Err(_) => ("no_problem_body".to_owned(), status.canonical_reason().unwrap_or("an error").to_owned(), None),
    };
    let request = request.or(instance).map_or_else(String::new, |id| format!(", request {id}"));
    let printable = |text: String| crate::cli::output::printable(&text);
    ApiError::Problem {
        status: status.as_u16(),
        code: printable(code),
        reason: printable(reason),
        request: printable(request),
    }
}

fn authority(path: &Path) -> Result<RootCerts, CliError> {
    let text = super::read_text(path)?;
    let items = ureq::tls::parse_pem(text.as_bytes());
    let certificates: Vec<_> = items
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(CliError::Usage(format!("{} holds no PEM certificate", path.display())));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn what_cannot_be_reached_is_said_with_what_to_look_at() {
        let other = |text: &str| ureq::Error::Io(Error::other(text.to_owned()));
        for (error, says) in [
            (ureq::Error::Io(ErrorKind::ConnectionRefused.into()), "is the appliance running there?"),
            (ureq::Error::HostNotFound, "/etc/hosts"),
            (other("received corrupt message of type InvalidContentType"), "http://?"),
            (other("invalid peer certificate: UnknownIssuer"), "--ca-file"),
            (other("disk on fire"), "disk on fire"),
        ] {
            let reason = why_unreachable(&error);
            assert!(reason.contains(says) && !reason.starts_with("io: "), "{reason}");
        }
    }
}
