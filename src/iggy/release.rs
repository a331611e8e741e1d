//! Releases: what a version says, and which server, connectors runtime and CLI came out together.
//!
//! The three are versioned apart: server 0.8.0, connectors runtime 0.4.0 and CLI 0.13.0 are one release.

/// A version as far as it decides anything, in the writing of the program itself (`0.9.0-edge.5`) or of a package
/// (`1:0.8.0-1~deb12u2`, `0.9.0~edge.5-1.el9`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    minor: Minor,
    patch: Option<u32>,
    before: Option<Before>,
}

/// Major and minor: before 1.0, what belongs together agrees in it.
pub type Minor = (u32, u32);

/// A build that came out before the release of its numbers: `-edge.5`, `~rc1`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Before {
    word: &'static str,
    number: Option<u32>,
}

/// What builds before a release are called.
const BEFORE: &[&str] = &["edge", "alpha", "beta", "rc"];

/// A program that is released with the server and has a version of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Companion {
    /// The runtime of connectors.
    Connectors,
    /// The command line `iggy`.
    Cli,
}

/// What came out together.
struct Release {
    server: Minor,
    connectors: Minor,
    /// 0.12 was never released: the last edge build of server 0.7 has it.
    cli: &'static [Minor],
}

/// By `core/server`, `core/connectors/runtime` and `core/cli` at the tags `server-0.5.0` to `server-0.9.0-edge.5`: the
/// edge builds of a minor version have the same companions as its release.
const RELEASES: &[Release] = &[
    Release { server: (0, 5), connectors: (0, 1), cli: &[(0, 9)] },
    Release { server: (0, 6), connectors: (0, 2), cli: &[(0, 10)] },
    Release { server: (0, 7), connectors: (0, 3), cli: &[(0, 11), (0, 12)] },
    Release { server: (0, 8), connectors: (0, 4), cli: &[(0, 13)] },
    Release { server: (0, 9), connectors: (0, 5), cli: &[(0, 14)] },
];

impl Version {
    /// The version in this text; `None` when it does not begin with a major and a minor number, an epoch aside.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.split_once(':').map_or(text, |(_, version)| version);
        let (major, rest) = number(text.strip_prefix('v').unwrap_or(text))?;
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        let patch = rest.strip_prefix('.').and_then(number);
        let rest = patch.map_or(rest, |(_, rest)| rest);
        Some(Self { minor: (major, minor), patch: patch.map(|(patch, _)| patch), before: before(rest) })
    }

    /// Major and minor.
    #[must_use]
    pub const fn minor(&self) -> Minor {
        self.minor
    }

    /// Whether these cannot be the same build. A part that one of them does not tell decides nothing: packages drop the
    /// `-edge.5`, and a release candidate says that it is the release.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        let differ = |(ours, theirs)| ours != theirs;
        self.minor != other.minor
            || self.patch.zip(other.patch).is_some_and(differ)
            || self.before.as_ref().zip(other.before.as_ref()).is_some_and(|(ours, theirs)| {
                ours.word != theirs.word || ours.number.zip(theirs.number).is_some_and(differ)
            })
    }
}

/// The number that the text begins with, and what follows it.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The build before a release that what follows the numbers tells of.
fn before(rest: &str) -> Option<Before> {
    BEFORE.iter().find_map(|word| {
        let (front, behind) = rest.split_once(word)?;
        let whole = !front.ends_with(|c: char| c.is_ascii_alphabetic())
            && !behind.starts_with(|c: char| c.is_ascii_alphabetic());
        let number = number(behind.strip_prefix(['.', '_']).unwrap_or(behind)).map(|(number, _)| number);
        whole.then_some(Before { word, number })
    })
}

impl Companion {
    const fn of(self, release: &Release) -> &[Minor] {
        match self {
            Self::Connectors => std::slice::from_ref(&release.connectors),
            Self::Cli => release.cli,
        }
    }

    /// Whether any release that is known here has this one.
    #[must_use]
    pub fn known(self, minor: Minor) -> bool {
        RELEASES.iter().any(|release| self.of(release).contains(&minor))
    }

