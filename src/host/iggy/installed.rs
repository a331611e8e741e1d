//! Which of Iggy's programs and which container runtimes are installed. No program is started to ask it.

use super::super::FileKind;
use super::super::file::bounded;
use super::super::root::Host;
use super::super::scene::Scene;
use super::rpm;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::installed::{Installed, InstalledProgram, Package};

/// Debian's list of packages, and the most of it that is read: a full desktop has 6 MB.
const DPKG: &str = "/var/lib/dpkg/status";
const DPKG_BYTES_MAX: usize = 32 << 20;
/// Programs that are looked for.
const PROGRAMS: &[&str] = &[
    "iggy-server",
    "iggy",
    "iggy-connectors",
    "snapvisor",
    "docker",
    "dockerd",
    "containerd",
    "podman",
    "crio",
    "runc",
    "crun",
];
/// Where they are looked for.
const FOLDERS: &[&str] = &["/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/iggy", "/opt/iggy/bin"];
/// Packages that are kept.
const PACKAGES_MAX: usize = 32;

pub(super) fn installed(scene: &Scene) -> Observed<Installed> {
    scene.host.call("iggy-installed", || {
        let packages = packages(&scene.host);
        let programs = programs(&scene.host);
        if programs.is_empty() && packages.as_ref().is_ok_and(Vec::is_empty) {
            return Err(Gap::absent("no program of Iggy's and no container runtime is installed at a usual place"));
        }
        Ok(Installed { packages, programs })
    })
}

fn packages(host: &Host) -> Observed<Vec<Package>> {
    match host.open(DPKG) {
        Ok(file) => bounded(file, DPKG, DPKG_BYTES_MAX).map(|read| dpkg(&String::from_utf8_lossy(&read.bytes))),
        Err(gap) if gap.reason == GapReason::Absent => rpm::packages(host, matters).unwrap_or(Err(gap)),
        Err(gap) => Err(gap),
    }
}

/// Whether a package of this name is worth a line: Iggy's, ours, or a container runtime.
fn matters(name: &str) -> bool {
    let other_names = ["docker.io", "docker-ce", "docker-ce-cli", "containerd.io", "cri-o", "moby-engine", "apptainer"];
    name.contains("iggy") || PROGRAMS.contains(&name) || other_names.contains(&name)
}

/// The packages of this list that matter and are installed.
fn dpkg(status: &str) -> Vec<Package> {
    let package = |paragraph: &str| {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let name = field("Package")?;
        (matters(name) && field("Status")?.ends_with(" installed"))
            .then(|| Some(Package { name: name.to_owned(), version: field("Version")?.to_owned() }))?
    };
    status.split("\n\n").filter_map(package).take(PACKAGES_MAX).collect()
}

fn programs(host: &Host) -> Vec<InstalledProgram> {
    let mut found = Vec::new();
    for name in PROGRAMS {
        for folder in FOLDERS {
            let path = format!("{folder}/{name}");
            if let Ok(metadata) = host.metadata(&path)
                && metadata.kind == FileKind::File
            {
                found.push(InstalledProgram { name: (*name).to_owned(), path, modified_unix: metadata.modified_unix });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::testing::recorded;
    use super::*;

    #[test]
    fn installed_packages_are_told_from_removed_and_others() {
        let status = "Package: iggy-server\nStatus: install ok installed\nVersion: 0.8.0-1\n\n\
            Package: iggy\nStatus: deinstall ok config-files\nVersion: 0.7.0-1\n\n\
            Package: bash\nStatus: install ok installed\nVersion: 5.2\n\n\
            Package: docker-ce\nStatus: install ok installed\nVersion: 5:27.1-1\nDescription: x\n Package: iggy-x\n";
        let package = |name: &str, version: &str| Package { name: name.into(), version: version.into() };
        assert_eq!(dpkg(status), [package("iggy-server", "0.8.0-1"), package("docker-ce", "5:27.1-1")]);
    }

    #[test]
    fn programs_are_found_at_their_usual_places() {
        let files = ["usr/bin/iggy-server", "opt/iggy/bin/iggy"];
        let (_tree, host) = recorded(&files.map(|path| (path, "x")));
        let paths: Vec<_> = programs(&host).into_iter().map(|program| program.path).collect();
        assert_eq!(paths, ["/usr/bin/iggy-server", "/opt/iggy/bin/iggy"]);
        assert_eq!(packages(&host).unwrap_err().reason, GapReason::Absent);
    }
}
