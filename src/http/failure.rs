//! Each module's error as a problem: one match a module, none with a `_`, so that a new variant asks for its answer.

use super::problem::{Code, Problem};
use crate::store::StoreError;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Busy | StoreError::Stopped => {
                tracing::warn!(error = %super::problem::chain(&error), "the database did not answer");
                Self::new(Code::ServiceUnavailable, "The server is too busy, or stopping; ask again in a few seconds.")
            }
            StoreError::Full(_) => {
                tracing::error!(error = %super::problem::chain(&error), "the database cannot grow");
                let reason = "The disk of the server's database is full; its operator must make room.";
                Self::new(Code::InsufficientStorage, reason)
            }
            StoreError::File { .. }
            | StoreError::Foreign(_)
            | StoreError::Newer { .. }
            | StoreError::NotUnique(_)
            | StoreError::Referenced(_)
            | StoreError::Refused(_)
            | StoreError::Corrupt { .. }
            | StoreError::Sqlite(_) => Self::internal(&error),
        }
    }
}
