//! A request as a handler sees it: matched, authenticated, its body read.

use std::net::IpAddr;
use std::str::FromStr;

use serde_json::{Map, Value};
use warp::http::{HeaderMap, Method};

use super::auth::Caller;
use super::body;
use super::problem::{Code, Problem};
use super::query::Query;
use super::request_id::RequestId;
use super::routes::Route;
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
