//! Where Iggy's data directory is, and the secrets that must be known before anything is masked.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::evidence::Evidence;
use crate::evidence::api::IGGY_API;
use crate::evidence::iggy::{IGGY_PLACE, SECRET_SEEDS, SeedKind};
use crate::evidence::mounts::MOUNTS;
use crate::evidence::processes::PROCESSES;
use crate::evidence::system::KERNEL;
use crate::evidence::units::IGGY_UNITS;
use crate::host::Host;
use crate::redact::{Carrier, Class, Learner, RedactError};

/// A data directory that may be bundled, open.
pub(super) struct Place {
    /// Its path, for people.
    pub(super) path: PathBuf,
    /// The directory itself: the one that was looked at, whatever the path leads to by now.
    pub(super) directory: OwnedFd,
}

/// Opens the data directory.
///
/// # Errors
/// A sentence that says why there is none, and the path if one was named.
pub(super) fn data_directory(host: &Host, evidence: &Evidence) -> Result<Place, (Option<PathBuf>, String)> {
    let place = evidence.read(IGGY_PLACE).map_err(|gap| (None, format!("No data directory: {}.", gap.detail)))?;
    let named = place.named.clone().map(PathBuf::from);
    let directory = host.open_data_directory(place).map_err(|gap| (named.clone(), format!("{}.", gap.detail)))?;
    let path = named.or_else(|| place.data_dir.clone().map(PathBuf::from)).unwrap_or_default();
    Ok(Place { path, directory })
}

/// Teaches the redactor the words of this host that no password may blank: its names, programs, units and mounts, and
/// Iggy's streams and topics.
pub(super) fn teach_words(evidence: &Evidence, learner: &mut Learner) {
    if let Ok(kernel) = evidence.read(KERNEL) {
        learner.learn_vocabulary([kernel.host_name.as_str(), kernel.release.as_str()]);
    }
    if let Ok(processes) = evidence.read(PROCESSES) {
        learner.learn_vocabulary(
            processes.processes.iter().flat_map(|process| [process.name.as_str(), process.program()]),
        );
    }
    if let Ok(units) = evidence.read(IGGY_UNITS) {
        learner.learn_vocabulary(units.iter().map(|unit| unit.name.as_str()));
    }
    if let Ok(mounts) = evidence.read(MOUNTS) {
        learner.learn_vocabulary(mounts.iter().flat_map(|mount| [mount.point.as_str(), mount.source.as_str()]));
    }
    if let Ok(api) = evidence.read(IGGY_API) {
        let streams = api.streams.iter().flatten().map(|stream| stream.name.as_str());
        let topics = api.topics.iter().flatten().map(|(_, topic)| topic.name.as_str());
        learner.learn_vocabulary(streams.chain(topics));
    }
}

/// Teaches the redactor the secrets of Iggy's process and of our own credential.
///
/// # Errors
/// The redactor failed.
pub(super) fn teach_seeds(evidence: &Evidence, learner: &mut Learner) -> Result<(), RedactError> {
    let Ok(seeds) = evidence.read(SECRET_SEEDS) else { return Ok(()) };
    for seed in &seeds.0 {
        match seed.kind {
            SeedKind::Environment => learner.learn(Carrier::Environ, "process environment", &seed.bytes)?,
            SeedKind::CommandLine => learner.learn(Carrier::Argv, "process command line", &seed.bytes)?,
            SeedKind::Unit => learner.learn(Carrier::Text, "unit file", &seed.bytes)?,
            SeedKind::Secret => learner.learn_secret(&seed.bytes, Class::Password),
        }
    }
    Ok(())
}
