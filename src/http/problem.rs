//! The only shape of an error on the wire: `application/problem+json`.
//!
//! A [`Problem`] has a stable code, which says its status, and a sentence that a person can act on. It is rendered once,
//! at the edge, where the request's id is known. Refuses to carry anything of a server-side failure but our own words:
//! the chain of causes goes to the log.

use serde::Serialize;
use warp::http::header::{ALLOW, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER};
use warp::http::{HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

use super::request_id::RequestId;
use crate::domain::causes::chain;

/// Issues that one answer lists; the first ones.
pub const ISSUES_MAX: usize = 32;
/// Seconds after which a client may ask again when the server does not know better.
pub const RETRY_AFTER_DEFAULT_S: u64 = 5;
/// Statuses of which the same request may succeed later.
const RETRYABLE: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $word:literal;)*) => {
        /// What went wrong, for programs: part of the API, never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {$($(#[$doc])* $name,)*}

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as the API writes it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {$(Self::$name => $word,)*}
            }

            /// The status that it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let status = match self {$(Self::$name => $status,)*};
                StatusCode::from_u16(status).expect("the table holds statuses")
            }
        }
    };
}

codes! {
    /// A parameter or a field is missing, unknown, or not what it must be; the issues say which.
    ValidationError = 400 "validation_error";
    /// A request of HTTP/1.1 that does not say once, and readably, which host it is for.
    MalformedRequest = 400 "malformed_request";
    /// The body is no JSON.
    MalformedBody = 400 "malformed_body";
    /// The body did not arrive whole.
    IncompleteBody = 400 "incomplete_body";
    /// An `idempotency-key` that is empty, too long or not printable.
    InvalidIdempotencyKey = 400 "invalid_idempotency_key";
    /// No key, or one that is malformed, unknown, expired, revoked or of another tenant.
    Unauthorized = 401 "unauthorized";
    /// The key has not the permission.
    Forbidden = 403 "forbidden";
    /// The key may not be used from this address.
    AddressNotAllowed = 403 "address_not_allowed";
    /// More would be granted than the key has itself.
    PermissionEscalation = 403 "permission_escalation";
    /// A system role, or the role of a key, cannot be changed.
    RoleProtected = 403 "role_protected";
    /// A download link that was tampered with.
    LinkInvalid = 403 "link_invalid";
    /// A download link past its time.
    LinkExpired = 403 "link_expired";
    /// No such path.
    NotFound = 404 "not_found";
    /// No such tenant.
    TenantNotFound = 404 "tenant_not_found";
    /// No such division, or not for this key.
    DivisionNotFound = 404 "division_not_found";
    /// No such environment, or not for this key.
    EnvironmentNotFound = 404 "environment_not_found";
    /// No such deployment, or not for this key.
    DeploymentNotFound = 404 "deployment_not_found";
    /// No such snapshot of this deployment.
    SnapshotNotFound = 404 "snapshot_not_found";
    /// The archive is gone, though its snapshot is not.
    ArchiveNotFound = 404 "archive_not_found";
    /// No such role.
    RoleNotFound = 404 "role_not_found";
    /// No such key.
    ApiKeyNotFound = 404 "api_key_not_found";
    /// The path is there, the method is not.
    MethodNotAllowed = 405 "method_not_allowed";
    /// The body did not arrive in time.
    RequestTimeout = 408 "request_timeout";
    /// One snapshot at a time.
    SnapshotInProgress = 409 "snapshot_in_progress";
    /// The plan's count is used up.
    SnapshotsLimitReached = 409 "snapshots_limit_reached";
    /// The snapshot has no archive yet.
    SnapshotNotCompleted = 409 "snapshot_not_completed";
    /// The deployment has no nodes.
    NoNodes = 409 "no_nodes";
    /// Something else has this name.
    NameTaken = 409 "name_taken";
    /// The plan's count of keys is used up.
    ApiKeysLimitReached = 409 "api_keys_limit_reached";
    /// The plan's count of roles is used up.
    RolesLimitReached = 409 "roles_limit_reached";
    /// Keys still have this role.
    RoleInUse = 409 "role_in_use";
    /// The idempotency key was used for another request.
    IdempotencyError = 409 "idempotency_error";
    /// The first request with this idempotency key still runs.
    IdempotentRequestInProgress = 409 "idempotent_request_in_progress";
    /// A precondition of the request does not hold.
    PreconditionFailed = 412 "precondition_failed";
    /// The body is over its limit.
    PayloadTooLarge = 413 "payload_too_large";
    /// The body is not `application/json`.
    UnsupportedMediaType = 415 "unsupported_media_type";
    /// None of the ranges lies within the archive.
    RangeNotSatisfiable = 416 "range_not_satisfiable";
    /// Too many requests.
    RateLimitExceeded = 429 "rate_limit_exceeded";
    /// Our own failure; the log has it under the request's id.
    InternalError = 500 "internal_error";
    /// A passing state: starting, stopping, or too busy.
    ServiceUnavailable = 503 "service_unavailable";
    /// The archive store is below its reserve, or at its limit.
    InsufficientStorage = 507 "insufficient_storage";
}

impl Code {
    /// The code for people: `snapshot_in_progress` is `Snapshot in progress`.
    #[must_use]
    pub fn title(self) -> String {
        let words = self.word().replace("api_", "API_").replace('_', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    }

    /// Whether the same request may succeed later without anybody doing anything.
    #[must_use]
    pub fn retryable(self) -> bool {
        RETRYABLE.contains(&self.status().as_u16())
    }
}

/// What is wrong with one field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// `required`, `unknown_field`, `invalid_type`, `invalid_value`, `out_of_range` or `duplicate`.
    pub code: &'static str,
    /// A full sentence.
    pub reason: String,
    /// Where: `permissions.environment[0]`.
    pub path: String,
}

