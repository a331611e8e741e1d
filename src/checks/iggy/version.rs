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
use crate::iggy::release::{Companion, Minor, Version};

pub(super) const CHECK: Check = Check {
    id: "iggy.version",
    title: "Installed and running versions",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::Medium,
    needs: &[IGGY_PLACE.source(), IGGY_PROCESSES.source(), INSTALLED.source(), CONNECTORS.source()],
    rule: "Warns when the program of a running server or connectors runtime was replaced or removed since its start, when the package that is installed has another version than the one that runs, when server and connectors runtime, or server and CLI, are of releases that did not come out together, and when the data directory was written by another version than the one that runs. Server, connectors runtime and CLI are versioned apart: 0.8 came out with 0.4 and 0.13, 0.9 (edge) with 0.5 and 0.14; versions that stand in no known release are not compared. Information otherwise, with the container runtimes that are installed. No program is started to ask for its version.",
    threshold_source: "What came out together is taken from the manifests at the release tags of Apache Iggy, server 0.5.0 to 0.9.0-edge.5. The rest is our own: a replaced program means that the next restart is an upgrade.",
    why: "An upgrade that was installed and not restarted happens by surprise, at the next crash; one that was half done leaves programs that may not understand each other.",
    remedy: "# The program on disk is another than the one that runs. In a maintenance window, one node at a time:\nsystemctl restart iggy-server\nsystemctl restart iggy-connectors\n# In a container, where an image holds the program:\ndocker compose up -d --force-recreate",
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
    let data = data.as_ref().ok().map(|DataVersion(version)| version.as_str());
    let known = Known { running, data, layout, packages, connectors };
    facts.extend(known.companions());
    if facts.is_empty() {
        return Err(Gap::absent("nothing says which version this is"));
    }
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

/// Names of the packages that hold the CLI.
const CLI_PACKAGES: &[&str] = &["iggy-cli", "iggy"];
/// Names of the packages that hold the connectors runtime.
const CONNECTORS_PACKAGES: &[&str] = &["iggy-connectors", "iggy-connectors-runtime"];

impl<'a> Known<'a> {
    fn package(&self, names: &[&str]) -> Option<&'a Package> {
        self.packages.iter().find(|package| names.contains(&package.name.as_str()))
    }

    /// The server's version: what runs, else what ran last, else what is installed.
    fn server(&self) -> Option<&'a str> {
        let installed = || self.package(&["iggy-server"]).map(|package| package.version.as_str());
        self.running.or(self.data).or_else(installed)
    }

    /// The version of a companion's package. A distribution may build all from one source and number all like the server:
    /// such a number says nothing of the companion.
    fn packaged(&self, companion: Companion) -> Option<&'a Package> {
        let package = self.package(match companion {
            Companion::Connectors => CONNECTORS_PACKAGES,
            Companion::Cli => CLI_PACKAGES,
        })?;
        let minor = Version::of(&package.version)?.minor();
        let like_server = self.server().and_then(Version::of).is_some_and(|server| server.minor() == minor);
        (companion.known(minor) && !like_server).then_some(package)
    }

    /// The version of a companion: what runs, else what is installed.
    fn companion(&self, companion: Companion) -> Option<&'a str> {
        let running = self.connectors.filter(|_| companion == Companion::Connectors);
        running.or_else(|| self.packaged(companion).map(|package| package.version.as_str()))
    }

    /// What came out with this server, for the table.
    fn companions(&self) -> Option<(String, String)> {
        let server = Version::of(self.server()?)?.minor();
        let of = |companion: Companion| Some(listed(companion.released_with(server)?));
        let (connectors, cli) = (of(Companion::Connectors)?, of(Companion::Cli)?);
        let name = format!("Came out with server {}", listed(&[server]));
        Some((name, format!("connectors runtime {connectors}, CLI {cli}")))
    }
}

fn listed(minors: &[Minor]) -> String {
    minors.iter().map(|(major, minor)| format!("{major}.{minor}")).collect::<Vec<_>>().join(" or ")
}

/// Whether two versions cannot be the same build; texts that are no versions are compared as they are.
fn differ(one: &str, other: &str) -> bool {
    match (Version::of(one), Version::of(other)) {
        (Some(one), Some(other)) => one.differs(&other),
        _ => one != other,
    }
}

