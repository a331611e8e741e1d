//! What a handler gives back: a status, a few headers, a body that is JSON, text, or nothing.

use serde::Serialize;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use warp::http::{HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

/// The answer to a request that succeeded. Held in memory: what is large is streamed and is no `Answer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Headers besides `ld-request`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for a 204.
    pub body: Vec<u8>,
    /// Whether it may be written down.
    pub secrecy: Secrecy,
}

/// Whether an answer may be written down, to be replayed after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// It may.
    Plain,
    /// It holds a secret that is shown once: it stays in memory.
    Secret,
}

impl Answer {
    /// 200 with this value as JSON.
    pub fn json<T: Serialize>(value: &T) -> Self {
        Self::json_with(StatusCode::OK, value)
    }

    /// 201 with this value as JSON.
    pub fn created<T: Serialize>(value: &T) -> Self {
        Self::json_with(StatusCode::CREATED, value)
    }

    fn json_with<T: Serialize>(status: StatusCode, value: &T) -> Self {
        let body = serde_json::to_vec(value).expect("wire types have text keys and cannot fail to serialise");
        Self::with_type(status, "application/json", body)
    }

    /// 200 with this text.
    #[must_use]
    pub fn text(media_type: &'static str, body: String) -> Self {
        Self::with_type(StatusCode::OK, media_type, body.into_bytes())
    }

    fn with_type(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Self {
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Self { status, headers, body, secrecy: Secrecy::Plain }
    }

    /// 204.
    #[must_use]
    pub fn nothing() -> Self {
        let headers = vec![(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        Self { status: StatusCode::NO_CONTENT, headers, body: Vec::new(), secrecy: Secrecy::Plain }
    }

    /// The same answer with a header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    /// The same answer, marked as holding a secret.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { secrecy: Secrecy::Secret, ..self }
    }

    /// The answer as warp sends it.
    #[must_use]
    pub fn response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

/// What a handler gives back.
#[derive(Debug)]
pub enum Reply {
    /// In memory.
    Whole(Answer),
    /// An archive on its way from the disk.
    Stream(Response),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Whole(answer)
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Stream(response)
    }
}

impl Reply {
    /// As warp sends it.
    #[must_use]
    pub fn response(self) -> Response {
        match self {
            Self::Whole(answer) => answer.response(),
            Self::Stream(response) => response,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// The whole body of a response.
    pub(in crate::http) async fn body_text(response: Response) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_sent_as_it_was_made() {
        let answer = Answer::created(&[1]).with("ld-role", HeaderValue::from(5));
        let response = answer.response();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["ld-role"], "5");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(body_text(response).await, "[1]");
        let nothing = Answer::nothing().response();
        assert_eq!(nothing.status(), 204);
        assert!(!nothing.headers().contains_key(CONTENT_TYPE));
        assert_eq!(body_text(nothing).await, "");
    }
}