impl Issue {
    /// An issue at `path`.
    pub fn new(code: &'static str, path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), path: path.into() }
    }
}

/// An error as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// A full sentence that a person can act on.
    pub reason: String,
    issues: Vec<Issue>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body, field by field in this order.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: String,
    code: &'static str,
    reason: &'a str,
    instance: String,
    status: u16,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    field_issues: &'a [Issue],
}

impl Problem {
    /// A problem; `reason` is a full sentence.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), issues: Vec::new(), headers: Vec::new() }
    }

    /// The request's fields are not what they must be; at most [`ISSUES_MAX`] issues are told.
    #[must_use]
    pub fn invalid(mut issues: Vec<Issue>) -> Self {
        issues.truncate(ISSUES_MAX);
        let reason = match issues.as_slice() {
            [only] => only.reason.clone(),
            several => format!("The request has {} issues; see field_issues.", several.len()),
        };
        Self { issues, ..Self::new(Code::ValidationError, reason) }
    }

    /// Our own failure. The client learns nothing of `error`; the log gets its whole chain.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::new(
            Code::InternalError,
            "The server failed on this request; its log tells why, under the id that is in instance.",
        )
    }

    /// No such path.
    #[must_use]
    pub fn unknown_path() -> Self {
        Self::new(Code::NotFound, "There is nothing at this path; check the address against the API's reference.")
    }

    /// The path knows other methods: `allow`, comma-separated.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let value = HeaderValue::try_from(allow).expect("methods are a header value");
        let reason = format!("This path does not support the method; it supports {allow}.");
        Self::new(Code::MethodNotAllowed, reason).with(ALLOW, value)
    }

    /// None of the ranges lies within `length_bytes`.
    #[must_use]
    pub fn range_not_satisfiable(length_bytes: u64) -> Self {
        let value = HeaderValue::try_from(format!("bytes */{length_bytes}")).expect("digits are a header value");
        let reason = format!("No range of the request lies within the archive, which has {length_bytes} bytes.");
        Self::new(Code::RangeNotSatisfiable, reason).with(CONTENT_RANGE, value)
    }

    /// The same problem with a hint when to ask again, in seconds (at least one).
    #[must_use]
    pub fn retry_after_s(self, seconds: u64) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Its issues, to be told together with others.
    pub(super) fn into_issues(self) -> Vec<Issue> {
        self.issues
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer to the request `instance`. The server adds the `ld-request` header to it as to every answer.
    #[must_use]
    pub fn response(&self, instance: RequestId) -> Response {
        let status = self.code.status();
        let body = Body {
            r#type: "about:blank",
            title: self.code.title(),
            code: self.code.word(),
            reason: &self.reason,
            instance: instance.to_string(),
            status: status.as_u16(),
            retryable: self.code.retryable(),
            field: self.issues.first().map(|issue| issue.path.as_str()),
            field_issues: &self.issues,
        };
        let json = serde_json::to_vec(&body).expect("texts, numbers and booleans are JSON");
        let mut response = Response::new(json.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers.iter().cloned());
        let passing = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        if passing && !headers.contains_key(RETRY_AFTER) {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_DEFAULT_S));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::answer::tests::body_text;

    #[tokio::test]
    async fn a_problem_has_exactly_the_fields_of_the_contract() {
        let id = RequestId::fresh();
        let response = Problem::new(Code::SnapshotInProgress, "One runs.").retry_after_s(0).response(id);
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let expected = format!(
            r#"{{"type":"about:blank","title":"Snapshot in progress","code":"snapshot_in_progress","reason":"One runs.","instance":"{id}","status":409,"retryable":false}}"#
        );
        assert_eq!(body_text(response).await, expected);
    }

    #[tokio::test]
    async fn a_validation_error_names_its_fields() {
        let id = RequestId::fresh();
        let issues = vec![Issue::new("required", "name", "The field name is required.")];
        let expected = format!(
            r#"{{"type":"about:blank","title":"Validation error","code":"validation_error","reason":"The field name is required.","instance":"{id}","status":400,"retryable":false,"field":"name","field_issues":[{{"code":"required","reason":"The field name is required.","path":"name"}}]}}"#
        );
        assert_eq!(body_text(Problem::invalid(issues).response(id)).await, expected);
    }

    #[test]
    fn what_passes_by_itself_is_retryable_and_says_when() {
        for code in Code::ALL {
            let response = Problem::new(*code, "Once more.").response(RequestId::fresh());
            let status = code.status().as_u16();
            assert_eq!(code.retryable(), [408, 425, 429, 500, 502, 503, 504].contains(&status), "{code:?}");
            assert_eq!(response.headers().contains_key(RETRY_AFTER), [429, 503].contains(&status), "{code:?}");
        }
    }

    #[test]
    fn a_405_says_what_is_allowed_and_a_416_how_long_the_archive_is() {
        let id = RequestId::fresh();
        assert_eq!(Problem::method_not_allowed("GET, HEAD").response(id).headers()[ALLOW], "GET, HEAD");
        assert_eq!(Problem::range_not_satisfiable(7).response(id).headers()[CONTENT_RANGE], "bytes */7");
    }

    #[test]
    fn a_title_is_its_code_for_people() {
        assert_eq!(Code::ApiKeyNotFound.title(), "API key not found");
        assert_eq!(Code::NotFound.title(), "Not found");
    }

    #[test]
    fn codes_are_distinct() {
        let words: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
    }

    #[test]
    fn the_issues_of_one_answer_are_limited() {
        let issues = vec![Issue::new("required", "a", "A."); ISSUES_MAX + 1];
        assert_eq!(Problem::invalid(issues).issues.len(), ISSUES_MAX);
    }
}
