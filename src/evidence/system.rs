//! What can be known about a host's operating system, kernel and hardware.

use std::collections::BTreeMap;

use super::Key;
use crate::domain::gap::Gap;

/// The distribution, from os-release.
pub const OS_RELEASE: Key<OsRelease> = Key::new("system.os-release");
/// The running kernel.
pub const KERNEL: Key<Kernel> = Key::new("system.kernel");
/// The hardware, the hypervisor, the cloud.
pub const PLATFORM: Key<Platform> = Key::new("system.platform");
/// `kernel.tainted`.
pub const TAINT: Key<Taint> = Key::new("system.taint");
/// Kernel parameters of the allow-list.
pub const PARAMETERS: Key<Parameters> = Key::new("system.parameters");

/// What os-release says of the distribution; fields it leaves out are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// `ID`: `debian`.
    pub id: String,
    /// `VERSION_ID`: `12`.
    pub version: String,
    /// `PRETTY_NAME`: `Debian GNU/Linux 12 (bookworm)`.
    pub name: String,
}

impl OsRelease {
    /// Reads an os-release file: shell assignments, values perhaps in quotes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
            line.map(|value| value.trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
        };
        Self { id: value("ID"), version: value("VERSION_ID"), name: value("PRETTY_NAME") }
    }
}

/// The running kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kernel {
    /// `6.1.0-21-amd64`.
    pub release: String,
    /// The banner of /proc/version: who built it, with what.
    pub banner: String,
    /// The machine's architecture: `x86_64`.
    pub architecture: String,
    /// The host's name.
    pub host_name: String,
}

impl Kernel {
    /// Major and minor version, if the release begins with them.
    #[must_use]
    pub fn version(&self) -> Option<(u32, u32)> {
        let mut parts = self.release.split(|c: char| !c.is_ascii_digit());
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    /// Whether this is the Windows Subsystem for Linux.
    #[must_use]
    pub fn is_wsl(&self) -> bool {
        let text = format!("{} {}", self.release, self.banner).to_lowercase();
        text.contains("microsoft")
    }
}

/// The hardware as far as it can be named without serial numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    /// Fields of the firmware's tables that were readable: name → value.
    pub firmware: BTreeMap<&'static str, String>,
    /// The hypervisor, as the processor or the kernel names it; `None` on bare metal or when unknown.
    pub hypervisor: Option<String>,
    /// Whether the processor says that a hypervisor is present; `None` where it cannot say.
    pub virtualised: Option<Virtualised>,
    /// The cloud, recognised from the firmware's tables.
    pub cloud: Option<&'static str>,
    /// The container manager that the init system or a marker file names.
    pub container: Option<String>,
    /// The processor's model name.
    pub processor: Option<String>,
    /// Physical memory, bytes.
    pub memory_bytes: Option<u64>,
}

/// Whether a hypervisor is below us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Virtualised {
    /// A virtual machine.
    Yes,
    /// Bare metal, as far as the processor tells.
    No,
}

/// The taint bits of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taint(pub u64);

/// Kernel parameters by their name with dots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Name → value, blanks collapsed.
    pub values: BTreeMap<&'static str, String>,
    /// Parameters that exist and could not be read.
    pub gaps: Vec<Gap>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read_with_and_without_quotes() {
        let text =
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nID=debian\n";
        let expected =
            OsRelease { id: "debian".into(), version: "12".into(), name: "Debian GNU/Linux 12 (bookworm)".into() };
        assert_eq!(OsRelease::parse(text), expected);
        assert_eq!(OsRelease::parse("ID_LIKE=debian\n"), OsRelease::default());
    }

    #[test]
    fn a_version_is_the_first_two_numbers_of_a_release() {
        for (release, version) in [
            ("6.1.0-21-amd64", Some((6, 1))),
            ("5.19-rc1", Some((5, 19))),
            ("5.15.153.1-microsoft-standard-WSL2", Some((5, 15))),
            ("6", None),
            ("next", None),
        ] {
            assert_eq!(Kernel { release: release.into(), ..Kernel::default() }.version(), version, "{release}");
        }
    }
}
