//! The body of a request: read within a limit and a time, taken as JSON without anything unknown or doubled in it.

use std::fmt;
use std::time::Duration;

use bytes::Buf;
use futures_util::{Stream, StreamExt as _, pin_mut};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use warp::http::HeaderMap;
use warp::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};

use super::problem::{Code, Problem};

/// Time that a body may take to arrive: it is small, so this is for slow lines and against dripping clients.
pub const READ_MAX: Duration = Duration::from_secs(30);

/// Reads a whole body of at most `limit_bytes`.
///
/// # Errors
/// 413 over the limit (before anything is read where `content-length` says so), 408 after `time`, 400 when it breaks off.
pub async fn read<S, B, E>(headers: &HeaderMap, body: S, limit_bytes: u64, time: Duration) -> Result<Vec<u8>, Problem>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let stated = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|length| length > limit_bytes) {
        return Err(too_large(limit_bytes));
    }
    let reading = async {
        pin_mut!(body);
        let mut whole = Vec::new();
        while let Some(part) = body.next().await {
            let mut part =
                part.map_err(|_| Problem::new(Code::IncompleteBody, "The body broke off; send it again."))?;
            if (whole.len() + part.remaining()) as u64 > limit_bytes {
                return Err(too_large(limit_bytes));
            }
            while part.has_remaining() {
                let chunk = part.chunk();
                let taken = chunk.len();
                whole.extend_from_slice(chunk);
                part.advance(taken);
            }
        }
        Ok(whole)
    };
    let late = || {
        let reason = format!("The body did not arrive within {} seconds; send it again.", time.as_secs());
        Problem::new(Code::RequestTimeout, reason)
    };
    tokio::time::timeout(time, reading).await.unwrap_or_else(|_| Err(late()))
}

fn too_large(limit_bytes: u64) -> Problem {
    Problem::new(Code::PayloadTooLarge, format!("A request's body has at most {limit_bytes} bytes."))
}

/// The object that a body holds. An empty body is an empty object: which fields are required is the reader's business.
///
/// # Errors
/// 415 for anything but `application/json`, 400 for what is no JSON object or names a field twice.
pub fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let encoding = headers.get(CONTENT_ENCODING).map_or(&b"identity"[..], |value| value.as_bytes());
    if !essence.eq_ignore_ascii_case("application/json") || !encoding.eq_ignore_ascii_case(b"identity") {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            "Send the body as content-type application/json, without a content-encoding.",
        ));
    }
    let Strict(value) = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::new(Code::MalformedBody, "The body must be a JSON object.")),
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    // The category and the place, never the parser's text: that one may quote the body.
    let what = match error.classify() {
        serde_json::error::Category::Data => "names a field twice",
        serde_json::error::Category::Eof => "breaks off",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "is not JSON",
    };
    let reason = format!("The body {what}, at line {} column {}.", error.line(), error.column());
    Problem::new(Code::MalformedBody, reason)
}

/// A JSON value in which no object names a field twice: of two values, a client cannot know which one counts.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("a field is named twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures_util::stream;
    use warp::http::HeaderValue;

    use super::*;

    fn json() -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))])
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_beyond() {
        let parts = || stream::iter([Ok::<_, Infallible>(Bytes::from("abc")), Ok(Bytes::from("de"))]);
        let none = HeaderMap::new();
        assert_eq!(read(&none, parts(), 5, READ_MAX).await.unwrap(), b"abcde");
        assert_eq!(read(&none, parts(), 4, READ_MAX).await.unwrap_err().code, Code::PayloadTooLarge);
        let stated = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("6"))]);
        let never = stream::pending::<Result<Bytes, Infallible>>();
        assert_eq!(read(&stated, never, 5, READ_MAX).await.unwrap_err().code, Code::PayloadTooLarge);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_never_comes_is_told_so() {
        let none = HeaderMap::new();
        let broken = stream::iter([Ok(Bytes::from("a")), Err(())]);
        assert_eq!(read(&none, broken, 5, READ_MAX).await.unwrap_err().code, Code::IncompleteBody);
        let never = stream::pending::<Result<Bytes, Infallible>>();
        assert_eq!(read(&none, never, 5, Duration::ZERO).await.unwrap_err().code, Code::RequestTimeout);
    }

    #[test]
    fn only_a_json_object_is_taken() {
        for (body, code) in [
            ("", None),
            ("{}", None),
            (" {\"a\":[1,{\"b\":null}]} ", None),
            ("[]", Some(Code::MalformedBody)),
            ("null", Some(Code::MalformedBody)),
            ("{", Some(Code::MalformedBody)),
            ("{} x", Some(Code::MalformedBody)),
            ("{\"a\":1,\"a\":1}", Some(Code::MalformedBody)),
            ("{\"a\":{\"b\":1,\"b\":2}}", Some(Code::MalformedBody)),
        ] {
            assert_eq!(object(&json(), body.as_bytes()).err().map(|problem| problem.code), code, "{body}");
        }
        assert!(object(&json(), "[".repeat(100_000).as_bytes()).is_err(), "depth has a limit");
        assert!(object(&json(), b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn ids_beyond_two_to_the_53_survive() {
        let members = object(&json(), br#"{"id":611298765432109057}"#).unwrap();
        assert_eq!(members["id"].as_i64(), Some(611_298_765_432_109_057));
    }

    #[test]
    fn what_is_not_said_to_be_json_is_refused() {
        for (name, value) in [
            (CONTENT_TYPE, "text/plain"),
            (CONTENT_TYPE, "application/x-www-form-urlencoded"),
            (CONTENT_ENCODING, "gzip"),
        ] {
            let mut headers = json();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(object(&headers, b"{}").unwrap_err().code, Code::UnsupportedMediaType, "{value}");
        }
        assert_eq!(object(&HeaderMap::new(), b"{}").unwrap_err().code, Code::UnsupportedMediaType);
        assert!(object(&HeaderMap::new(), b"").is_ok());
    }

    #[test]
    fn an_error_says_where_and_never_quotes_the_body() {
        let problem = object(&json(), b"{\"token\":\n hunter2}").unwrap_err();
        assert_eq!(problem.reason, "The body is not JSON, at line 2 column 2.");
    }
}
