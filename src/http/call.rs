//! A request as a handler sees it: matched to a row of the table of routes, authenticated, its body read.

use std::net::IpAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::{Map, Value};
use warp::http::{HeaderMap, Method};

use super::answer::Reply;
use super::auth::Caller;
use super::body;
use super::problem::{Code, Problem};
use super::query::Query;
use super::request_id::RequestId;
use super::state::Api;
use crate::domain::permission::{InEnvironment, InTenant};
use crate::orchestrator::Actor;

/// The values of a path's parameters, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The parameters in the order of the path.
    #[must_use]
    pub fn new(pairs: Vec<(&'static str, String)>) -> Self {
        Self(pairs)
    }

    /// The text of a parameter; `None` if the path has none of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// What a caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A signed link.
    Link,
    /// To come from this host, or any key.
    LoopbackOrKey,
    /// Any key of the tenant.
    Key,
    /// A key with this permission in the tenant; checked before the handler runs.
    Tenant(InTenant),
    /// A key that sees the place.
    Visible,
    /// A key with this permission where the place is; the handler finds the place and checks it there.
    Environment(InEnvironment),
}

/// What an answer is made by. A write runs to its end even if its client goes away, and honours `idempotency-key`.
#[derive(Debug, Clone, Copy)]
pub enum Handle {
    /// Changes nothing.
    Read(Handler),
    /// Changes something.
    Write(Handler),
}

/// An answer that is on its way.
pub type Answering = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;
/// Answers a request.
pub type Handler = fn(Arc<Api>, Call) -> Answering;

/// A row of the table.
#[derive(Debug)]
pub struct Route {
    /// The method; a row of GET answers HEAD as well.
    pub method: Method,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// What a caller needs.
    pub access: Access,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Who answers.
    pub handle: Handle,
}

/// A path that was matched: its rows, one a method, and its parameters.
#[derive(Debug, Clone)]
pub struct Matched {
    /// The rows of the path.
    pub rows: Vec<&'static Route>,
    /// Its parameters.
    pub params: Params,
}

/// A request.
#[derive(Debug)]
pub struct Call {
    /// The row of the table that it matched.
    pub route: &'static Route,
    /// GET and HEAD share a row.
    pub method: Method,
    /// The path as it was sent.
    pub path: String,
    /// The parameters of the path.
    pub params: Params,
    /// The query, decoded.
    pub query: Query,
    /// The raw query, for signatures and fingerprints.
    pub raw_query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty where the row takes none.
    pub body: Vec<u8>,
    /// Whose key it is; `None` only where the row needs none.
    pub caller: Option<Caller>,
    /// The client's address, behind trusted proxies.
    pub client: IpAddr,
    /// Its id.
    pub request: RequestId,
}

impl Call {
    /// The key that calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.caller.as_ref().expect("the row of this handler demands a key")
    }

    /// The key that calls, as whoever changes something.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::key(&self.caller().key, self.client, self.request.to_string())
    }

    /// The id in the path under `name`.
    ///
    /// # Errors
    /// What is no id is the id of nothing: 404 with `code`.
    pub fn id<T: FromStr>(&self, name: &str, code: Code) -> Result<T, Problem> {
        self.params.text(name).and_then(|text| text.parse().ok()).ok_or_else(|| missing(code))
    }

    /// The object in the body.
    ///
    /// # Errors
    /// 415 and 400.
    pub fn object(&self) -> Result<Map<String, Value>, Problem> {
        body::object(&self.headers, &self.body)
    }
}

/// A 404 of this code: what is not there and what this key may not see read the same.
#[must_use]
pub fn missing(code: Code) -> Problem {
    let noun = code.word().trim_end_matches("_not_found").replace("api_key", "API key");
    Problem::new(code, format!("There is no such {noun}, or this API key may not see it."))
}
