//! What a snapshot is asked to observe, and what its collectors may look at.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::root::Host;
use crate::domain::time::Timestamp;
use crate::evidence::Evidence;

/// What is to be observed, as configured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Length of the sampling window, milliseconds.
    pub window_ms: u64,
    /// How long the whole snapshot may take, seconds.
    pub deadline_s: u64,
    /// Where Iggy is, as far as it was configured.
    pub iggy: IggyRequest,
    /// Files of authorities that count as known besides the host's own.
    pub ca_files: Vec<String>,
    /// Whether the peers of Iggy's roster may be connected to.
    pub contact_peers: ContactPeers,
}

/// Whether a snapshot may connect to other nodes and look up names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactPeers {
    /// No connection to peers, no look-up but /etc/hosts.
    Never,
    /// Peers of the roster may be connected to.
    Allowed,
}

/// Where Iggy is, as far as it was configured; what is `None` is looked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IggyRequest {
    /// Its data directory.
    pub data_dir: Option<PathBuf>,
    /// Its configuration file.
    pub config_file: Option<PathBuf>,
    /// Its HTTP API.
    pub http_url: Option<String>,
    /// The file that holds a credential for it.
    pub credential_file: Option<PathBuf>,
}

/// What a collector may look at.
#[derive(Debug)]
pub(super) struct Scene {
    /// The host.
    pub(super) host: Arc<Host>,
    /// What was asked for.
    pub(super) request: Request,
    /// The evidence of the stages before.
    pub(super) evidence: Evidence,
    /// When the snapshot began.
    pub(super) now: Timestamp,
}

/// Hosts and scenes for the tests of collectors.
#[cfg(test)]
pub(super) mod testing {
    use std::path::Path;

    use super::*;

    /// A host of which nothing is known yet, looked at in the year 2026.
    pub(in crate::host) fn scene(host: Host) -> Scene {
        Scene {
            host: Arc::new(host),
            request: Request {
                window_ms: 0,
                deadline_s: 60,
                ca_files: Vec::new(),
                iggy: IggyRequest::default(),
                contact_peers: ContactPeers::Never,
            },
            evidence: Evidence::default(),
            now: Timestamp::from_unix(1_790_000_000),
        }
    }

    /// A recorded host of these files, in a tree that may be changed as long as it is held.
    pub(in crate::host) fn recorded(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let tree = tempfile::tempdir().unwrap();
        for (path, content) in files {
            write(tree.path(), path, content);
        }
        let host = Host::recorded(tree.path()).unwrap();
        (tree, host)
    }

    /// Writes a file of a tree, with the folders above it.
    pub(in crate::host) fn write(tree: &Path, path: &str, content: impl AsRef<[u8]>) {
        let at = tree.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, content).unwrap();
    }
}
