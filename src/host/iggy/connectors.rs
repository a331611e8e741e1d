//! Asking the runtime of connectors: only at this host's own address, on the socket that its own process holds.
//!
//! A runtime with an API key answers about its health alone: the key is not asked for.

use super::super::scene::Scene;
use super::client::{Client, ClientError};
use super::endpoint;
use super::pinned::Trust;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::connectors::{Connectors, Runtime};
use crate::evidence::iggy::{IGGY_PROCESSES, IggyProcess, Program};
use crate::evidence::units::{IGGY_UNITS, UnitFile};
use crate::iggy::connectors::{self, HttpApi, Switch};

/// Connectors that are kept of each kind.
const CONNECTORS_MAX: usize = 256;

pub(super) fn connectors(scene: &Scene) -> Observed<Connectors> {
    scene.host.call("iggy-connectors", || {
        let processes = scene.evidence.read(IGGY_PROCESSES).map_or(&[][..], Vec::as_slice);
        match processes.iter().find(|process| process.program == Program::Connectors) {
            Some(process) => Ok(of_process(scene, process)),
            None => down(scene.evidence.read(IGGY_UNITS).map_or(&[][..], Vec::as_slice)),
        }
    })
}

/// What a unit file says of a runtime that does not run.
fn down(units: &[UnitFile]) -> Observed<Connectors> {
    let name = Program::Connectors.name();
    let starts = |unit: &&UnitFile| unit.program.as_deref().is_some_and(|path| path.ends_with(name));
    let unit = units.iter().find(starts).ok_or_else(|| Gap::not_applicable("no runtime of connectors is installed"))?;
    Ok(unasked(Runtime::Down { unit: unit.name.clone(), wanted: unit.wanted }))
}

fn unasked(runtime: Runtime) -> Connectors {
    let gap = || Gap::absent("the runtime of connectors was not asked");
    Connectors { runtime, version: None, sources: Err(gap()), sinks: Err(gap()) }
}

fn of_process(scene: &Scene, process: &IggyProcess) -> Connectors {
    let environment = process.environment.as_ref().ok();
    let text = process
        .config_file()
        .and_then(|path| scene.host.seed(&path).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let variables = environment.map(|environment| environment.connectors_http.clone()).unwrap_or_default();
    let api = HttpApi::of(text.as_deref().unwrap_or_default(), &variables);
    if api.on == Switch::Off {
        return unasked(Runtime::Unasked("its HTTP API is switched off".to_owned()));
    }
    let port = api.port().unwrap_or(0);
    match endpoint::socket_of(scene, process, port) {
        Ok(address) => {
            let scheme = if api.tls == Switch::On { "https" } else { "http" };
            ask(&format!("{scheme}://{address}"))
        }
        Err(gap) => unasked(Runtime::Unasked(gap.detail)),
    }
}

/// Asks the runtime at this URL.
fn ask(url: &str) -> Connectors {
    let client = Client::new(url, Trust::default());
    if let Err(error) = client.get(connectors::HEALTH_PATH) {
        return unasked(Runtime::Silent { url: url.to_owned(), why: error.to_string() });
    }
    let list = |path: &str| {
        let body = client.get(path).map_err(|error| gap(path, &error))?;
        let mut found = connectors::connectors(&body).map_err(|error| gap(path, &error.into()))?;
        found.truncate(CONNECTORS_MAX);
        Ok(found)
    };
    let stats = client.get(connectors::STATS_PATH).ok().and_then(|body| connectors::stats(&body).ok());
    Connectors {
        runtime: Runtime::Answers(url.to_owned()),
        version: stats.and_then(|stats| stats.connectors_runtime_version),
        sources: list(connectors::SOURCES_PATH),
        sinks: list(connectors::SINKS_PATH),
    }
}

fn gap(path: &str, error: &ClientError) -> Gap {
    let detail = format!("connectors runtime, {path}: {error}");
    match error {
        ClientError::Status { status: 401 | 403, .. } => {
            Gap::denied(detail, "a runtime without http.api_key; snapvisor holds no key for it")
        }
        ClientError::Silent(_) => Gap::timeout(detail),
        _ => Gap::broken(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::tests::serve;
    use super::*;
    use crate::domain::gap::GapReason;
    use crate::evidence::units::Wanted;

    #[test]
    fn a_runtime_tells_its_sources_and_sinks() {
        let (address, asked) = serve(&[
            ("/health", 200, r#"{"status":"healthy"}"#),
            ("/stats", 200, r#"{"connectors_runtime_version":"0.4.0"}"#),
            ("/sources", 200, r#"[{"key":"a","name":"A","enabled":true,"status":"running"}]"#),
            ("/sinks", 200, "[]"),
        ]);
        let found = ask(&format!("http://{address}"));
        assert_eq!(found.runtime, Runtime::Answers(format!("http://{address}")));
        assert_eq!((found.version.as_deref(), found.sinks), (Some("0.4.0"), Ok(vec![])));
        assert_eq!(found.sources.unwrap()[0].key, "a");
        assert!(asked.lock().unwrap().iter().all(|head| !head.to_ascii_lowercase().contains("api-key")));
    }

    #[test]
    fn a_runtime_with_a_key_tells_its_health_alone_and_a_silent_one_nothing() {
        let (address, _) = serve(&[("/health", 200, "{}"), ("/sources", 401, ""), ("/sinks", 401, "")]);
        let found = ask(&format!("http://{address}"));
        assert!(matches!(found.runtime, Runtime::Answers(_)));
        assert_eq!(found.sources.unwrap_err().reason, GapReason::Denied);
        let (address, _) = serve(&[]);
        assert!(matches!(ask(&format!("http://{address}")).runtime, Runtime::Silent { .. }));
    }

    #[test]
    fn what_is_installed_and_does_not_run_is_down() {
        let unit = UnitFile {
            name: "iggy-connectors.service".into(),
            program: Some("/usr/bin/iggy-connectors".into()),
            wanted: Wanted::AtBoot,
            ..UnitFile::default()
        };
        let runtime = Runtime::Down { unit: unit.name.clone(), wanted: Wanted::AtBoot };
        assert_eq!(down(&[unit]).unwrap().runtime, runtime);
        assert_eq!(down(&[]).unwrap_err().reason, GapReason::NotApplicable);
    }
}
