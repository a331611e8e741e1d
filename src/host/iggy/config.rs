//! Collector of the server's configuration.

use super::super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::config::IggyConfig;
use crate::evidence::iggy::IGGY_PLACE;
use crate::iggy::Layout;
use crate::iggy::config::{CONFIG_BYTES_MAX, Release, ServerConfig};

pub(super) fn config(scene: &Scene) -> Observed<IggyConfig> {
    let place = scene.evidence.read(IGGY_PLACE)?;
    let none = || {
        Gap::absent("no configuration of Iggy's is known").unlocked_by("iggy.config_file in snapvisor's configuration")
    };
    let path = place.config_file.clone().ok_or_else(none)?;
    let read = scene.host.bounded(&path, CONFIG_BYTES_MAX)?;
    let mut server = ServerConfig::parse(&String::from_utf8_lossy(&read.bytes))
        .map_err(|error| Gap::broken(format!("{path} is no configuration of Iggy's: {error}")))?;
    if server.release == Release::Unknown {
        // An operator's own short file says nothing of it; what the server keeps beside its data does.
        server.release = match place.believed().map(|(_, directory)| directory.layout) {
            Some(Layout::V0_8) => Release::V0_8,
            Some(Layout::Edge) => Release::Edge,
            Some(Layout::Unknown) | None => Release::Unknown,
        };
    }
    Ok(IggyConfig { path, server })
}
