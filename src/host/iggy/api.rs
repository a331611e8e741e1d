//! Asking the server over HTTP.

use std::net::TcpStream;

use super::super::scene::Scene;
use super::super::turn::{Watch, patiently};
use super::client::{ANSWER_MAX, Client, ClientError};
use super::credential;
use super::endpoint::{self, Endpoint};
use super::pinned::{self, Trust};
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::api::{ApiAnswers, Knock, Login, Ping};
use crate::evidence::iggy::IGGY_PROCESS;
use crate::iggy::answers::{self, Stream, Topic};

/// Streams whose topics are asked for.
const STREAMS_MAX: usize = 256;
/// Topics that are kept.
const TOPICS_MAX: usize = 5_000;

/// Whether the server answers: over HTTP, or by a bare connection where HTTP is off.
pub(super) fn ping(scene: &Scene) -> Observed<Ping> {
    scene.host.call("iggy-ping", || {
        let configured = scene.request.iggy.http_url.is_some();
        if !configured {
            scene.evidence.read(IGGY_PROCESS)?;
        }
        match endpoint::http(scene) {
            Ok(endpoint) => {
                let answer = Client::new(&endpoint.url, pinned::trust(scene, &endpoint.url))
                    .ping()
                    .map_err(|error| error.to_string());
                Ok(Ping { place: endpoint.url, by: Knock::Http, answer })
            }
            Err(no_http) => {
                let address = endpoint::tcp(scene).map_err(|_| no_http)?;
                let connect = || {
                    let watch = Watch::start();
                    TcpStream::connect_timeout(&address, ANSWER_MAX).map(|_| watch.elapsed().as_secs_f64() * 1000.0)
                };
                let answer = patiently(connect).map_err(|error| format!("no connection: {}", error.kind()));
                Ok(Ping { place: address.to_string(), by: Knock::Tcp, answer })
            }
        }
    })
}

/// What the server tells whoever has a credential.
pub(super) fn api(scene: &Scene) -> Observed<ApiAnswers> {
    scene.host.call("iggy-api", || {
        let Some(path) = &scene.request.iggy.credential_file else {
            return Err(Gap::not_applicable("no credential for Iggy is configured")
                .unlocked_by("iggy.credential_file in snapvisor's configuration"));
        };
        let endpoint = endpoint::http(scene)?;
        let owned = credential::read(&scene.host, &path.to_string_lossy())?;
        endpoint::trusted(scene, &endpoint, owned.owner_uid)?;
        ask(&endpoint, &owned.credential, pinned::trust(scene, &endpoint.url))
    })
}

fn ask(endpoint: &Endpoint, credential: &credential::Credential, trust: Trust) -> Observed<ApiAnswers> {
    let mut client = Client::new(&endpoint.url, trust);
    let login = client.login(credential).map_err(|error| gap("the login", &error))?;
    if login != Login::Accepted {
        let refused = || Gap::denied("the credential was refused", "a valid credential in iggy.credential_file");
        return Ok(ApiAnswers {
            url: endpoint.url.clone(),
            login,
            stats: Err(refused()),
            clients: Err(refused()),
            cluster: Err(refused()),
            streams: Err(refused()),
            topics: Err(refused()),
            streams_dropped: 0,
        });
    }
    let streams: Observed<Vec<Stream>> = client.ask().map_err(|error| gap("/streams", &error));
    let streams_dropped = streams.as_ref().map_or(0, |streams| streams.len().saturating_sub(STREAMS_MAX) as u64);
    Ok(ApiAnswers {
        url: endpoint.url.clone(),
        stats: client.ask().map_err(|error| gap("/stats", &error)),
        clients: client.ask().map_err(|error| gap("/clients", &error)),
        cluster: client.ask().map_err(|error| gap("/cluster/metadata", &error)),
        topics: streams.as_ref().map_err(Gap::clone).and_then(|streams| topics(&client, streams)),
        streams,
        login,
        streams_dropped,
    })
}

fn topics(client: &Client, streams: &[Stream]) -> Observed<Vec<(u64, Topic)>> {
    let mut found = Vec::new();
    for stream in streams.iter().take(STREAMS_MAX) {
        let path = answers::topics_path(stream.id);
        let body = client.get(&path).map_err(|error| gap(&path, &error))?;
        let topics = answers::topics(&body).map_err(|error| gap(&path, &error.into()))?;
        found.extend(topics.into_iter().map(|topic| (stream.id, topic)));
        if found.len() >= TOPICS_MAX {
            found.truncate(TOPICS_MAX);
            break;
        }
    }
    Ok(found)
}

fn gap(what: &str, error: &ClientError) -> Gap {
    let detail = format!("{what}: {error}");
    match error {
        ClientError::Silent(_) => Gap::timeout(detail),
        ClientError::Status { status: 401 | 403, .. } => Gap::denied(detail, "more rights for the credential's user"),
        ClientError::Status { status: 404, .. } => Gap::absent(detail),
        ClientError::Status { .. } | ClientError::Shape(_) => Gap::broken(detail),
    }
}

#[cfg(test)]
#[path = "api_tests.rs"]
pub(super) mod tests;
