//! What crashes left on disk.

use super::super::file::FileKind;
use super::super::root::Host;
use super::super::scene::Scene;
use crate::domain::gap::GapReason;
use crate::evidence::Observed;
use crate::evidence::crash::{Crashes, Dump, PSTORE, kind};

/// Where crashes leave dumps, and how deep: kdump makes a folder for each.
const PLACES: &[(&str, Depth)] =
    &[(PSTORE, Depth::Files), ("/var/crash", Depth::Folders), ("/var/lib/systemd/coredump", Depth::Files)];
/// Names that are looked at in one place.
const NAMES_MAX: usize = 2_000;
/// Dumps that are kept, the newest.
const DUMPS_MAX: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Files,
    Folders,
}

pub(super) fn crashes(scene: &Scene) -> Observed<Crashes> {
    let host = &scene.host;
    let mut found = Crashes::default();
    for (place, depth) in PLACES {
        match host.list(place) {
            Ok(names) => {
                found.places.push((*place).to_owned());
                for name in names.iter().take(NAMES_MAX) {
                    look(host, place, &format!("{place}/{name}"), *depth, &mut found);
                }
            }
            Err(gap) if gap.reason == GapReason::Absent => {}
            Err(gap) => found.gaps.push(gap),
        }
    }
    found.dumps.sort_by(|a, b| b.modified_unix.cmp(&a.modified_unix).then_with(|| a.path.cmp(&b.path)));
    found.dropped = found.dumps.len().saturating_sub(DUMPS_MAX) as u64;
    found.dumps.truncate(DUMPS_MAX);
    found.seen()
}

/// Adds a file, or the files of a folder.
fn look(host: &Host, place: &str, path: &str, depth: Depth, found: &mut Crashes) {
    let Ok(metadata) = host.metadata(path) else { return };
    match metadata.kind {
        FileKind::File => {
            let name = path.rsplit('/').next().unwrap_or(path);
            found.dumps.extend(kind(place, name).map(|kind| Dump {
                path: path.to_owned(),
                kind,
                size_bytes: metadata.size_bytes,
                modified_unix: metadata.modified_unix,
            }));
        }
        FileKind::Directory if depth == Depth::Folders => {
            for name in host.list(path).unwrap_or_default().iter().take(NAMES_MAX) {
                look(host, place, &format!("{path}/{name}"), Depth::Files, found);
            }
        }
        FileKind::Directory | FileKind::Link | FileKind::Other => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::testing::{recorded, scene};
    use super::*;
    use crate::evidence::crash::DumpKind;

    #[test]
    fn dumps_are_found_in_their_places_and_in_the_folders_of_kdump() {
        let files =
            ["var/crash/202611240101/vmcore", "var/crash/kexec_cmd", "var/lib/systemd/coredump/core.iggy-server.1"];
        let (_tree, host) = recorded(&files.map(|path| (path, "12345")));
        let found = crashes(&scene(host)).unwrap();
        let mut kinds: Vec<_> =
            found.dumps.iter().map(|dump| (dump.path.as_str(), dump.kind, dump.size_bytes)).collect();
        kinds.sort_by_key(|(path, ..)| *path);
        let expected = [
            ("/var/crash/202611240101/vmcore", DumpKind::Kernel, 5),
            ("/var/lib/systemd/coredump/core.iggy-server.1", DumpKind::Iggy, 5),
        ];
        assert_eq!(kinds, expected);
        let (_tree, empty) = recorded(&[]);
        let gap = crashes(&scene(empty)).unwrap_err();
        assert_eq!(gap.reason, GapReason::Absent);
    }
}
