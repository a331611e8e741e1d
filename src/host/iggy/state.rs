//! Collector of what the state in the data directory says of itself.

use super::super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::iggy::IGGY_PLACE;
use crate::evidence::state::DataVersion;
use crate::iggy::StateInfo;

/// Bytes of `state/info`: a version and two numbers.
const INFO_BYTES_MAX: usize = 1024;

pub(super) fn version(scene: &Scene) -> Observed<DataVersion> {
    let path = scene.evidence.read(IGGY_PLACE)?.below("state/info")?;
    let read = scene.host.bounded(&path, INFO_BYTES_MAX)?;
    let info = StateInfo::decode(&read.bytes).map_err(|error| Gap::broken(format!("{path}: {error}")))?;
    Ok(DataVersion(info.version))
}
