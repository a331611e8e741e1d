//! How our nouns stand in columns: ids and times as integers, words of closed lists as text, trees as JSON.

use std::str::FromStr;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::domain::deployment::{Area, AvailabilityMode, Cloud, NodeKind, StorageType};
use crate::domain::id::{
    DeploymentId, DivisionId, EnvironmentId, KeyId, NodeId, RoleId, SnapshotId, TenantId, TriggerId, UserId,
};
use crate::domain::permission::RoleKind;
use crate::domain::snapshot::{IggyData, Outcome, Redaction, SnapshotOptions, Status};
use crate::domain::time::Timestamp;

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.get().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::new(value.as_i64()?).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )*};
}

ids! { DeploymentId DivisionId EnvironmentId KeyId NodeId RoleId SnapshotId TenantId TriggerId UserId }

macro_rules! words {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.word().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::from_str(value.as_str()?).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )*};
}

words! { Area AvailabilityMode Cloud NodeKind Outcome RoleKind StorageType }

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.unix().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::from_unix)
    }
}

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "processing" => Ok(Self::Processing),
            "completed" => Ok(Self::Completed),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

pub(super) const fn redaction_word(redaction: Redaction) -> &'static str {
    match redaction {
        Redaction::Masked => "masked",
        Redaction::Unredacted => "unredacted",
    }
}

pub(super) const fn iggy_data_word(iggy_data: IggyData) -> &'static str {
    match iggy_data {
        IggyData::Included => "included",
        IggyData::Excluded => "excluded",
    }
}

/// What [`redaction_word`] wrote; the schema allows no other word.
pub(super) fn redaction(word: &str) -> Redaction {
    if word == "unredacted" { Redaction::Unredacted } else { Redaction::Masked }
}

/// The options that two columns hold; the schema allows no other words.
pub(super) fn options(redaction: &str, iggy_data: &str) -> SnapshotOptions {
    SnapshotOptions {
        redaction: self::redaction(redaction),
        iggy_data: if iggy_data == "excluded" { IggyData::Excluded } else { IggyData::Included },
    }
}

/// What a column holds as JSON.
pub(super) fn from_json<T: DeserializeOwned>(table: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { table, source: Box::new(error) })
}

/// A column's JSON.
pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own trees have string keys and no failing serialisers")
}

/// The only row of a query that can give at most one.
pub(super) fn at_most_one<T>(answer: rusqlite::Result<T>) -> Result<Option<T>, StoreError> {
    use rusqlite::OptionalExtension;
    answer.optional().map_err(StoreError::from)
}

/// A count of rows or bytes.
pub(super) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A random id beyond 2^53: so that a client that rounds ids fails on the first day, not when one has grown.
#[must_use]
pub fn fresh_id() -> i64 {
    loop {
        let random = getrandom::u64().expect("Linux has a random number generator") >> 1;
        if let Ok(id) = i64::try_from(random)
            && id > 1 << 53
        {
            return id;
        }
    }
}
