//! Where Iggy's data is, and whether that may be believed.
//!
//! The order is: the operator's configuration, the process, a unit file, well-known paths. What a process or its
//! environment names is believed only if root runs it, or if the executable and the data directory belong to root or to
//! that process's user; and if the directory has a layout of Iggy's.

use super::super::FileKind;
use super::super::root::Host;
use super::super::scene::Scene;
use super::hidden;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::iggy::{Directory, Doubt, FoundBy, IGGY_PROCESS, IggyPlace, IggyProcess, Standing};
use crate::evidence::units::{IGGY_UNITS, UnitFile};
use crate::iggy::Layout;
use crate::iggy::config::ServerConfig;

/// Where Iggy's packages, charts and documentation put its data.
const WELL_KNOWN: &[&str] = &[
    "/var/lib/iggy",
    "/var/lib/iggy/data",
    "/var/lib/iggy/local_data",
    "/var/lib/iggy-server",
    "/var/lib/apache-iggy",
    "/opt/iggy/local_data",
    "/opt/iggy/data",
    "/iggy/local_data",
    "/srv/iggy",
    "/data/iggy",
];
/// The configuration that a server writes at its start, below its data directory.
const CURRENT_CONFIG: &str = "runtime/current_config.toml";

/// The data directory that the operator named, or that the configuration file which the operator named does.
pub(super) fn configured(scene: &Scene) -> Option<String> {
    let request = &scene.request.iggy;
    if let Some(data_dir) = &request.data_dir {
        return Some(data_dir.to_string_lossy().into_owned());
    }
    let text = scene.host.text(&request.config_file.as_ref()?.to_string_lossy()).ok()?;
    let named = ServerConfig::parse(&text).ok()?.data_dir?;
    named.is_absolute().then(|| named.to_string_lossy().into_owned())
}

pub(super) fn place(scene: &Scene) -> Observed<IggyPlace> {
    let host = &scene.host;
    let configured = configured(scene);
    let process = scene.evidence.read(IGGY_PROCESS).ok();
    let mut place = match (&configured, process) {
        (Some(path), _) => by_configuration(host, path),
        (None, Some(process)) => by_process(host, process),
        (None, None) => {
            let units = scene.evidence.read(IGGY_UNITS).map_or(&[][..], Vec::as_slice);
            by_unit(host, units).or_else(|| by_path(host)).ok_or_else(|| no_trace(scene))?
        }
    };
    place.pid = process.map(|process| process.pid);
    place.config_file = config_file(scene, &place, process);
    Ok(place)
}

/// The configuration that tells most: what the server wrote at its start, else the file that it reads.
fn config_file(scene: &Scene, place: &IggyPlace, process: Option<&IggyProcess>) -> Option<String> {
    let host = &scene.host;
    let is_file = |path: &String| host.metadata(path).is_ok_and(|metadata| metadata.kind == FileKind::File);
    let named = scene.request.iggy.config_file.as_ref().map(|path| path.to_string_lossy().into_owned());
    let current = place.below(CURRENT_CONFIG).ok();
    let believed = process.filter(|process| executable_doubt(process).is_ok_and(|doubt| doubt.is_none()));
    let read = believed.and_then(IggyProcess::config_file);
    current.filter(is_file).or_else(|| named.filter(is_file)).or_else(|| read.filter(is_file))
}

fn by_configuration(host: &Host, path: &str) -> IggyPlace {
    let standing = match look(host, path) {
        Ok(Ok(directory)) => Standing::Believed(directory),
        Ok(Err(doubt)) => Standing::Doubted(doubt),
        Err(gap) => Standing::Unseen(gap),
    };
    at(FoundBy::Configuration, path.to_owned(), path.to_owned(), standing)
}

fn by_process(host: &Host, process: &IggyProcess) -> IggyPlace {
    let named = match &process.data_dir {
        Ok(named) => named.clone(),
        Err(gap) => {
            let standing = Standing::Unseen(gap.clone());
            return IggyPlace {
                found: FoundBy::Process,
                named: None,
                data_dir: None,
                standing,
                config_file: None,
                pid: None,
            };
        }
    };
    let seen = process.seen(&named);
    let standing = match executable_doubt(process) {
        Err(gap) => Standing::Unseen(gap),
        Ok(Some(doubt)) => Standing::Doubted(doubt),
        Ok(None) => match look(host, &seen) {
            Err(gap) => Standing::Unseen(gap),
            Ok(Err(doubt)) => Standing::Doubted(doubt),
            Ok(Ok(directory)) if !owned_or_taken_by_root(directory.owner_uid, process.uid) => {
                Standing::Doubted(Doubt::ForeignDirectory { owner_uid: directory.owner_uid, uid: process.uid })
            }
            Ok(Ok(directory)) if !directory.layout.is_known() => Standing::Doubted(Doubt::UnknownLayout),
            Ok(Ok(directory)) => Standing::Believed(directory),
        },
    };
    at(FoundBy::Process, named, seen, standing)
}

