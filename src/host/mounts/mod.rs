//! Mounts: which there are, which of them answer, and how much space they have.
//!
//! A file system that does not answer holds whoever asks it, so each is asked by a thread of a child process that can be
//! killed and abandoned ([`probe`]). What does not answer there is not touched in this process any more.

use std::time::Duration;

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::iggy::{IGGY_PLACE, IGGY_PROCESS, ProcessRoot};
use crate::evidence::mounts::{DATA_VOLUME, MOUNTS, Mount, MountClass, holding, parse};
use crate::evidence::{Observed, iggy::IggyPlace};

mod probe;

pub use probe::{ARGUMENT as PROBE_MOUNTS_ARGUMENT, probe_mounts_main};

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(MOUNTS, Stage::Mounts, mounts).within(LIMIT),
    &Collector::new(DATA_VOLUME, Stage::Detail, data_volume).within(LIMIT),
];

/// For the table, and for the answers: those that wait for a processor are waited for, see [`probe`].
const LIMIT: Duration = probe::WAIT_MAX.saturating_add(probe::PATIENCE).saturating_add(Duration::from_secs(1));
/// Bytes of a table of mounts that are read: some 20,000 lines.
const TABLE_BYTES_MAX: usize = 4 << 20;
/// Mounts that are asked; the first ones.
const ASKED_MAX: usize = 512;

fn table(host: &Host, path: &str) -> Observed<Vec<Mount>> {
    let read = host.bounded(path, TABLE_BYTES_MAX)?;
    Ok(parse(&String::from_utf8_lossy(&read.bytes)))
}

/// The host's mounts as its first process sees them, where that process has our root; else as we see them.
///
/// A service manager gives a hardened service a table of its own, in which every file system is read-only and some stand
/// there twice: that says something about us, and nothing about the host. A file system that we alone have is kept, since
/// it may hold us up. In a container the first process is the container's, or has another root than we have.
fn of_host(host: &Host) -> Observed<Vec<Mount>> {
    let own = table(host, "/proc/self/mountinfo")?;
    // Another user's process does not show its table: then ours is all that there is.
    let Ok(mut first) = table(host, "/proc/1/mountinfo") else { return Ok(own) };
    let root = |mounts: &[Mount]| {
        let root = mounts.iter().rfind(|mount| mount.point == "/");
        root.map(|mount| (mount.device, mount.root.clone()))
    };
    if root(&own).is_none() || root(&own) != root(&first) {
        return Ok(own);
    }
    let ours = own.into_iter().filter(|mount| first.iter().all(|theirs| theirs.device != mount.device));
    let ours: Vec<Mount> = ours.collect();
    first.extend(ours);
    Ok(first)
}

fn mounts(scene: &Scene) -> Observed<Vec<Mount>> {
    let host = &scene.host;
    let mut mounts = of_host(host)?;
    // Of several mounts on one point only the last can be reached.
    let reachable: Vec<usize> = (0..mounts.len())
        .filter(|&at| mounts[at].class() != MountClass::Pseudo)
        .filter(|&at| !mounts[at + 1..].iter().any(|later| later.point == mounts[at].point))
        .take(ASKED_MAX)
        .collect();
    let asked: Vec<Mount> = reachable.iter().map(|&at| mounts[at].clone()).collect();
    // A recorded tree without answers still has the table.
    let answers = host.call("mounts", || Ok(probe::ask(&asked))).unwrap_or_default();
    for (&at, mount) in reachable.iter().zip(&asked) {
        if let Some((_, answer)) = answers.iter().find(|(point, _)| *point == mount.point) {
            mounts[at].space = answer.clone().into();
        }
        if mounts[at].is_stuck() {
            host.mark_stuck(&mounts[at].point);
        }
    }
    Ok(mounts)
}

/// The file system below the data directory: ours, or one that only the server's process sees.
fn data_volume(scene: &Scene) -> Observed<Mount> {
    let place: &IggyPlace = scene.evidence.read(IGGY_PLACE)?;
    let no_path =
        || Gap::absent("no data directory of Iggy is known").unlocked_by("iggy.data_dir in snapvisor's configuration");
    let seen = place.data_dir.as_deref().ok_or_else(no_path)?;
    let none = || Gap::broken(format!("no mount holds {seen}"));
    match scene.evidence.read(IGGY_PROCESS) {
        Ok(process) if process.root == ProcessRoot::Own && seen.starts_with("/proc/") => {
            let named = place.named.as_deref().ok_or_else(no_path)?;
            let theirs = table(&scene.host, &format!("/proc/{}/mountinfo", process.pid))?;
            let mut mount = holding(&theirs, named).ok_or_else(none)?.clone();
            let asked = Mount { point: seen.to_owned(), ..mount.clone() };
            let answers = scene.host.call("mounts-data", || Ok(probe::ask(&[asked])))?;
            if let Some((_, answer)) = answers.into_iter().next() {
                mount.space = answer.into();
            }
            Ok(mount)
        }
        _ => {
            let mounts = scene.evidence.read(MOUNTS)?;
            // A link on the way would lead to another mount; it is resolved only where that cannot hang.
            let resolved = if scene.host.is_live() { resolved(scene, mounts, seen) } else { None };
            holding(mounts, resolved.as_deref().unwrap_or(seen)).cloned().ok_or_else(none)
        }
    }
}

fn resolved(scene: &Scene, mounts: &[Mount], path: &str) -> Option<String> {
    // A path below a mount that does not answer is refused by the host, and stays as it is.
    scene.host.metadata(path).ok()?;
    holding(mounts, path).filter(|mount| mount.class() != MountClass::Remote)?;
    Some(std::fs::canonicalize(path).ok()?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
