//! Collector of deleted files that are still open: the links of /proc/PID/fd. A file behind a server or a program is not
//! waited for: what is known of it already is enough.

use std::collections::BTreeSet;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, StatxFlags};

use super::collector::{Collect, Collector, Stage};
use super::processes;
use super::scene::Scene;
use crate::evidence::Observed;
use crate::evidence::deleted_files::{DELETED_FILES, DeletedFile, DeletedFiles, Unread};
use crate::evidence::mounts::{MOUNTS, MountClass};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(DELETED_FILES, Stage::Facts, deleted_files)];

/// Open files that are looked at: half a second at worst.
const FILES_MAX: usize = 200_000;
/// How the kernel marks them.
const MARK: &str = " (deleted)";
/// Beginnings of what never had a place on a disk.
const IN_MEMORY: &[&str] =
    &["/memfd:", "/dev/shm/", "/dev/zero", "/SYSV", "/anon_hugepage", "/[aio]", "/drm ", "/i915"];

fn deleted_files(scene: &Scene) -> Observed<DeletedFiles> {
    let host = &scene.host;
    let mounts = scene.evidence.read(MOUNTS).map_or(&[][..], |mounts| mounts.as_slice());
    let memory: BTreeSet<(u32, u32)> =
        mounts.iter().filter(|mount| mount.class() == MountClass::Memory).map(|mount| mount.device).collect();
    host.call("deleted-files", || {
        let (mut found, mut hidden, mut left) = (Vec::new(), 0, FILES_MAX);
        for pid in processes::pids(host)?.into_iter().take(processes::PROCESSES_MAX) {
            let looked = of_process(pid, &memory, &mut left, &mut found);
            // Another error: it has ended.
            if matches!(looked, Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM)) {
                hidden += 1;
            }
        }
        Ok(DeletedFiles::of(found, hidden, if left == 0 { Unread::Some } else { Unread::None }))
    })
}

fn of_process(
    pid: u32,
    memory: &BTreeSet<(u32, u32)>,
    left: &mut usize,
    found: &mut Vec<DeletedFile>,
) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(CWD, format!("/proc/{pid}/fd"), flags, Mode::empty())?;
    let mut target = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        if *left == 0 {
            break;
        }
        *left -= 1;
        let name = entry.file_name();
        let Ok(read) = rustix::fs::readlinkat(&folder, name, std::mem::take(&mut target)) else { continue };
        target = read.into_bytes();
        let Some(path) = target.strip_suffix(MARK.as_bytes()) else { continue };
        if IN_MEMORY.iter().any(|start| path.starts_with(start.as_bytes())) {
            continue;
        }
        let wanted = StatxFlags::BLOCKS | StatxFlags::INO | StatxFlags::NLINK;
        let Ok(stat) = rustix::fs::statx(&folder, name, AtFlags::STATX_DONT_SYNC, wanted) else { continue };
        let device = (stat.stx_dev_major, stat.stx_dev_minor);
        // A name that only looks deleted, and one that was linked anew.
        if stat.stx_nlink == 0 && stat.stx_blocks > 0 && !memory.contains(&device) {
            found.push(DeletedFile {
                pid,
                path: String::from_utf8_lossy(path).into_owned(),
                allocated_bytes: stat.stx_blocks.saturating_mul(512),
                device,
                inode: stat.stx_ino,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_deleted_file_of_this_process_is_found_with_its_space() {
        // Beside the sources: the folder for temporary files may live in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
        let path = folder.path().join("held");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        file.sync_all().unwrap();
        let mut found = Vec::new();
        let pid = std::process::id();
        of_process(pid, &BTreeSet::new(), &mut 100_000, &mut found).unwrap();
        assert!(!found.iter().any(|one| one.path.ends_with("/held")));
        std::fs::remove_file(&path).unwrap();
        of_process(pid, &BTreeSet::new(), &mut 100_000, &mut found).unwrap();
        let held = found.iter().find(|one| one.path.ends_with("/held")).unwrap();
        assert!(held.allocated_bytes >= 1 << 20, "{held:?}");
        let mut none = Vec::new();
        of_process(pid, &[held.device].into(), &mut 100_000, &mut none).unwrap();
        assert!(!none.iter().any(|one| one.path.ends_with("/held")));
    }
}
