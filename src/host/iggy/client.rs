//! One server's HTTP API: no proxy, no redirect, no name but an address or one of /etc/hosts, every answer bounded.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ureq::http::{Response, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, NextTimeout, TcpConnector};
use ureq::{Agent, Body};

use super::super::turn::{Watch, patiently};
use super::credential::Credential;
use super::pinned::{PinnedTls, Trust};
use crate::evidence::api::Login;
use crate::iggy::answers::{self, AccessToken, ApiError};

/// How long one answer is waited for.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Bytes of an answer.
const BODY_BYTES_MAX: u64 = 4 << 20;
/// Bytes of /etc/hosts.
const HOSTS_BYTES_MAX: u64 = 256 * 1024;

/// Why there is no answer. Neither a body nor a header of ours is ever in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// Nothing came.
    #[error("no answer: {0}")]
    Silent(String),
    /// An answer that says no.
    #[error("status {status}{}", code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        status: u16,
        /// The error's name, if it has one.
        code: Option<String>,
    },
    /// An answer of another shape.
    #[error("the answer is not understood: {0}")]
    Shape(#[from] answers::AnswerError),
}

/// A client of one server.
pub(super) struct Client {
    agent: Agent,
    url: String,
    token: Option<AccessToken>,
}

impl Client {
    /// A client that trusts this certificate of the server's besides the authorities of this host.
    pub(super) fn new(url: &str, trust: Trust) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_MAX))
            .user_agent(concat!("snapvisor/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(config, TcpConnector::default().chain(PinnedTls::new(trust)), HostsFile);
        Self { agent, url: url.to_owned(), token: None }
    }

    /// Whether it answers to a ping, and after how many milliseconds.
    pub(super) fn ping(&self) -> Result<f64, ClientError> {
        let watch = Watch::start();
        let body = self.get(answers::PING_PATH)?;
        if !answers::is_pong(&body) {
            return Err(ClientError::Silent("what answers there is not Iggy".to_owned()));
        }
        Ok(watch.elapsed().as_secs_f64() * 1000.0)
    }

    /// Logs in; a refusal is an answer.
    pub(super) fn login(&mut self, credential: &Credential) -> Result<Login, ClientError> {
        let (path, body) = match credential {
            Credential::Token(token) => (answers::TOKEN_LOGIN_PATH, serde_json::json!({ "token": token.as_str() })),
            Credential::Password { username, password } => {
                (answers::LOGIN_PATH, serde_json::json!({ "username": username, "password": password.as_str() }))
            }
        };
        let body = zeroize::Zeroizing::new(body.to_string());
        let request = self.agent.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        match take(request.send(body.as_bytes())) {
            Ok(body) => {
                let body = zeroize::Zeroizing::new(body);
                self.token = Some(answers::login(&body)?);
                Ok(Login::Accepted)
            }
            // 0.8 answers a wrong password with 400 `invalid_credentials`, a token it does not know with 404 and a code.
            Err(ClientError::Status { status, code })
                if matches!(status, 401 | 403)
                    || (status == 404 && code.is_some())
                    || code.as_deref().is_some_and(|code| code.contains("invalid") || code.contains("unauth")) =>
            {
                Ok(Login::Refused { status, code })
            }
            Err(error) => Err(error),
        }
    }

    /// The body of what stands at a path.
    pub(super) fn get(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        patiently(|| {
            let mut request = self.agent.get(format!("{}{path}", self.url));
            if let Some(token) = &self.token {
                request = request.header("authorization", format!("Bearer {}", token.expose()));
            }
            take(request.call())
        })
    }

    /// The answer that stands at its own path.
    pub(super) fn ask<A: answers::Answer>(&self) -> Result<A, ClientError> {
        Ok(answers::decode(&self.get(A::PATH)?)?)
    }
}

fn take(answer: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, ClientError> {
    let mut answer = answer.map_err(|error| ClientError::Silent(reason(&error)))?;
    let status = answer.status();
    let mut body = Vec::new();
    let read = answer.body_mut().as_reader().take(BODY_BYTES_MAX).read_to_end(&mut body);
    if !status.is_success() {
        let code = ApiError::in_body(&body).map(|error| error.code).filter(|code| is_code(code));
        return Err(ClientError::Status { status: status.as_u16(), code });
    }
    read.map_err(|error| ClientError::Silent(error.to_string()))?;
    Ok(body)
}

/// Whether this is the name of an error, and nothing that a stranger's server made up.
fn is_code(code: &str) -> bool {
    /// The longest name of an error of Iggy's has some forty.
    const CODE_BYTES_MAX: usize = 64;
    code.len() <= CODE_BYTES_MAX
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
}

/// The kind of an error: its own words may hold what a server sent.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it took too long".to_owned(),
        // What rustls refuses comes as this kind.
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            "its certificate was not accepted".to_owned()
        }
        ureq::Error::Io(error) => error.kind().to_string(),
        ureq::Error::HostNotFound => "its name is not in /etc/hosts, and no other look-up is made".to_owned(),
        ureq::Error::ConnectionFailed => "the connection was refused".to_owned(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate was not accepted".to_owned(),
        _ => "it does not speak HTTP as expected".to_owned(),
    }
}

/// Addresses stand for themselves, `localhost` is loopback, other names are those of /etc/hosts.
#[derive(Debug)]
struct HostsFile;

impl Resolver for HostsFile {
    fn resolve(&self, uri: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let address = address(host).ok_or(ureq::Error::HostNotFound)?;
        let mut found = self.empty();
        found.push(SocketAddr::new(address, port));
        Ok(found)
    }
}

fn address(host: &str) -> Option<IpAddr> {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Some(address);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let mut text = String::new();
    std::fs::File::open("/etc/hosts").ok()?.take(HOSTS_BYTES_MAX).read_to_string(&mut text).ok()?;
    in_hosts(&text, host)
}

/// The address of a name in the text of /etc/hosts.
pub(super) fn in_hosts(text: &str, host: &str) -> Option<IpAddr> {
    text.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    })
}
