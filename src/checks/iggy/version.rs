//! Which version runs, and whether it is the one that is installed.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::api::IGGY_API;
use crate::evidence::connectors::CONNECTORS;
use crate::evidence::iggy::{IGGY_PLACE, IGGY_PROCESS, IGGY_PROCESSES, IggyProcess, Image};
use crate::evidence::installed::{INSTALLED, Package};
use crate::evidence::state::{DATA_VERSION, DataVersion};

pub(super) const CHECK: Check = Check {
    id: "iggy.version",
    title: "Installed and running versions",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[IGGY_PLACE.source(), IGGY_PROCESSES.source(), INSTALLED.source(), CONNECTORS.source()],
    rule: "Warns when the program of a running server or connectors runtime was replaced or removed since its start, when the data directory was written by another version than the one that runs, when the package that is installed has another version, and when server and connectors runtime differ in their minor version. Information otherwise, with the container runtimes that are installed. No program is started to ask for its version.",
    threshold_source: "Our own: a replaced program means that the next restart is an upgrade.",
    why: "An upgrade that was installed and not restarted happens by surprise, at the next crash.",
    remedy: "systemctl restart iggy-server   # in a maintenance window",
    references: &["Apache Iggy: release notes"],
    privilege: "CAP_SYS_PTRACE",
    settings: &[],
    evaluate: version,
};

fn version(case: &Case<'_>) -> Result<Judgement, Gap> {
    let processes = case.read(IGGY_PROCESSES).map_or(&[][..], Vec::as_slice);
    let place = case.read(IGGY_PLACE);
    if processes.is_empty() {
        place.as_ref().map_err(Gap::clone)?;
    }
    let api = case.read(IGGY_API);
    let running =
        api.as_ref().ok().and_then(|api| api.stats.as_ref().ok()).map(|stats| stats.iggy_server_version.as_str());
    let data = case.read(DATA_VERSION);
    let installed = case.read(INSTALLED);
    let packages = installed.as_ref().ok().and_then(|installed| installed.packages.as_ref().ok());
    let packages = packages.map_or(&[][..], Vec::as_slice);
    let connectors = case.read(CONNECTORS).ok().and_then(|found| found.version.as_deref());
    let layout = place.ok().and_then(|place| place.believed()).map(|(_, directory)| directory.layout.label());
    let mut facts: Vec<(String, String)> = Vec::new();
    facts.extend(running.map(|version| ("The running server says".to_owned(), version.to_owned())));
    facts
        .extend(data.as_ref().ok().map(|DataVersion(version)| ("The data was written by".to_owned(), version.clone())));
    facts.extend(layout.map(|label| ("Layout of the data".to_owned(), label.to_owned())));
    facts.extend(
        processes.iter().map(|process| (format!("{} ({})", process.program.name(), process.pid), image(process))),
    );
    facts.extend(connectors.map(|version| ("The connectors runtime says".to_owned(), version.to_owned())));
    facts.extend(packages.iter().map(|package| (format!("package {}", package.name), package.version.clone())));
    let programs = installed.as_ref().map_or(&[][..], |installed| installed.programs.as_slice());
    facts.extend(programs.iter().map(|program| (format!("program {}", program.name), program.path.clone())));
    if facts.is_empty() {
        return Err(Gap::absent("nothing says which version this is"));
    }
    let data = data.as_ref().ok().map(|DataVersion(version)| version.as_str());
    let known = Known { running, data, layout, packages, connectors };
    let mut judged = judged(processes, &known);
    if case.read(IGGY_PROCESS).is_ok()
        && running.is_none()
        && let Err(gap) = api
    {
        judged = judged.gap(gap);
    }
    Ok(judged.proof(Proof::facts("Versions", facts)))
}

fn image(process: &IggyProcess) -> String {
    match &process.executable {
        Ok(executable) => match executable.image {
            Image::Current => executable.path.clone(),
            Image::Replaced => format!("{}, replaced or removed since the start", executable.path),
        },
        Err(gap) => gap.reason.label().to_owned(),
    }
}