/// What runs and is not what its package holds.
fn outdated(known: &Known<'_>) -> Option<Judgement> {
    let server = known.package(&["iggy-server"]).zip(known.running).map(|pair| (pair, "iggy-server"));
    let connectors = known.packaged(Companion::Connectors).zip(known.connectors);
    let connectors = connectors.map(|pair| (pair, "iggy-connectors"));
    let ((package, running), program) =
        [server, connectors].into_iter().flatten().find(|((package, running), _)| differ(&package.version, running))?;
    Some(Judgement::warn(format!(
        "Version {running} of {program} runs, and the package that is installed is {} {}.",
        package.name, package.version
    )))
}

/// A companion that did not come out with the server.
fn mismatched(known: &Known<'_>) -> Option<Judgement> {
    let server = known.server()?;
    let server_minor = Version::of(server)?.minor();
    [(Companion::Connectors, "the connectors runtime"), (Companion::Cli, "the CLI")].into_iter().find_map(
        |(companion, name)| {
            let version = known.companion(companion)?;
            if companion.belongs(server_minor, Version::of(version)?.minor()) != Some(false) {
                return None;
            }
            let expected = listed(companion.released_with(server_minor)?);
            let judged = Judgement::warn(format!(
                "The server is version {server} and {name} {version}: with server {} came {expected}.",
                listed(&[server_minor])
            ));
            let restart = match companion {
                Companion::Connectors => "systemctl restart iggy-connectors",
                Companion::Cli => "iggy --version",
            };
            Some(judged.expected(expected.clone()).remedy(format!(
                "# Install {name} {expected}, from where the server came (package, image or cargo), then:\n{restart}\n# Or finish the server's own upgrade first, if that is what was left half done."
            )))
        },
    )
}

