//! Collector of the first levels of Iggy's data directory.

use super::collector::{Collect, Collector, Stage};
use super::scene::Scene;
use super::{FileKind, Host};
use crate::evidence::Observed;
use crate::evidence::data_dir::{DATA_DIR, DataDirectory, DataEntry, DataKind};
use crate::evidence::iggy::IGGY_PLACE;

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(DATA_DIR, Stage::Detail, data_dir)];

/// Entries that are looked at.
const ENTRIES_MAX: usize = 10_000;

fn data_dir(scene: &Scene) -> Observed<DataDirectory> {
    let place = scene.evidence.read(IGGY_PLACE)?;
    let root = place.below("")?;
    let root = root.trim_end_matches('/');
    let mut seen = DataDirectory::default();
    look(&scene.host, root, "", &mut seen);
    for name in scene.host.list(root)? {
        if look(&scene.host, root, &name, &mut seen) == Some(DataKind::Folder) {
            // Below `streams` stands a folder for each stream, as many as there are.
            for inner in scene.host.list(&format!("{root}/{name}")).unwrap_or_default() {
                look(&scene.host, root, &format!("{name}/{inner}"), &mut seen);
            }
        }
    }
    Ok(seen)
}

fn look(host: &Host, root: &str, path: &str, seen: &mut DataDirectory) -> Option<DataKind> {
    if seen.entries.len() == ENTRIES_MAX {
        seen.dropped += 1;
        return None;
    }
    let Ok(metadata) = host.metadata(&format!("{root}/{path}")) else {
        seen.hidden += 1;
        return None;
    };
    let kind = if metadata.kind == FileKind::Directory { DataKind::Folder } else { DataKind::File };
    seen.entries.push(DataEntry {
        path: path.to_owned(),
        uid: metadata.uid,
        gid: metadata.gid,
        mode: metadata.mode,
        kind,
    });
    Some(kind)
}