    /// What came out with this server; `None` when that is not known here.
    #[must_use]
    pub fn released_with(self, server: Minor) -> Option<&'static [Minor]> {
        RELEASES.iter().find(|release| release.server == server).map(|release| self.of(release))
    }

    /// Whether this one belongs to this server; `None` when that is not known here.
    #[must_use]
    pub fn belongs(self, server: Minor, minor: Minor) -> Option<bool> {
        let expected = self.released_with(server)?;
        self.known(minor).then(|| expected.contains(&minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::of(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_writings_of_one_version_are_one() {
        for (program, package) in [
            ("0.8.0", "0.8.0"),
            ("0.8.0", "0.8.0-1"),
            ("0.8.0", "1:0.8.0-1~deb12u2"),
            ("0.8.0", "0.8.0-1.src.el9"),
            ("0.8.0", "0.8.0+ds-2"),
            ("0.8.0", "0.8"),
            ("0.8.0", "v0.8.0"),
            ("0.9.0-edge.5", "0.9.0-edge.5"),
            ("0.9.0-edge.5", "0.9.0-edge.5-1"),
            ("0.9.0-edge.5", "0.9.0~edge.5-1.fc41"),
            ("0.9.0-edge.5", "0.9.0-0.1.edge5.el9"),
            // The package says less, or the program does: server-0.8.0-rc.2 calls itself 0.8.0.
            ("0.9.0-edge.5", "0.9.0-1"),
            ("0.9.0-edge.5", "0.9.0~edge-1"),
            ("0.8.0", "0.8.0~rc2-1"),
        ] {
            assert!(!version(program).differs(&version(package)), "{program} {package}");
            assert!(!version(package).differs(&version(program)), "{package} {program}");
        }
    }

    #[test]
    fn other_numbers_and_another_edge_build_differ() {
        for (one, other) in [
            ("0.8.0", "0.8.1-1"),
            ("0.8.0", "0.9.0"),
            ("0.8.0", "1.8.0"),
            ("0.8.0", "0.80.0"),
            ("0.9.0-edge.5", "0.9.0~edge.4-1"),
            ("0.9.0-edge.5", "0.9.0-rc.5"),
        ] {
            assert!(version(one).differs(&version(other)), "{one} {other}");
        }
        for text in ["", "x", "8", "edge", "1:", "-1", "99999999999.1"] {
            assert_eq!(Version::of(text), None, "{text}");
        }
    }

    #[test]
    fn each_tag_is_a_release_of_what_belongs_together() {
        for (server, connectors, cli) in [
            ("0.5.0", "0.1.0", "0.9.0"),
            ("0.6.0", "0.2.0", "0.10.0"),
            ("0.6.3-edge.3", "0.2.4-edge.1", "0.10.3-edge.1"),
            ("0.7.0", "0.3.0", "0.11.0"),
            ("0.7.4-edge.1", "0.3.3-edge.1", "0.12.1-edge.1"),
            ("0.8.0", "0.4.0", "0.13.0"),
            ("0.8.2-edge.1", "0.4.1-edge.1", "0.13.1-edge.1"),
            ("0.9.0-edge.2", "0.5.0-edge.1", "0.14.0-edge.1"),
            ("0.9.0-edge.5", "0.5.0-edge.4", "0.14.0-edge.4"),
        ] {
            let server = version(server).minor();
            assert_eq!(Companion::Connectors.belongs(server, version(connectors).minor()), Some(true), "{connectors}");
            assert_eq!(Companion::Cli.belongs(server, version(cli).minor()), Some(true), "{cli}");
        }
    }

    #[test]
    fn what_no_release_has_is_not_known_to_belong_or_not() {
        for (companion, server, minor, expected) in [
            (Companion::Connectors, (0, 8), (0, 3), Some(false)),
            (Companion::Connectors, (0, 8), (0, 5), Some(false)),
            (Companion::Connectors, (0, 8), (0, 6), None),
            (Companion::Connectors, (0, 8), (0, 8), None),
            (Companion::Connectors, (0, 10), (0, 5), None),
            (Companion::Connectors, (0, 4), (0, 1), None),
            (Companion::Cli, (0, 8), (0, 12), Some(false)),
            (Companion::Cli, (0, 8), (0, 15), None),
            (Companion::Cli, (1, 0), (0, 14), None),
        ] {
            assert_eq!(companion.belongs(server, minor), expected, "{companion:?} {server:?} {minor:?}");
        }
    }
}
