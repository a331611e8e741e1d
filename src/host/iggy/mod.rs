//! Finding Iggy on a host and asking it.
//!
//! Whatever a process says about itself can be said by anybody who may start a process of that name, so it is believed
//! only within limits ([`place`]). Environments and command lines are read into memory that is wiped, and only what is
//! on a closed list leaves this room.

use std::time::Duration;

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::api::{IGGY_API, IGGY_PING};
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::connectors::CONNECTORS;
use crate::evidence::drift::START_FILES;
use crate::evidence::iggy::{IGGY_PLACE, IGGY_PROCESS, IGGY_PROCESSES, IggyProcess, Program, SECRET_SEEDS};
use crate::evidence::installed::INSTALLED;
use crate::evidence::integrity::INTEGRITY;
use crate::evidence::metrics::{METRICS_FIRST, METRICS_SECOND};
use crate::evidence::processes::{PROCESSES, Visibility};
use crate::evidence::secret_files::SECRET_FILES;
use crate::evidence::segments::SEGMENT_FILES;
use crate::evidence::state::DATA_VERSION;

mod api;
mod client;
mod config;
mod connectors;
mod credential;
mod drift;
pub(super) mod endpoint;
pub(super) mod environment;
mod installed;
mod integrity;
mod metrics;
mod pinned;
mod place;
mod process;
mod rpm;
mod secret_files;
mod seeds;
mod segments;
mod state;
#[cfg(test)]
mod tests;

/// One answer, and what is around it.
const PING_MAX: Duration = Duration::from_millis(2_500);
/// Reading, and what is around it.
const INTEGRITY_MAX: Duration = integrity::READ_MAX.saturating_add(Duration::from_secs(2));
/// A login and a handful of answers, each under its own limit.
const API_MAX: Duration = Duration::from_secs(8);

/// A login and one answer twice.
const METRICS_MAX: Duration = Duration::from_secs(5);
/// Walking, and what is around it.
const SEGMENTS_MAX: Duration = segments::WALK_MAX.saturating_add(Duration::from_secs(1));

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(IGGY_PROCESSES, Stage::Discovery, process::processes),
    &Collector::new(IGGY_PROCESS, Stage::Choice, server),
    &Collector::new(IGGY_PLACE, Stage::Placement, place::place),
    &Collector::new(IGGY_CONFIG, Stage::Detail, config::config),
    &Collector::new(DATA_VERSION, Stage::Detail, state::version),
    &Collector::new(INTEGRITY, Stage::Questions, integrity::integrity).within(INTEGRITY_MAX),
    &Collector::new(IGGY_PING, Stage::Questions, api::ping).within(PING_MAX),
    &Collector::new(IGGY_API, Stage::Questions, api::api).within(API_MAX),
    &Collector::new(CONNECTORS, Stage::Questions, connectors::connectors).within(API_MAX),
    &Collector::new(METRICS_FIRST, Stage::Questions, metrics::first).within(METRICS_MAX),
    &Collector::new(METRICS_SECOND, Stage::Rates, metrics::second).within(METRICS_MAX),
    &Collector::new(SEGMENT_FILES, Stage::Questions, segments::segments).within(SEGMENTS_MAX),
    &Collector::new(INSTALLED, Stage::Facts, installed::installed),
    &Collector::new(START_FILES, Stage::Detail, drift::start_files),
    &Collector::new(SECRET_SEEDS, Stage::Detail, seeds::seeds),
    &Collector::new(SECRET_FILES, Stage::Questions, secret_files::secret_files),
];

fn server(scene: &Scene) -> Observed<IggyProcess> {
    let configured = place::configured(scene);
    let processes = scene.evidence.read(IGGY_PROCESSES)?;
    let other = || match (&configured, processes.iter().find(|process| process.program == Program::Server)) {
        (Some(path), Some(process)) => format!(
            "no process of iggy-server runs on {path}, which is configured; process {} serves another directory",
            process.pid
        ),
        _ => "no process of iggy-server runs on this host, as far as it can be seen".to_owned(),
    };
    let chosen = chosen(&scene.host, processes, configured.as_deref());
    chosen.cloned().ok_or_else(|| hidden(scene).unwrap_or_else(|| Gap::absent(other())))
}

/// Why it is not known whether a server runs, where that is so.
fn hidden(scene: &Scene) -> Option<Gap> {
    let hidden = scene.evidence.read(PROCESSES).is_ok_and(|all| all.visibility == Visibility::OwnOnly);
    hidden.then(|| {
        let detail = "whether iggy-server runs is not known: /proc hides the processes of other users (hidepid)";
        Gap::denied(detail, "CAP_SYS_PTRACE, or the group that /proc is mounted for (gid=)")
    })
}

/// The server that the snapshot is about: the one on the configured data directory, or one of which it cannot be seen
/// where it keeps its data; without a configuration the one that started first. A server that is seen to keep its data
/// elsewhere is another one, and nothing of it is judged.
fn chosen<'a>(host: &Host, processes: &'a [IggyProcess], configured: Option<&str>) -> Option<&'a IggyProcess> {
    let servers = || processes.iter().filter(|process| process.program == Program::Server);
    let first = |of: &dyn Fn(&IggyProcess) -> bool| {
        servers().filter(|process| of(process)).min_by_key(|process| (process.started_ticks, process.pid))
    };
    let Some(configured) = configured else { return first(&|_| true) };
    first(&|process| serves(host, process, configured) == Some(true))
        .or_else(|| first(&|process| serves(host, process, configured).is_none()))
}

/// Whether a server keeps its data in this directory, by whatever path; `None` where that cannot be seen.
fn serves(host: &Host, process: &IggyProcess, directory: &str) -> Option<bool> {
    let own = process.seen(process.data_dir.as_ref().ok()?);
    if own == directory {
        return Some(true);
    }
    let identity = |path: &str| host.metadata(path).ok().map(|metadata| (metadata.device, metadata.inode));
    Some(identity(&own)? == identity(directory)?)
}
