//! Kernel parameters that files set at boot, beside their live values.

use super::{Key, Observed};

/// The parameters that files set.
pub const SYSCTL_FILES: Key<SysctlFiles> = Key::new("system.sysctl-files");

/// What the files of sysctl.d set, the last word on each parameter alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SysctlFiles {
    /// The parameters, by name.
    pub settings: Vec<SysctlSetting>,
    /// Lines with a pattern (`net.ipv4.conf.*.rp_filter`), which are not compared.
    pub patterns: u64,
    /// Files that could not be read.
    pub gaps: Vec<crate::domain::gap::Gap>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SysctlSetting {
    /// Its name, with dots.
    pub name: String,
    /// What the file sets.
    pub wanted: String,
    /// What the kernel has; an absent one belongs to a part of the kernel that is not loaded.
    pub live: Observed<String>,
    /// The file.
    pub file: String,
    /// Who wrote it.
    pub author: Author,
}

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Somebody who runs this host: /etc, /run, /usr/local.
    Operator,
    /// The distribution: /usr/lib.
    Distribution,
}

impl SysctlSetting {
    /// Whether the kernel has another value than the file says. One that could not be read does not differ.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.live.as_ref().is_ok_and(|live| *live != self.wanted)
    }
}

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SysctlLine {
    /// A parameter, blanks of its value collapsed.
    Sets(String, String),
    /// A pattern, or a parameter that a pattern is to leave alone.
    Pattern,
}

/// Reads a line of a sysctl.d file; `None` for blank lines, comments and what is no line.
#[must_use]
pub fn line(text: &str) -> Option<SysctlLine> {
    let text = text.trim();
    if text.is_empty() || text.starts_with(['#', ';']) {
        return None;
    }
    let Some((name, value)) = text.split_once('=') else {
        // `-name` alone takes a parameter out of the patterns.
        return text.starts_with('-').then_some(SysctlLine::Pattern);
    };
    let name = dotted(name.trim().trim_start_matches('-').trim());
    if name.contains(['*', '?', '[']) {
        return Some(SysctlLine::Pattern);
    }
    Some(SysctlLine::Sets(name, collapsed(value)))
}

/// The value on one line, blanks collapsed: the kernel separates by tabs what files separate by spaces.
#[must_use]
pub fn collapsed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name with dots between its parts. Where the first separator is a slash, slashes separate and dots are part of a
/// name (`net/ipv4/conf/eth0.100/rp_filter`); such a dot becomes a slash, as the kernel's tools write it.
fn dotted(name: &str) -> String {
    let first = name.find(['.', '/']).map(|at| &name[at..=at]);
    if first == Some("/") {
        name.chars()
            .map(|c| match c {
                '/' => '.',
                '.' => '/',
                other => other,
            })
            .collect()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_form_are_read() {
        let sets = |name: &str, value: &str| Some(SysctlLine::Sets(name.into(), value.into()));
        for (text, expected) in [
            ("vm.swappiness = 1", sets("vm.swappiness", "1")),
            ("  vm.swappiness=1  ", sets("vm.swappiness", "1")),
            ("-net.ipv4.ping_group_range = 0  2147483647", sets("net.ipv4.ping_group_range", "0 2147483647")),
            ("net/ipv4/conf/eth0.100/rp_filter = 2", sets("net.ipv4.conf.eth0/100.rp_filter", "2")),
            ("kernel/core_pattern=|/bin/x %p", sets("kernel.core_pattern", "|/bin/x %p")),
            ("net.ipv4.conf.*.rp_filter = 2", Some(SysctlLine::Pattern)),
            ("-net.ipv4.conf.all.rp_filter", Some(SysctlLine::Pattern)),
            ("# vm.swappiness = 1", None),
            ("; x = 1", None),
            ("", None),
            ("nonsense", None),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
    }
}