/// Whether a file of this owner can be believed of a process of that user.
const fn owned(owner_uid: u32, uid: u32) -> bool {
    owner_uid == 0 || owner_uid == uid
}

/// Whether a data directory can. A server that somebody started as root over the service user's data is the common
/// mistake that must be seen whole; root alone can start one, and could read that directory anyway.
const fn owned_or_taken_by_root(owner_uid: u32, uid: u32) -> bool {
    owned(owner_uid, uid) || uid == 0
}

/// Why nothing that this process says is believed, if so.
fn executable_doubt(process: &IggyProcess) -> Result<Option<Doubt>, Gap> {
    let executable = process.executable.as_ref().map_err(Gap::clone)?;
    let (owner_uid, uid) = (executable.owner_uid, process.uid);
    Ok((!owned(owner_uid, uid)).then_some(Doubt::ForeignExecutable { owner_uid, uid }))
}

/// The data directory of the first unit that names one which is there; else the first unit, as a trace.
fn by_unit(host: &Host, units: &[UnitFile]) -> Option<IggyPlace> {
    let found = |unit: &UnitFile| FoundBy::Unit(unit.name.clone());
    let servers = || units.iter().filter(|unit| starts_a_server(unit));
    let placed = servers().find_map(|unit| {
        let named = named_by(unit)?;
        let standing = match look(host, &named) {
            Ok(Ok(directory)) if directory.layout.is_known() => Standing::Believed(directory),
            Ok(Ok(_)) => Standing::Doubted(Doubt::UnknownLayout),
            Ok(Err(doubt)) => Standing::Doubted(doubt),
            Err(gap) if gap.reason == GapReason::Absent => return None,
            Err(gap) => Standing::Unseen(gap),
        };
        Some(at(found(unit), named.clone(), named, standing))
    });
    placed.or_else(|| {
        let unit = servers().next()?;
        if let Some(place) = by_path(host) {
            return Some(place);
        }
        let standing = Standing::Unseen(Gap::absent(format!("the data directory of {} is not there", unit.name)));
        Some(IggyPlace {
            found: found(unit),
            named: named_by(unit),
            data_dir: None,
            standing,
            config_file: None,
            pid: None,
        })
    })
}

/// Whether a unit starts the server, and not the connectors.
pub(super) fn starts_a_server(unit: &UnitFile) -> bool {
    match &unit.program {
        Some(program) => program.ends_with("/iggy-server") || program == "iggy-server",
        None => !unit.name.contains("connect"),
    }
}

fn named_by(unit: &UnitFile) -> Option<String> {
    let working_dir = || unit.setting("WorkingDirectory").map(|folder| folder.trim_start_matches('-'));
    match unit.system_path.as_deref() {
        Some(path) if path.starts_with('/') => Some(path.to_owned()),
        Some(path) => Some(format!("{}/{path}", working_dir()?.trim_end_matches('/'))),
        None => Some(format!("{}/local_data", working_dir()?.trim_end_matches('/'))),
    }
}

/// Why there is none: something may be hidden from us.
fn no_trace(scene: &Scene) -> Gap {
    let closed = || {
        let looked = WELL_KNOWN.iter().filter_map(|path| look(&scene.host, path).err());
        looked.into_iter().find(|gap| gap.reason == GapReason::Denied)
    };
    hidden(scene).or_else(closed).unwrap_or_else(|| {
        Gap::absent(
            "no trace of Iggy: it is not configured, has no process, no unit file and no data at a well-known path",
        )
    })
}

fn by_path(host: &Host) -> Option<IggyPlace> {
    WELL_KNOWN.iter().find_map(|path| {
        let directory = look(host, path).ok()?.ok()?;
        let known = directory.layout.is_known();
        known.then(|| at(FoundBy::WellKnownPath, (*path).to_owned(), (*path).to_owned(), Standing::Believed(directory)))
    })
}

fn at(found: FoundBy, named: String, seen: String, standing: Standing) -> IggyPlace {
    IggyPlace { found, named: Some(named), data_dir: Some(seen), standing, config_file: None, pid: None }
}

/// Looks at a directory: the outer error is that it cannot be seen, the inner that it is none.
fn look(host: &Host, path: &str) -> Observed<Result<Directory, Doubt>> {
    let metadata = host.metadata(path)?;
    if metadata.kind != FileKind::Directory {
        return Ok(Err(Doubt::NotADirectory));
    }
    let names = host.list(path)?;
    Ok(Ok(Directory {
        layout: Layout::of(&names),
        owner_uid: metadata.uid,
        group_gid: metadata.gid,
        mode: metadata.mode,
        identity: (metadata.device, metadata.inode),
    }))
}
