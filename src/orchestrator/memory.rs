//! What is remembered of each node's last snapshot: names of checks and their verdicts, in a file below the data
//! directory, for the changes that the next report shows. It goes with its node.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::id::NodeId;
use crate::store::{Reader, Store};

/// The directory of these files.
const DIRECTORY: &str = "last";
/// Files that are looked at in one go; what is beyond is looked at the next time.
const FILES_MAX: usize = 100_000;

/// Where these files are.
#[must_use]
pub fn last_snapshots(data_dir: &Path) -> PathBuf {
    data_dir.join(DIRECTORY)
}

/// The file of a node.
pub(super) fn file(data_dir: &Path, node: NodeId) -> PathBuf {
    last_snapshots(data_dir).join(format!("{node}.json"))
}

/// Removes the files of nodes that are gone. Blocks.
///
/// # Errors
/// One cannot be removed, or the database cannot be asked.
pub fn forget_removed_nodes(store: &Store, data_dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(last_snapshots(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries.take(FILES_MAX) {
        let entry = entry?;
        let name = entry.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.split('.').next()) else { continue };
        let Ok(node) = stem.parse::<NodeId>() else { continue };
        let there = store.read_blocking(move |r: &Reader| r.node(node)).map_err(io::Error::other)?;
        if there.is_none() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::orchestrator::bootstrap;

    #[test]
    fn what_is_remembered_of_a_node_goes_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        forget_removed_nodes(&store, dir.path()).unwrap();
        let now = Timestamp::from_unix(1_780_000_000);
        bootstrap(&store, dir.path(), "iggy-01", "http://127.0.0.1:8787", now).unwrap();
        let there = store
            .read_blocking(|r| {
                let deployment = r.deployments_of_tenant(r.tenants()?[0].id)?[0].id;
                Ok::<_, crate::store::StoreError>(r.nodes(deployment)?[0].id)
            })
            .unwrap();
        let gone = "1".parse::<NodeId>().unwrap();
        fs::create_dir(last_snapshots(dir.path())).unwrap();
        for node in [there, gone] {
            fs::write(file(dir.path(), node), "{}").unwrap();
        }
        let notes = last_snapshots(dir.path()).join("notes.txt");
        fs::write(&notes, "").unwrap();
        forget_removed_nodes(&store, dir.path()).unwrap();
        assert!(file(dir.path(), there).exists() && notes.exists());
        assert!(!file(dir.path(), gone).exists());
    }
}
