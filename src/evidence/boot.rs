//! When and how the host was booted, and whether it should be booted again.

use super::{Key, Observed};

/// The last boot.
pub const BOOT: Key<Boot> = Key::new("system.boot");

/// The last boot, and what waits for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Seconds since it.
    pub uptime_s: u64,
    /// The kernel's command line, values of secrets left out.
    pub command_line: Vec<String>,
    /// The running release.
    pub running: String,
    /// Releases of kernels that stand in /boot, sorted; why not, if that cannot be seen.
    pub installed: Observed<Vec<String>>,
    /// The packages that asked for a reboot; `None` if none did.
    pub reboot_wanted: Option<Vec<String>>,
}

impl Boot {
    /// The newest installed kernel, if it is newer than the running one. A host that does not boot from /boot (the running
    /// release is not there) has none.
    #[must_use]
    pub fn newer(&self) -> Option<&str> {
        let installed = self.installed.as_ref().ok()?;
        let newest = installed.iter().max_by(|a, b| compare(a, b))?;
        let boots_from_there = installed.contains(&self.running);
        (boots_from_there && compare(newest, &self.running).is_gt()).then_some(newest.as_str())
    }
}

/// Compares releases as package managers do: runs of digits as numbers, the rest as text.
#[must_use]
pub fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    let (a, b) = (parts(a), parts(b));
    let pairs = a.iter().zip(&b).map(|(a, b)| match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        // A number is newer than text: 6.1.0-22 than 6.1.0-rc1.
        (Ok(_), Err(_)) => std::cmp::Ordering::Greater,
        (Err(_), Ok(_)) => std::cmp::Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    });
    pairs.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn parts(release: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = release;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| c.is_ascii_digit() == first.is_ascii_digit() && c.is_alphanumeric();
        let end = if first.is_alphanumeric() {
            rest.find(|c| !same(c)).unwrap_or(rest.len())
        } else {
            rest.find(char::is_alphanumeric).unwrap_or(rest.len())
        };
        if first.is_alphanumeric() {
            parts.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_their_numbers() {
        for (older, newer) in [
            ("6.1.0-9-amd64", "6.1.0-21-amd64"),
            ("5.15.0-99-generic", "5.15.0-100-generic"),
            ("6.10.3-200.fc40.x86_64", "6.10.3-201.fc40.x86_64"),
            ("6.9.12", "6.10.0"),
            ("6.1.0-rc1", "6.1.0-1"),
            ("6.1", "6.1.1"),
        ] {
            assert!(compare(older, newer).is_lt() && compare(newer, older).is_gt(), "{older} {newer}");
        }
        assert!(compare("6.1.0-9-amd64", "6.1.0-9-amd64").is_eq());
    }

    #[test]
    fn a_newer_kernel_counts_where_the_running_one_is_installed_too() {
        let boot = |running: &str| Boot {
            uptime_s: 0,
            command_line: Vec::new(),
            running: running.into(),
            installed: Ok(vec!["6.1.0-9-amd64".into(), "6.1.0-21-amd64".into()]),
            reboot_wanted: None,
        };
        assert_eq!(boot("6.1.0-9-amd64").newer(), Some("6.1.0-21-amd64"));
        assert_eq!(boot("6.1.0-21-amd64").newer(), None);
        assert_eq!(boot("5.10.0-cloud").newer(), None);
    }
}
