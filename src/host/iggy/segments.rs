//! Walks the partitions' folders: names, sizes and times of segment files, and nothing of what is in them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::super::root::Host;
use super::super::scene::Scene;
use super::integrity::{lost, partition_folders};
use crate::evidence::Observed;
use crate::evidence::iggy::IGGY_PLACE;
use crate::evidence::segments::{Counterpart, ORPHANS_MAX, Orphan, SegmentFiles, Walk};
use crate::iggy::Layout;

/// Files that are looked at.
const FILES_MAX: u64 = 200_000;
/// How long is walked.
pub(super) const WALK_MAX: Duration = Duration::from_secs(3);

pub(super) fn segments(scene: &Scene) -> Observed<SegmentFiles> {
    let place = scene.evidence.read(IGGY_PLACE)?;
    let root = place.below("")?;
    let root = root.trim_end_matches('/').to_owned();
    let layout = place.believed().map_or(Layout::Unknown, |(_, directory)| directory.layout);
    scene.host.call("iggy-segment-files", || walk(&scene.host, &root, layout, Instant::now() + WALK_MAX))
}

fn walk(host: &Host, root: &str, layout: Layout, until: Instant) -> Observed<SegmentFiles> {
    let (folders, unlisted) = partition_folders(host, root)?;
    let mut found = SegmentFiles { unlisted, ..SegmentFiles::default() };
    for (_, folder) in folders {
        if Instant::now() >= until || found.logs + found.indexes >= FILES_MAX {
            found.walk = Walk::Cut;
            break;
        }
        found.partitions += 1;
        let names = match host.list(&folder) {
            Ok(names) => names,
            Err(gap) => {
                found.unlisted.extend(lost(gap));
                continue;
            }
        };
        for name in &names {
            let Some((is_log, _)) = kind(name) else { continue };
            let metadata = host.metadata(&format!("{folder}/{name}")).ok();
            let size = metadata.as_ref().map_or(0, |metadata| metadata.size_bytes);
            found.bytes += size;
            if is_log == Counterpart::Log {
                found.logs += 1;
                found.empty_logs += u64::from(size == 0);
                found.newest_unix = found.newest_unix.max(metadata.map(|metadata| metadata.modified_unix));
            } else {
                found.indexes += 1;
            }
        }
        if orphans(&names, layout).is_empty() {
            continue;
        }
        // A server removes and creates the two one after the other: what counts is what is still so.
        let Ok(again) = host.list(&folder) else { continue };
        let below = folder.strip_prefix(root).unwrap_or(&folder).trim_start_matches('/');
        for (name, missing) in orphans(&again, layout) {
            if found.orphans.len() < ORPHANS_MAX {
                found.orphans.push(Orphan { path: format!("{below}/{name}"), missing });
            }
        }
    }
    Ok(found)
}

/// Which file of a segment this is, and of which.
fn kind(name: &str) -> Option<(Counterpart, &str)> {
    let (stem, extension) = name.rsplit_once('.')?;
    let numbered = stem.len() == super::integrity::NAME_DIGITS && stem.bytes().all(|byte| byte.is_ascii_digit());
    match extension {
        "log" if numbered => Some((Counterpart::Log, stem)),
        "index" if numbered => Some((Counterpart::Index, stem)),
        _ => None,
    }
}

/// Files whose counterpart is missing. Only 0.8 is known to write an index for every log.
fn orphans(names: &[String], layout: Layout) -> Vec<(&str, Counterpart)> {
    let mut segments: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for name in names {
        match kind(name) {
            Some((Counterpart::Log, stem)) => segments.entry(stem).or_default().0 = Some(name),
            Some((Counterpart::Index, stem)) => segments.entry(stem).or_default().1 = Some(name),
            None => {}
        }
    }
    segments
        .into_values()
        .filter_map(|segment| match segment {
            (None, Some(index)) => Some((index, Counterpart::Log)),
            (Some(log), None) if layout == Layout::V0_8 => Some((log, Counterpart::Index)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/iggy-0.8.0-clean");

    fn copied() -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        super::super::integrity::tests::copy(std::path::Path::new(CLEAN), copy.path());
        copy
    }

    fn walked(root: &std::path::Path, layout: Layout) -> SegmentFiles {
        walk(&Host::live(), root.to_str().unwrap(), layout, Instant::now() + WALK_MAX).unwrap()
    }

    #[test]
    fn a_real_directory_has_a_log_and_an_index_for_each_segment() {
        let found = walked(std::path::Path::new(CLEAN), Layout::V0_8);
        assert_eq!((found.logs, found.indexes, found.orphans.len(), found.walk), (10, 10, 0, Walk::Whole));
        assert!(found.newest_unix.is_some() && found.partitions > 0 && found.bytes > 1_000_000);
    }

    #[test]
    fn a_file_without_its_counterpart_is_named() {
        let copy = copied();
        let partition = copy.path().join("streams/0/topics/0/partitions/0");
        let index = partition.join("00000000000000000000.index");
        std::fs::remove_file(&index).unwrap();
        let path = |name: &str| format!("streams/0/topics/0/partitions/0/{name}");
        let missing = |name: &str, missing| vec![Orphan { path: path(name), missing }];
        let log = "00000000000000000000.log";
        assert_eq!(walked(copy.path(), Layout::V0_8).orphans, missing(log, Counterpart::Index));
        assert_eq!(walked(copy.path(), Layout::Edge).orphans, [], "0.9 edge need not write one");
        std::fs::rename(partition.join(log), index).unwrap();
        let index = "00000000000000000000.index";
        assert_eq!(walked(copy.path(), Layout::Edge).orphans, missing(index, Counterpart::Log));
    }

    #[test]
    fn a_walk_ends_in_time_and_says_so() {
        let found = walk(&Host::live(), CLEAN, Layout::V0_8, Instant::now()).unwrap();
        assert_eq!((found.walk, found.partitions), (Walk::Cut, 0));
    }
}
