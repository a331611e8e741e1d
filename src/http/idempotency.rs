//! Idempotency keys: the same POST, PUT or PATCH again gets the first answer again.
//!
//! Per API key and idempotency key. What runs is marked in memory, so a mark cannot outlive its process; a success is
//! kept in the database for ten minutes, or in memory when it holds a secret. Errors are not kept: a retry after one runs
//! again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::answer::{Answer, Secrecy};
use super::problem::{Code, Problem};
use crate::domain::causes::chain;
use crate::domain::id::KeyId;
use crate::domain::time::Timestamp;
use crate::store::{KeptAnswer, Store};

/// The header that carries the client's key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of it.
const CHARS_MAX: usize = 255;
/// Seconds for which a first answer is kept.
const KEPT_S: i64 = 600;
/// Secret answers kept in memory; beyond it the oldest is forgotten.
const SECRETS_MAX: usize = 1024;
/// Seconds after which a client may ask for the answer of what runs.
const RUNNING_RETRY_S: u64 = 1;

/// What tells two requests apart that bear the same idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request.
    #[must_use]
    pub fn of(method: &str, path: &str, query: &str, body: &[u8]) -> Self {
        let mut sha = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes(), query.as_bytes(), body] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        Self(sha.finalize().into())
    }
}

/// The idempotency key of a request, if it bears one.
///
/// # Errors
/// One that is empty, over 255 characters, not printable, or given twice.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if values.next().is_some() || text.is_empty() || text.len() > CHARS_MAX {
        let reason = format!("The idempotency-key header holds 1 to {CHARS_MAX} printable characters, once.");
        return Err(Problem::new(Code::InvalidIdempotencyKey, reason));
    }
    Ok(Some(text.to_owned()))
}

type Name = (KeyId, String);

#[derive(Debug)]
enum Mark {
    Running(Fingerprint),
    Secret { fingerprint: Fingerprint, at: Timestamp, answer: Answer },
}

/// The marks in memory.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<HashMap<Name, Mark>>);

/// What there is to do.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// Run it; tell the outcome to the mark.
    Run(Running<'a>),
    /// Answer this.
    Replay(Answer),
}

/// A request that runs. Dropping it without an outcome forgets it.
#[derive(Debug)]
pub struct Running<'a> {
    ledger: &'a Ledger,
    name: Name,
    fingerprint: Fingerprint,
}

impl Ledger {
    /// Begins a request with this idempotency key.
    ///
    /// # Errors
    /// 409 when the first request still runs, or was another one.
    pub async fn begin(
        &self,
        store: &Store,
        name: Name,
        fingerprint: Fingerprint,
        now: Timestamp,
    ) -> Result<Verdict<'_>, Problem> {
        if let Some(answer) = self.mark(&name, fingerprint, now)? {
            return Ok(Verdict::Replay(replayed(answer)));
        }
        let running = Running { ledger: self, name, fingerprint };
        let (key, text) = running.name.clone();
        let kept = store.read(move |reader| Ok::<_, Problem>(reader.kept_answer(key, &text, now.plus_s(-KEPT_S))?));
        match kept.await? {
            None => Ok(Verdict::Run(running)),
            Some(kept) if kept.request_sha256 == fingerprint.0 => Ok(Verdict::Replay(replayed(thawed(kept)))),
            Some(_) => Err(another()),
        }
    }

    /// Marks a request as running, unless there is a mark: then the answer it holds, or why there is none.
    fn mark(&self, name: &Name, fingerprint: Fingerprint, now: Timestamp) -> Result<Option<Answer>, Problem> {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.retain(|_, mark| !matches!(mark, Mark::Secret { at, .. } if now.since_s(*at) >= KEPT_S));
        match marks.get(name) {
            None => {
                marks.insert(name.clone(), Mark::Running(fingerprint));
                Ok(None)
            }
            Some(Mark::Running(first) | Mark::Secret { fingerprint: first, .. }) if *first != fingerprint => {
                Err(another())
            }
            Some(Mark::Secret { answer, .. }) => Ok(Some(answer.clone())),
            Some(Mark::Running(_)) => {
                let reason = "The first request with this idempotency-key still runs; ask again in a second.";
                Err(Problem::new(Code::IdempotentRequestInProgress, reason).retry_after_s(RUNNING_RETRY_S))
            }
        }
    }

    fn keep_secret(&self, name: &Name, fingerprint: Fingerprint, at: Timestamp, answer: Answer) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |mark: &Mark| match mark {
            Mark::Running(_) => None,
            Mark::Secret { at, .. } => Some(*at),
        };
        if marks.values().filter_map(age).count() >= SECRETS_MAX {
            let oldest = marks.iter().filter_map(|(name, mark)| Some((age(mark)?, name.clone()))).min();
            if let Some((_, oldest)) = oldest {
                marks.remove(&oldest);
            }
        }
        marks.insert(name.clone(), Mark::Secret { fingerprint, at, answer });
    }
}

