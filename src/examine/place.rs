//! Where Iggy's data directory is, and the secrets that must be known before anything is masked.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::evidence::Evidence;
use crate::evidence::iggy::{IGGY_PLACE, SECRET_SEEDS, SeedKind};
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
