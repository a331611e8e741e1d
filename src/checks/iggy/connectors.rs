//! The runtime of connectors, its sources and its sinks.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::verdict::Severity;
use crate::evidence::connectors::{CONNECTORS, Connectors, Runtime};
use crate::evidence::units::Wanted;
use crate::iggy::connectors::Connector;

pub(super) const CHECK: Check = Check {
    id: "iggy.connectors",
    title: "Connectors runtime",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[CONNECTORS.source()],
    rule: "Fails when a source or a sink is in error, when the runtime runs and its API does not answer, and when its unit is started at boot and it does not run. Warns when a connector that is switched on is stopped. Information when the runtime is installed without being started at boot; passes otherwise. Without a runtime it is a skip.",
    threshold_source: "The states are those of the runtime's own API.",
    why: "A connector that stopped looks like silence: its topic grows, or its target falls behind.",
    remedy: "curl -s http://127.0.0.1:8081/sources; curl -s http://127.0.0.1:8081/sinks   # last_error\njournalctl -u iggy-connectors -n 100 --no-pager\n# Once the cause is mended, restart the one connector and not the runtime:\ncurl -s -X POST http://127.0.0.1:8081/sinks/KEY/restart",
    references: &["Apache Iggy: connectors runtime, HTTP API"],
    privilege: "any user; CAP_SYS_PTRACE to see who holds a socket",
    settings: &[],
    evaluate: connectors,
};

fn connectors(case: &Case<'_>) -> Result<Judgement, Gap> {
    let found = case.read(CONNECTORS)?;
    if let Runtime::Unasked(why) = &found.runtime {
        return Err(Gap::not_applicable(format!("the runtime of connectors was not asked: {why}")));
    }
    let judged = judged(found);
    let judged = if found.sources.is_ok() || found.sinks.is_ok() { judged.proof(table(found)) } else { judged };
    let gaps = match found.runtime {
        Runtime::Answers(_) => [found.sources.as_ref().err(), found.sinks.as_ref().err()],
        _ => [None, None],
    };
    Ok(gaps.into_iter().flatten().cloned().fold(judged, Judgement::gap))
}

fn judged(found: &Connectors) -> Judgement {
    match &found.runtime {
        Runtime::Down { unit, wanted: Wanted::AtBoot } => {
            return Judgement::fail(format!("{unit} is started at boot, and the runtime of connectors does not run."))
                .remedy(format!(
                    "systemctl status {0}\njournalctl -u {0} -n 100 --no-pager\nsystemctl start {0}",
                    quoted(unit)
                ));
        }
        Runtime::Down { unit, wanted: Wanted::ByHand } => {
            return Judgement::info(format!("{unit} is installed, not started at boot, and does not run."));
        }
        Runtime::Silent { url, why } => {
            return Judgement::fail(format!("The runtime of connectors runs and does not answer at {url}: {why}."))
                .remedy(format!(
                    "curl -sSk -m 2 {}; echo\n{LOG}\nsystemctl restart iggy-connectors",
                    quoted(&format!("{url}/health"))
                ));
        }
        Runtime::Answers(_) | Runtime::Unasked(_) => {}
    }
    let all = || {
        let sources = found.sources.iter().flatten().map(|connector| ("source", connector));
        sources.chain(found.sinks.iter().flatten().map(|connector| ("sink", connector)))
    };
    let state = |connector: &Connector| connector.status.clone().unwrap_or_default().to_ascii_lowercase();
    if let Some((kind, connector)) = all().find(|(_, connector)| state(connector) == "error") {
        let why = connector.last_error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default();
        return Judgement::fail(format!("The {kind} {} is in error{why}.", connector.key)).remedy(of_connector(
            found,
            kind,
            &connector.key,
        ));
    }
    let stopped =
        |connector: &Connector| connector.enabled && matches!(state(connector).as_str(), "stopped" | "stopping");
    if let Some((kind, connector)) = all().find(|(_, connector)| stopped(connector)) {
        return Judgement::warn(format!("The {kind} {} is switched on and is {}.", connector.key, state(connector)))
            .remedy(of_connector(found, kind, &connector.key));
    }
    let version = found.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    if found.sources.is_err() && found.sinks.is_err() {
        return Judgement::info(format!("The runtime of connectors{version} says that it is healthy."));
    }
    Judgement::pass(format!(
        "The runtime of connectors{version} answers; nothing is in error among {}.",
        counted(all().count(), "connector", "connectors")
    ))
}

/// Where the runtime says why.
const LOG: &str =
    "journalctl -u iggy-connectors -n 100 --no-pager   # in a container: docker logs --tail 100 CONTAINER";

