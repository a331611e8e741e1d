//! An HTTP client that hides nothing: what is sent and what comes back are bytes.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// No answer of a test takes longer, on however busy a machine.
pub const ANSWER_MAX: Duration = Duration::from_mins(1);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In the order they came, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A request to be sent on a connection of its own.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string().as_bytes())
    }

    pub fn body(mut self, body: &[u8]) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// As it goes over a connection of its own.
    pub fn bytes(&self, to: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if !self.body.is_empty() || self.method == "POST" || self.method == "PUT" {
            write!(head, "content-length: {}\r\n", self.body.len()).unwrap();
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    pub fn send(&self, to: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(ANSWER_MAX)).unwrap();
        // A server that refuses a body may close before it has read it all.
        let _ = stream.write_all(&self.bytes(to));
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::parse(&bytes)
    }
}

impl Answer {
    /// The one answer in these bytes.
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").or_else(|| line.split_once(':')).unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert!(values.next().is_none(), "{name} came twice");
        value
    }

    /// The headers that say something: without the date, the request's id and what belongs to the connection.
    pub fn telling(&self) -> Vec<(&str, &str)> {
        const NOT_TOLD: [&str; 3] = ["date", "ld-request", "connection"];
        let mut told: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        told.retain(|(name, _)| !NOT_TOLD.contains(name));
        told.sort_unstable();
        told
    }

    pub fn request_id(&self) -> &str {
        let id = self.header("ld-request").expect("every answer has an ld-request header");
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
        id
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// Expects 200 with JSON.
    pub fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.request_id();
        self.json()
    }

    /// Expects 204 without a body.
    pub fn nothing(&self) {
        assert_eq!((self.status, self.text()), (204, ""));
        assert_eq!(self.header("content-type"), None);
        self.request_id();
    }

    /// Expects a problem of exactly the contract's fields; gives its reason.
    pub fn problem(&self, status: u16, code: &str) -> String {
        let body = self.whole_problem(status, code);
        assert_eq!(body.get("field"), None, "{body}");
        body["reason"].as_str().unwrap().to_owned()
    }

    /// Expects a validation error; gives the code and path of each issue.
    pub fn issues(&self) -> Vec<(String, String)> {
        let body = self.whole_problem(400, "validation_error");
        let issues = body["field_issues"].as_array().unwrap();
        assert_eq!(body["field"], issues[0]["path"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        issues
            .iter()
            .map(|issue| {
                assert_eq!(issue.as_object().unwrap().len(), 3, "{issue}");
                assert!(text(&issue["reason"]).ends_with('.'), "{issue}");
                (text(&issue["code"]), text(&issue["path"]))
            })
            .collect()
    }

    fn whole_problem(&self, status: u16, code: &str) -> Value {
        let (body, instance) = (self.json(), self.request_id());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{body}");
        let words = code.replace("api_", "API_").replace('_', " ");
        let title = format!("{}{}", words[..1].to_uppercase(), &words[1..]);
        let retryable = [408, 425, 429, 500, 502, 503, 504].contains(&status);
        let reason = body["reason"].as_str().unwrap();
        assert!(reason.ends_with('.') && reason.starts_with(char::is_uppercase), "{reason}");
        let mut expected = json!({
            "type": "about:blank", "title": title, "code": code, "reason": reason, "instance": instance,
            "status": status, "retryable": retryable,
        });
        if code == "validation_error" {
            expected["field"] = body["field"].clone();
            expected["field_issues"] = body["field_issues"].clone();
        }
        assert_eq!(body, expected);
        assert_eq!(self.status, status);
        body
    }
}