/// Versions as far as they are known.
#[derive(Debug, Clone, Copy, Default)]
struct Known<'a> {
    /// What the running server says.
    running: Option<&'a str>,
    /// What wrote the data.
    data: Option<&'a str>,
    /// The layout of the data.
    layout: Option<&'a str>,
    /// What is installed.
    packages: &'a [Package],
    /// What the runtime of connectors says.
    connectors: Option<&'a str>,
}

/// Major and minor.
fn minor(version: &str) -> Option<(&str, &str)> {
    let mut parts = version.split('.');
    Some((parts.next()?, parts.next()?))
}

fn judged(processes: &[IggyProcess], known: &Known<'_>) -> Judgement {
    let Known { running, data, layout, packages, connectors } = *known;
    let replaced =
        processes.iter().find(|process| process.executable.as_ref().is_ok_and(|exe| exe.image == Image::Replaced));
    if let Some(process) = replaced {
        return Judgement::warn(format!(
            "The program of {} (process {}) was replaced or removed since it started: what runs is not what is installed.",
            process.program.name(),
            process.pid
        ));
    }
    if let Some(running) = running
        && let Some(package) = packages.iter().find(|package| package.name == "iggy-server")
        && package.upstream() != running
    {
        return Judgement::warn(format!(
            "Version {running} runs, and the package that is installed is {}.",
            package.version
        ));
    }
    if let (Some(running), Some(connectors)) = (running, connectors)
        && minor(running) != minor(connectors)
    {
        return Judgement::warn(format!(
            "The server is version {running} and the connectors runtime {connectors}: they are made for each other by minor version."
        ));
    }
    match (running, data, layout) {
        (Some(running), Some(data), _) if running != data => {
            Judgement::warn(format!("Version {running} runs, and the data directory says that {data} wrote it."))
        }
        (Some(running), ..) => Judgement::info(format!("Version {running} runs.")),
        (None, Some(data), _) => Judgement::info(format!("The data was written by version {data}.")),
        (None, None, Some(layout)) => {
            Judgement::info(format!("The data has the layout of {layout}; the version is not known."))
        }
        (None, None, None) => {
            Judgement::info("The program that runs is the one that is installed; its version is not known.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::iggy::testing::process;

    #[test]
    fn a_replaced_program_and_another_versions_data_warn() {
        let mut replaced = process(1);
        replaced.executable.as_mut().unwrap().image = Image::Replaced;
        let package = [Package { name: "iggy-server".into(), version: "0.8.0-1".into() }];
        let known = |running, data| Known { running, data, ..Known::default() };
        let installed = |running| Known { packages: &package, ..known(running, None) };
        let beside = |connectors| Known { connectors, ..known(Some("0.8.0"), None) };
        for (processes, known, expected) in [
            (vec![process(1)], known(Some("0.8.0"), Some("0.8.0")), Verdict::Info),
            (vec![process(1)], known(Some("0.8.1"), Some("0.8.0")), Verdict::Warn),
            (vec![process(1)], known(None, Some("0.8.0")), Verdict::Info),
            (vec![process(1)], known(None, None), Verdict::Info),
            (vec![process(1), replaced], known(Some("0.8.0"), Some("0.8.0")), Verdict::Warn),
            (vec![process(1)], installed(Some("0.8.0")), Verdict::Info),
            (vec![process(1)], installed(Some("0.9.0")), Verdict::Warn),
            (vec![process(1)], installed(None), Verdict::Info),
            (vec![process(1)], beside(Some("0.8.3")), Verdict::Info),
            (vec![process(1)], beside(Some("0.7.3")), Verdict::Warn),
        ] {
            assert_eq!(judged(&processes, &known).verdict, expected, "{known:?}");
        }
    }

    #[test]
    fn without_a_version_the_layout_is_told() {
        let judged = judged(&[process(1)], &Known { layout: Some("0.8"), ..Known::default() });
        let sentence = "The data has the layout of 0.8; the version is not known.";
        assert_eq!((judged.verdict, judged.summary.as_str()), (Verdict::Info, sentence));
    }
}
