//! The files that decided how the server was started, and when each was changed.

use super::super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::drift::{StartFile, StartFileKind};
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::units::IGGY_UNITS;

use super::place::starts_a_server;

/// Files that are looked at.
const FILES_MAX: usize = 64;

pub(super) fn start_files(scene: &Scene) -> Observed<Vec<StartFile>> {
    let process = scene.evidence.read(IGGY_PROCESS)?;
    let mut named: Vec<(String, StartFileKind)> = Vec::new();
    let configured = scene.request.iggy.config_file.as_ref().map(|path| path.to_string_lossy().into_owned());
    named.extend(process.config_file().or(configured).map(|path| (path, StartFileKind::Configuration)));
    let units = scene.evidence.read(IGGY_UNITS).map_or(&[][..], Vec::as_slice);
    for unit in units.iter().filter(|unit| starts_a_server(unit)) {
        named.extend(unit.paths.iter().map(|path| (path.clone(), StartFileKind::Unit)));
        named.extend(unit.environment_files.iter().map(|path| (path.clone(), StartFileKind::Environment)));
    }
    if named.is_empty() {
        return Err(Gap::absent("the server was started without a configuration file or a unit that is known"));
    }
    named.truncate(FILES_MAX);
    let look = |(path, kind): (String, StartFileKind)| {
        let modified_unix = scene.host.metadata(&path).map(|metadata| metadata.modified_unix);
        StartFile { path, kind, modified_unix }
    };
    Ok(named.into_iter().map(look).collect())
}
