//! Ids. Positive 63-bit integers, JSON numbers on the API, strings in `report.json` (a browser reads that one).

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an id.
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    /// Not a decimal integer.
    #[error("not a whole number")]
    NotANumber(#[source] ParseIntError),
    /// Zero or negative.
    #[error("not positive")]
    NotPositive,
    /// With a sign or with zeros before it: an id has one spelling, so that two texts are never the same id.
    #[error("written with a sign or with leading zeros")]
    Spelling,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// The id with this value.
            ///
            /// # Errors
            /// Zero and negative numbers are no ids.
            pub const fn new(value: i64) -> Result<Self, IdError> {
                if value > 0 { Ok(Self(value)) } else { Err(IdError::NotPositive) }
            }

            /// The number, as SQLite and JSON hold it.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;
            fn try_from(value: i64) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let id = Self::new(text.parse().map_err(IdError::NotANumber)?)?;
                if text.starts_with(['+', '0']) { Err(IdError::Spelling) } else { Ok(id) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A tenant: the top of the hierarchy; an appliance has at least one.
    TenantId;
    /// A division of a tenant.
    DivisionId;
    /// An environment of a division.
    EnvironmentId;
    /// A deployment of an environment: one Iggy server or cluster.
    DeploymentId;
    /// A node of a deployment: one host.
    NodeId;
    /// A role: a named permission tree.
    RoleId;
    /// An API key.
    KeyId;
    /// Who made a key; the appliance has one operator.
    UserId;
    /// One POST: a snapshot of every node of a deployment.
    TriggerId;
    /// One row: one node's part of a trigger. Small and increasing.
    SnapshotId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_beyond_two_to_the_53_survives_json() {
        let id: DeploymentId = serde_json::from_str("611298765432109056").unwrap();
        assert_eq!(id.get(), 611_298_765_432_109_056);
        assert_eq!(serde_json::to_string(&id).unwrap(), "611298765432109056");
    }

    #[test]
    fn what_is_not_positive_is_no_id() {
        for text in ["0", "-1", "", "1.5", "9223372036854775808", "x"] {
            assert!(text.parse::<NodeId>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<NodeId>("0").is_err());
    }
}
