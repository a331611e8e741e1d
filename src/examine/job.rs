//! What a node is asked, and what it answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, NodeId, SnapshotId, TenantId};
use crate::domain::snapshot::{Redaction, SnapshotOptions};
use crate::domain::verdict::VerdictCounts;
use crate::redact::PseudonymKey;
use crate::report::diff::Previous;

/// What host is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// This machine; recorded below the directory as well, if one is given.
    Live {
        /// Where a recorded tree is to be written.
        record: Option<PathBuf>,
    },
    /// A recorded tree.
    Recorded {
        /// Its root.
        tree: PathBuf,
    },
}

/// The snapshot before, which the report's changes are counted from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// None is known, and none is to be remembered.
    #[default]
    Nothing,
    /// This one.
    Given(Previous),
    /// The one of this file, if there is one; this snapshot takes its place once its archive is whole.
    Kept {
        /// The file, for its owner alone. Its directory is made if need be.
        file: PathBuf,
    },
}

/// What a snapshot is called and to whom it belongs. The ids are missing for the one-shot command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotLabel {
    /// `snapshot-YYYYMMDD-HHMMSS`.
    pub name: String,
    /// The deployment's name.
    pub deployment_name: String,
    /// The node's name.
    pub node_name: String,
    /// The tenant.
    pub tenant_id: Option<TenantId>,
    /// The division.
    pub division_id: Option<DivisionId>,
    /// The environment.
    pub environment_id: Option<EnvironmentId>,
    /// The deployment.
    pub deployment_id: Option<DeploymentId>,
    /// The node.
    pub node_id: Option<NodeId>,
    /// The row.
    pub snapshot_id: Option<SnapshotId>,
}

impl SnapshotLabel {
    /// A label without ids: the one-shot command's.
    #[must_use]
    pub fn local(name: String, node_name: String) -> Self {
        Self {
            name,
            deployment_name: "local".to_owned(),
            node_name,
            tenant_id: None,
            division_id: None,
            environment_id: None,
            deployment_id: None,
            node_id: None,
            snapshot_id: None,
        }
    }
}

/// What a node is asked. Crosses a pipe as JSON, never a command line: it holds the pseudonyms' key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// What the snapshot is called.
    pub label: SnapshotLabel,
    /// What the caller asked for.
    pub options: SnapshotOptions,
    /// Live or recorded.
    pub origin: Origin,
    /// The archive to write; made by the child, mode 0600; must not exist.
    pub archive: PathBuf,
    /// Seconds from the child's start until it is killed; hashing, checking and fsync included.
    pub deadline_s: u64,
    /// Bytes that the archive may have at most, 0: no limit but free space (`archive.max_bytes` less what is stored).
    pub archive_bytes_max: u64,
    /// Free bytes that must stay on the disk of the archive.
    pub reserve_bytes: u64,
    /// The snapshot before.
    #[serde(default)]
    pub before: Before,
    /// The node's own configuration.
    pub config: Config,
    /// The process that waits for the answer; set when the child is started.
    #[serde(default)]
    pub parent_pid: u32,
    /// The key of this trigger's pseudonyms.
    #[serde(with = "key_in_hex")]
    pub pseudonym_key: PseudonymKey,
}

/// The key as text: only for the pipe to the child.
mod key_in_hex {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    use crate::redact::PseudonymKey;

    pub(super) fn serialize<S: Serializer>(key: &PseudonymKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&key.expose_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PseudonymKey, D::Error> {
        let hex = Zeroizing::new(String::deserialize(deserializer)?);
        PseudonymKey::from_hex(&hex).map_err(D::Error::custom)
    }
}

/// What a node answers. Holds only redacted text: it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The report's headline.
    pub headline: String,
    /// How many checks ended how.
    pub counts: VerdictCounts,
    /// What the archive does not hold and why, a sentence each.
    pub left_out: Vec<String>,
    /// What stands in the archive: where clear text was asked for, it may all the same be masked.
    pub redaction: Redaction,
    /// Milliseconds from start to the archive's last fsync.
    pub duration_ms: u64,
}