impl Running<'_> {
    /// Keeps a success for replays; anything else is forgotten. An answer that cannot be written down is given all the
    /// same: the client has what it asked for, only a retry would run again.
    pub async fn finish(self, store: &Store, outcome: &Result<Answer, Problem>, now: Timestamp) {
        let Ok(answer) = outcome else { return };
        match answer.secrecy {
            Secrecy::Secret => self.ledger.keep_secret(&self.name, self.fingerprint, now, answer.clone()),
            Secrecy::Plain => {
                let (key, text) = self.name.clone();
                let kept = frozen(self.fingerprint, answer, now);
                let keeping = store.write(move |writer| writer.keep_answer(key, &text, &kept));
                if let Err(error) = keeping.await {
                    tracing::warn!(error = %chain(&error), "a first answer could not be kept");
                }
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut marks = self.ledger.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(marks.get(&self.name), Some(Mark::Running(_))) {
            marks.remove(&self.name);
        }
    }
}

fn another() -> Problem {
    let reason = "This idempotency-key was used for another request; use a new one for each request.";
    Problem::new(Code::IdempotencyError, reason)
}

fn replayed(answer: Answer) -> Answer {
    answer.with("idempotent-replayed", HeaderValue::from_static("true"))
}

fn frozen(fingerprint: Fingerprint, answer: &Answer, now: Timestamp) -> KeptAnswer {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    KeptAnswer {
        request_sha256: fingerprint.0,
        status: answer.status.as_u16(),
        headers: answer.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: answer.body.clone(),
        created_at: now,
    }
}

fn thawed(kept: KeptAnswer) -> Answer {
    let header = |(name, value): (String, String)| Some((name.parse().ok()?, value.parse().ok()?));
    Answer {
        status: StatusCode::from_u16(kept.status).unwrap_or(StatusCode::NO_CONTENT),
        headers: kept.headers.into_iter().filter_map(header).collect(),
        body: kept.body,
        secrecy: Secrecy::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        (KeyId::new(1).unwrap(), text.to_owned())
    }

    fn print(text: &str) -> Fingerprint {
        Fingerprint::of("POST", "/x", "", text.as_bytes())
    }

    #[test]
    fn a_fingerprint_is_of_method_path_query_and_body() {
        let one = Fingerprint::of("POST", "/x", "", b"{}");
        assert_eq!(one, Fingerprint::of("POST", "/x", "", b"{}"));
        for other in [
            Fingerprint::of("PUT", "/x", "", b"{}"),
            Fingerprint::of("POST", "/xy", "", b"{}"),
            Fingerprint::of("POST", "/x", "y", b"{}"),
            Fingerprint::of("POST", "/x", "", b""),
            Fingerprint::of("POST", "/", "x", b"{}"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_key_has_1_to_255_printable_characters_and_is_given_once() {
        for (values, good) in [
            (vec![], true),
            (vec!["a".to_owned()], true),
            (vec!["a".repeat(255)], true),
            (vec!["a".repeat(256)], false),
            (vec![String::new()], false),
            (vec!["ä".to_owned()], false),
            (vec!["a".to_owned(), "a".to_owned()], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(key(&headers).is_ok(), good, "{values:?}");
        }
    }

    #[test]
    fn a_mark_goes_with_its_request() {
        let ledger = Ledger::default();
        let now = Timestamp::from_unix(1000);
        assert!(matches!(ledger.mark(&name("a"), print("1"), now), Ok(None)));
        let code = |result: Result<Option<Answer>, Problem>| result.unwrap_err().code;
        assert_eq!(code(ledger.mark(&name("a"), print("1"), now)), Code::IdempotentRequestInProgress);
        assert_eq!(code(ledger.mark(&name("a"), print("2"), now)), Code::IdempotencyError);
        assert!(matches!(ledger.mark(&name("b"), print("1"), now), Ok(None)), "another key is another request");
        drop(Running { ledger: &ledger, name: name("a"), fingerprint: print("1") });
        assert!(matches!(ledger.mark(&name("a"), print("2"), now), Ok(None)));
    }

    #[test]
    fn a_secret_answer_is_kept_in_memory_for_ten_minutes() {
        let ledger = Ledger::default();
        let start = Timestamp::from_unix(1000);
        let answer = Answer::created(&"token").secret();
        ledger.keep_secret(&name("a"), print("1"), start, answer.clone());
        assert_eq!(ledger.mark(&name("a"), print("1"), start.plus_s(599)).unwrap(), Some(answer));
        assert_eq!(ledger.mark(&name("a"), print("2"), start).unwrap_err().code, Code::IdempotencyError);
        assert!(ledger.mark(&name("a"), print("1"), start.plus_s(600)).unwrap().is_none());
    }

    #[test]
    fn the_oldest_secret_makes_room() {
        let ledger = Ledger::default();
        for at in 0..=1024 {
            let at = Timestamp::from_unix(at);
            ledger.keep_secret(&name(&at.to_string()), print("1"), at, Answer::nothing().secret());
        }
        let marks = ledger.0.lock().unwrap();
        assert_eq!(marks.len(), SECRETS_MAX);
        assert!(!marks.contains_key(&name(&Timestamp::from_unix(0).to_string())));
    }

    #[test]
    fn an_answer_survives_being_kept() {
        let answer = Answer::created(&[1]).with("ld-role", HeaderValue::from(5));
        let kept = frozen(print("1"), &answer, Timestamp::from_unix(5));
        assert_eq!((kept.status, kept.body.as_slice()), (201, b"[1]".as_slice()));
        assert_eq!(thawed(kept), answer);
    }
}