/// What to do about one connector: its kind is `source` or `sink`.
fn of_connector(found: &Connectors, kind: &str, key: &str) -> String {
    let Runtime::Answers(url) = &found.runtime else { return CHECK.remedy.to_owned() };
    let all = quoted(&format!("{url}/{kind}s"));
    let one = quoted(&format!("{url}/{kind}s/{key}/restart"));
    format!(
        "curl -sSk {all}; echo   # its last_error\n{LOG}\n# Once the cause is mended, restart the one connector and not the runtime:\ncurl -sSk -X POST {one}\n# A runtime with http.api_key wants it as a header as well: -H 'api-key: KEY'"
    )
}

fn table(found: &Connectors) -> Proof {
    let row = |kind: &'static str, connector: &Connector| {
        vec![
            kind.into(),
            connector.key.as_str().into(),
            connector.name.as_str().into(),
            if connector.enabled { "yes" } else { "no" }.into(),
            connector.status.clone().unwrap_or_default().into(),
            connector.last_error.as_ref().map(|error| error.message.clone()).unwrap_or_default().into(),
        ]
    };
    let sources = found.sources.iter().flatten().map(|connector| row("source", connector));
    let rows = sources.chain(found.sinks.iter().flatten().map(|connector| row("sink", connector))).collect();
    let columns = ["Kind", "Key", "Name", "Switched on", "Status", "Last error"].map(Column::text).to_vec();
    Proof::table("Connectors", columns, rows)
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    fn judge(runtime: Runtime, states: &[(&str, bool)]) -> Option<Verdict> {
        let connector = |(status, enabled): &(&str, bool)| Connector {
            key: "a".into(),
            name: "A".into(),
            enabled: *enabled,
            status: Some((*status).to_owned()),
            last_error: None,
        };
        let mut evidence = Evidence::default();
        let sinks = Ok(states.iter().map(connector).collect());
        evidence.put(CONNECTORS, Ok(Connectors { runtime, version: None, sources: Ok(vec![]), sinks }));
        judge_one("iggy.connectors", &evidence).ok().map(|judged| judged.verdict)
    }

    #[test]
    fn errors_and_silence_fail_and_a_stop_warns() {
        let answers = || Runtime::Answers("http://127.0.0.1:8081".into());
        let down = |wanted| Runtime::Down { unit: "iggy-connectors.service".into(), wanted };
        for (runtime, states, expected) in [
            (answers(), &[("running", true), ("stopped", false)][..], Some(Verdict::Pass)),
            (answers(), &[], Some(Verdict::Pass)),
            (answers(), &[("Error", true)], Some(Verdict::Fail)),
            (answers(), &[("error", false)], Some(Verdict::Fail)),
            (answers(), &[("stopped", true)], Some(Verdict::Warn)),
            (answers(), &[("starting", true)], Some(Verdict::Pass)),
            (down(Wanted::AtBoot), &[], Some(Verdict::Fail)),
            (down(Wanted::ByHand), &[], Some(Verdict::Info)),
            (Runtime::Silent { url: "u".into(), why: "w".into() }, &[], Some(Verdict::Fail)),
            (Runtime::Unasked("its HTTP API is switched off".into()), &[], None),
        ] {
            assert_eq!(judge(runtime.clone(), states), expected, "{runtime:?} {states:?}");
        }
    }

    #[test]
    fn a_runtime_that_tells_its_health_alone_is_worth_a_word() {
        let denied = || Err(Gap::denied("/sinks: status 401", "no key"));
        let mut evidence = Evidence::default();
        let runtime = Runtime::Answers("http://127.0.0.1:8081".into());
        evidence.put(CONNECTORS, Ok(Connectors { runtime, version: None, sources: denied(), sinks: denied() }));
        let judged = judge_one("iggy.connectors", &evidence).unwrap();
        assert_eq!((judged.verdict, judged.gaps.len()), (Verdict::Info, 2));
    }

    #[test]
    fn a_connector_is_restarted_where_it_is() {
        let runtime = Runtime::Answers("http://10.0.0.5:9081".into());
        let none = || Ok(Vec::new());
        let found = Connectors { runtime, version: None, sources: none(), sinks: none() };
        let remedy = of_connector(&found, "source", "orders");
        assert!(remedy.starts_with("curl -sSk 'http://10.0.0.5:9081/sources'; echo"), "{remedy}");
        assert!(remedy.contains("\ncurl -sSk -X POST 'http://10.0.0.5:9081/sources/orders/restart'\n"), "{remedy}");
    }
}
