//! What is installed: Iggy's programs, this one, and container runtimes, by package files and by paths.

use serde::{Deserialize, Serialize};

use super::{Key, Observed};

/// What is installed.
pub const INSTALLED: Key<Installed> = Key::new("iggy.installed");

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Packages, by the package manager's own database.
    pub packages: Observed<Vec<Package>>,
    /// Programs at the usual places.
    pub programs: Vec<InstalledProgram>,
}

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as the package manager writes it.
    pub version: String,
}

impl Package {
    /// The program's own version: without epoch and revision.
    #[must_use]
    pub fn upstream(&self) -> &str {
        let version = self.version.split_once(':').map_or(self.version.as_str(), |(_, version)| version);
        version.rsplit_once('-').map_or(version, |(version, _)| version)
    }
}

/// A program that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledProgram {
    /// `iggy-server`, `podman`.
    pub name: String,
    /// Where.
    pub path: String,
    /// When it was put there, seconds since the epoch.
    pub modified_unix: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packages_version_is_known_without_epoch_and_revision() {
        for (version, upstream) in [("0.8.0", "0.8.0"), ("1:0.8.0-1~deb12u2", "0.8.0"), ("0.8.0-rc1-2", "0.8.0-rc1")] {
            assert_eq!(Package { name: String::new(), version: version.into() }.upstream(), upstream);
        }
    }
}
