//! Asking the server for its counters, once before the sampling window ends and once after.

use super::super::sampling::millis;
use super::super::scene::Scene;
use super::client::{Client, ClientError};
use super::{credential, endpoint, pinned};
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::metrics::MetricsAnswer;
use crate::iggy::answers::METRICS_PATH;
use crate::iggy::metrics::Metrics;

pub(super) fn first(scene: &Scene) -> Observed<MetricsAnswer> {
    scene.host.call("iggy-metrics-1", || ask(scene))
}

pub(super) fn second(scene: &Scene) -> Observed<MetricsAnswer> {
    scene.host.call("iggy-metrics-2", || ask(scene))
}

fn ask(scene: &Scene) -> Observed<MetricsAnswer> {
    if scene.request.iggy.http_url.is_none() {
        scene.evidence.read(IGGY_PROCESS)?;
    }
    let config = scene.evidence.read(IGGY_CONFIG).ok().map(|config| &config.server);
    let path = match config {
        Some(config) => config.metrics_endpoint.clone().ok_or_else(|| {
            Gap::not_applicable("Iggy's metrics are switched off")
                .unlocked_by("http.metrics.enabled = true in Iggy's configuration")
        })?,
        None => METRICS_PATH.to_owned(),
    };
    let endpoint = endpoint::http(scene)?;
    let mut client = Client::new(&endpoint.url, pinned::trust(scene, &endpoint.url));
    // 0.8 answers everybody; 0.9 edge whoever has logged in.
    let body = match client.get(&path) {
        Err(ClientError::Status { status: 401 | 403, .. }) => {
            let Some(file) = &scene.request.iggy.credential_file else {
                return Err(Gap::not_applicable("this release shows its metrics to whoever has logged in alone")
                    .unlocked_by("iggy.credential_file in snapvisor's configuration"));
            };
            let owned = credential::read(&scene.host, &file.to_string_lossy())?;
            endpoint::trusted(scene, &endpoint, owned.owner_uid)?;
            client.login(&owned.credential).and_then(|_| client.get(&path))
        }
        answer => answer,
    };
    let body = body.map_err(|error| match error {
        ClientError::Status { status: 404, .. } => Gap::absent(format!("{path}: {error}")),
        ClientError::Status { status: 401 | 403, .. } => {
            Gap::denied(format!("{path}: {error}"), "a credential that Iggy accepts")
        }
        _ => Gap::timeout(format!("{path}: {error}")),
    })?;
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(MetricsAnswer { at_unix_ms: millis(since_epoch), metrics: Metrics::read(&String::from_utf8_lossy(&body)) })
}
