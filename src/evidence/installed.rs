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
