//! First answers, kept for replays. Successes only, and none that holds a secret: those stay in memory.

use rusqlite::params;

use super::columns::{at_most_one, count, from_json, to_json};
use super::{Reader, StoreError, Writer};
use crate::domain::id::KeyId;
use crate::domain::time::Timestamp;

/// An answer as it was first given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// SHA-256 of the request's method, path and body.
    pub request_sha256: [u8; 32],
    /// The status, 200 to 299.
    pub status: u16,
    /// The headers that belong to the answer itself, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it was given.
    pub created_at: Timestamp,
}

impl Reader {
    /// The answer kept for this key and idempotency key, unless it is older than `not_before`.
    ///
    /// # Errors
    /// The database's.
    pub fn kept_answer(
        &self,
        key: KeyId,
        idempotency_key: &str,
        not_before: Timestamp,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT request_sha256, status, headers, body, created_at FROM idempotency
             WHERE key_id = ?1 AND idempotency_key = ?2 AND created_at > ?3",
        )?;
        let found = at_most_one(statement.query_row(params![key, idempotency_key, not_before], |row| {
            let headers: String = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, headers, row.get(3)?, row.get(4)?))
        }))?;
        let Some((request_sha256, status, headers, body, created_at)) = found else { return Ok(None) };
        let headers = from_json("idempotency", &headers)?;
        Ok(Some(KeptAnswer { request_sha256, status, headers, body, created_at }))
    }
}

impl Writer {
    /// Keeps an answer, in place of an older one.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: it is no success, or too long; [`StoreError::Referenced`]: the key is gone.
    pub fn keep_answer(&self, key: KeyId, idempotency_key: &str, answer: &KeptAnswer) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO idempotency
                (key_id, idempotency_key, request_sha256, status, headers, body, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                key,
                idempotency_key,
                answer.request_sha256,
                answer.status,
                to_json(&answer.headers),
                answer.body,
                answer.created_at
            ],
        )?;
        Ok(())
    }

    /// Drops the answers given at or before `until`; gives their number.
    ///
    /// # Errors
    /// The database's.
    pub fn drop_answers(&self, until: Timestamp) -> Result<u64, StoreError> {
        let dropped = self.connection.execute("DELETE FROM idempotency WHERE created_at <= ?1", [until])?;
        Ok(count(i64::try_from(dropped).unwrap_or(i64::MAX)))
    }
}