fn judged(processes: &[IggyProcess], known: &Known<'_>) -> Judgement {
    let Known { running, data, layout, connectors, .. } = *known;
    let replaced =
        processes.iter().find(|process| process.executable.as_ref().is_ok_and(|exe| exe.image == Image::Replaced));
    if let Some(process) = replaced {
        return Judgement::warn(format!(
            "The program of {} (process {}) was replaced or removed since it started: what runs is not what is installed.",
            process.program.name(),
            process.pid
        ));
    }
    if let Some(judged) = outdated(known).or_else(|| mismatched(known)) {
        return judged;
    }
    if let (Some(running), Some(data)) = (running, data)
        && differ(running, data)
    {
        return Judgement::warn(format!("Version {running} runs, and the data directory says that {data} wrote it."));
    }
    let beside = connectors.map(|version| {
        let minors = known.server().and_then(Version::of).zip(Version::of(version));
        let belongs = minors.and_then(|(server, own)| Companion::Connectors.belongs(server.minor(), own.minor()));
        let unknown = if belongs.is_none() { " (whether they came out together is not known)" } else { "" };
        format!(", with connectors runtime {version}{unknown}")
    });
    let beside = beside.unwrap_or_default();
    match (running, data, layout) {
        (Some(running), ..) => Judgement::info(format!("Version {running} runs{beside}.")),
        (None, Some(data), _) => Judgement::info(format!("The data was written by version {data}{beside}.")),
        (None, None, Some(layout)) => {
            Judgement::info(format!("The data has the layout of {layout}{beside}; the version is not known."))
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

    fn packages(of: &[(&str, &str)]) -> Vec<Package> {
        of.iter().map(|(name, version)| Package { name: (*name).into(), version: (*version).into() }).collect()
    }

    #[test]
    fn a_replaced_program_and_another_versions_data_warn() {
        let mut replaced = process(1);
        replaced.executable.as_mut().unwrap().image = Image::Replaced;
        let known = |running, data| Known { running, data, ..Known::default() };
        for (processes, known, expected) in [
            (vec![process(1)], known(Some("0.8.0"), Some("0.8.0")), Verdict::Info),
            (vec![process(1)], known(Some("0.8.1"), Some("0.8.0")), Verdict::Warn),
            (vec![process(1)], known(None, Some("0.8.0")), Verdict::Info),
            (vec![process(1)], known(None, None), Verdict::Info),
            (vec![process(1), replaced], known(Some("0.8.0"), Some("0.8.0")), Verdict::Warn),
        ] {
            assert_eq!(judged(&processes, &known).verdict, expected, "{known:?}");
        }
    }

    #[test]
    fn what_runs_is_what_its_package_holds() {
        let (info, warn) = (Verdict::Info, Verdict::Warn);
        for (package, running, connectors, expected) in [
            (("iggy-server", "0.8.0-1"), Some("0.8.0"), None, info),
            (("iggy-server", "1:0.8.0-1~deb12u2"), Some("0.8.0"), None, info),
            (("iggy-server", "0.8.1-1"), Some("0.8.0"), None, warn),
            (("iggy-server", "0.8.1-1"), None, None, info),
            // With and without a revision, and as packages write what came before a release.
            (("iggy-server", "0.9.0-edge.5"), Some("0.9.0-edge.5"), None, info),
            (("iggy-server", "0.9.0~edge.5-1.el9"), Some("0.9.0-edge.5"), None, info),
            (("iggy-server", "0.9.0~edge.5-1.el9"), Some("0.9.0-edge.4"), None, warn),
            (("iggy-server", "0.8.0~rc2-1"), Some("0.8.0"), None, info),
            (("iggy-server", "unversioned"), Some("0.8.0"), None, warn),
            (("iggy-connectors", "0.4.1-1"), Some("0.8.0"), Some("0.4.0"), warn),
            (("iggy-connectors", "0.4.0-1"), Some("0.8.0"), Some("0.4.0"), info),
            // All numbered like the server.
            (("iggy-connectors", "0.8.0-1"), Some("0.8.0"), Some("0.4.0"), info),
        ] {
            let packages = packages(&[package]);
            let known = Known { running, connectors, packages: &packages, ..Known::default() };
            assert_eq!(judged(&[process(1)], &known).verdict, expected, "{known:?}");
        }
    }

    #[test]
    fn what_came_out_together_belongs_together() {
        let (info, warn) = (Verdict::Info, Verdict::Warn);
        for (server, connectors, cli, expected) in [
            ("0.8.0", Some("0.4.0"), Some("0.13.0-1"), info),
            ("0.8.2-edge.1", Some("0.4.1-edge.1"), Some("0.13.1~edge.1-1"), info),
            ("0.9.0-edge.5", Some("0.5.0-edge.4"), Some("0.14.0-edge.4"), info),
            ("0.7.4-edge.1", None, Some("0.12.1-edge.1"), info),
            ("0.8.0", Some("0.3.9"), None, warn),
            ("0.8.0", Some("0.5.0-edge.1"), None, warn),
            ("0.9.0-edge.2", Some("0.4.1-edge.1"), None, warn),
            ("0.8.0", Some("0.4.0"), Some("0.12.1"), warn),
            ("0.8.0", Some("0.4.0"), Some("0.14.0~edge.1-1"), warn),
            // Releases that are not known here, and a package that is numbered like the server.
            ("0.8.0", Some("0.6.0"), Some("0.15.0"), info),
            ("0.8.0", Some("0.8.0"), Some("0.8.0-1"), info),
            ("0.10.0", Some("0.5.0"), Some("0.14.0"), info),
            ("0.9.0", None, Some("0.9.0-1"), info),
        ] {
            let packages = cli.map(|version| packages(&[("iggy", version)])).unwrap_or_default();
            let running = Known { running: Some(server), connectors, packages: &packages, ..Known::default() };
            assert_eq!(judged(&[process(1)], &running).verdict, expected, "{running:?}");
            let stopped = Known { running: None, data: Some(server), ..running };
            assert_eq!(judged(&[process(1)], &stopped).verdict, expected, "{stopped:?}");
        }
    }

    #[test]
    fn a_mismatch_says_what_belongs_there() {
        let known = Known { running: Some("0.8.0"), connectors: Some("0.3.0"), ..Known::default() };
        let judged = judged(&[process(1)], &known);
        let sentence = "The server is version 0.8.0 and the connectors runtime 0.3.0: with server 0.8 came 0.4.";
        assert_eq!(judged.summary, sentence);
        assert!(judged.remedy.unwrap().starts_with("# Install the connectors runtime 0.4, "));
        let companions = Some(("Came out with server 0.8".into(), "connectors runtime 0.4, CLI 0.13".into()));
        assert_eq!(known.companions(), companions);
    }

    #[test]
    fn what_is_not_known_to_belong_together_is_said() {
        let known = |connectors| Known { running: Some("0.8.0"), connectors: Some(connectors), ..Known::default() };
        let summary = |connectors| judged(&[process(1)], &known(connectors)).summary;
        assert_eq!(summary("0.4.0"), "Version 0.8.0 runs, with connectors runtime 0.4.0.");
        let sentence =
            "Version 0.8.0 runs, with connectors runtime 0.7.1 (whether they came out together is not known).";
        assert_eq!(summary("0.7.1"), sentence);
    }

    #[test]
    fn without_a_version_the_layout_is_told() {
        let judged = judged(&[process(1)], &Known { layout: Some("0.8"), ..Known::default() });
        let sentence = "The data has the layout of 0.8; the version is not known.";
        assert_eq!((judged.verdict, judged.summary.as_str()), (Verdict::Info, sentence));
    }
}
