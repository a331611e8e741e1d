//! Collector of the server's configuration.

use super::super::observe::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::config::IggyConfig;
use crate::evidence::iggy::IGGY_PLACE;
use crate::iggy::config::{CONFIG_BYTES_MAX, ServerConfig};

pub(super) fn config(scene: &Scene) -> Observed<IggyConfig> {
    let place = scene.evidence.read(IGGY_PLACE)?;
    let none = || {
        Gap::absent("no configuration of Iggy's is known").unlocked_by("iggy.config_file in snapvisor's configuration")
    };
    let path = place.config_file.clone().ok_or_else(none)?;
    let read = scene.host.bounded(&path, CONFIG_BYTES_MAX)?;
    let server = ServerConfig::parse(&String::from_utf8_lossy(&read.bytes))
        .map_err(|error| Gap::broken(format!("{path} is no configuration of Iggy's: {error}")))?;
    Ok(IggyConfig { path, server })
}
