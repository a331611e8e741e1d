//! Whose snapshot it is.

use serde::{Deserialize, Serialize};

use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, NodeId, SnapshotId, TenantId};
use crate::domain::snapshot::SnapshotOptions;
use crate::domain::time::Timestamp;

/// Whose snapshot it is, when it was taken and what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot<T> {
    /// Its name, the same on all nodes of a trigger.
    pub name: T,
    /// The ids, when an appliance took it; a one-shot snapshot has none.
    pub ids: Ids,
    /// The deployment's name, if there is one.
    pub deployment: Option<T>,
    /// The node's name; the host's, when nothing else is known.
    pub node: T,
    /// The host's own name.
    pub hostname: Option<T>,
    /// When observation began.
    pub taken_at: Timestamp,
    /// Seconds that the host's local time is ahead of UTC then; none when unknown.
    pub utc_offset_s: Option<i32>,
    /// How long it took until this report was rendered, milliseconds.
    pub duration_ms: u64,
    /// What was asked for.
    pub options: SnapshotOptions,
}

/// The ids of a snapshot, as strings: JavaScript reads them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The tenant.
    #[serde(with = "text")]
    pub tenant: Option<TenantId>,
    /// The division.
    #[serde(with = "text")]
    pub division: Option<DivisionId>,
    /// The environment.
    #[serde(with = "text")]
    pub environment: Option<EnvironmentId>,
    /// The deployment.
    #[serde(with = "text")]
    pub deployment: Option<DeploymentId>,
    /// The node.
    #[serde(with = "text")]
    pub node: Option<NodeId>,
    /// The row.
    #[serde(with = "text")]
    pub snapshot: Option<SnapshotId>,
}

impl<T> Snapshot<T> {
    /// When it was taken, on the host's own clock: `04:12:40 +01:00`; none when that is UTC or unknown.
    #[must_use]
    pub fn local_time(&self) -> Option<String> {
        let local = self.taken_at.plus_s(i64::from(self.utc_offset_s?)).to_string();
        Some(format!("{} {}", local.get(11..19)?, self.utc_offset()?))
    }

    /// How far the host's own clock is ahead of UTC: `+01:00`; none when it is in UTC or unknown.
    #[must_use]
    pub fn utc_offset(&self) -> Option<String> {
        let offset_s = self.utc_offset_s.filter(|offset_s| *offset_s != 0)?;
        let (sign, minutes) = (if offset_s < 0 { '−' } else { '+' }, offset_s.unsigned_abs() / 60);
        Some(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
    }

    pub(super) fn map_text<U>(self, f: &mut super::Map<'_, T, U>) -> Snapshot<U> {
        Snapshot {
            name: f(self.name),
            ids: self.ids,
            deployment: self.deployment.map(&mut *f),
            node: f(self.node),
            hostname: self.hostname.map(&mut *f),
            taken_at: self.taken_at,
            utc_offset_s: self.utc_offset_s,
            duration_ms: self.duration_ms,
            options: self.options,
        }
    }

    pub(super) fn for_each_text(&self, f: &mut super::Visit<'_, T>) {
        let Self { name, ids: _, deployment, node, hostname, taken_at: _, utc_offset_s: _, duration_ms: _, options: _ } =
            self;
        f(name);
        deployment.iter().for_each(&mut *f);
        f(node);
        hostname.iter().for_each(&mut *f);
    }
}

/// An optional id as a string.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<I: Display, S: Serializer>(id: &Option<I>, serializer: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => serializer.collect_str(id),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, I, D>(deserializer: D) -> Result<Option<I>, D::Error>
    where
        I: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}
