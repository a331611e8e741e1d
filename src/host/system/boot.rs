//! When and how the host was booted.

use super::super::scalar::optional;
use super::super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::boot::{Boot, compare};

/// Words of the kernel's command line that are kept.
const WORDS_MAX: usize = 128;
/// Packages that asked for a reboot and are named.
const PACKAGES_MAX: usize = 20;
/// Parts of a parameter's name behind which a value is left out.
const SECRET: &[&str] = &["pass", "key", "secret", "token", "luks", "cred", "auth"];

pub(super) fn boot(scene: &Scene) -> Observed<Boot> {
    let host = &scene.host;
    let uptime = host.text("/proc/uptime")?;
    let uptime_s = uptime.split('.').next().and_then(|seconds| seconds.parse().ok());
    // The line may hold a secret: what leaves this function are words without one.
    let command_line = host.call("boot-command-line", || {
        let seed = host.seed("/proc/cmdline")?;
        Ok(words(&String::from_utf8_lossy(&seed)))
    });
    // Debian's and Ubuntu's packages leave these; others leave none, and their kernel in /boot speaks for them.
    let reboot_wanted = optional(host.metadata("/run/reboot-required"))?.map(|_| {
        let packages = host.text("/run/reboot-required.pkgs").unwrap_or_default();
        let mut packages: Vec<String> = packages.lines().map(|line| line.trim().to_owned()).collect();
        packages.sort();
        packages.dedup();
        packages.truncate(PACKAGES_MAX);
        packages
    });
    Ok(Boot {
        uptime_s: uptime_s.ok_or_else(|| Gap::broken("/proc/uptime holds no time"))?,
        command_line: command_line.unwrap_or_default(),
        running: host.trimmed("/proc/sys/kernel/osrelease")?,
        installed: host.list("/boot").map(|names| kernels(&names)),
        reboot_wanted,
    })
}

fn words(line: &str) -> Vec<String> {
    let shown = |word: &str| match word.split_once('=') {
        Some((name, _)) if SECRET.iter().any(|part| name.to_ascii_lowercase().contains(part)) => {
            format!("{name}=(left out)")
        }
        _ => word.to_owned(),
    };
    line.split_ascii_whitespace().take(WORDS_MAX).map(shown).collect()
}

/// The releases in the names of kernels, sorted. Fedora's rescue image is as old as the installation.
fn kernels(names: &[String]) -> Vec<String> {
    let release = |name: &String| {
        let release = name.strip_prefix("vmlinuz-").or_else(|| name.strip_prefix("vmlinux-"))?;
        let is_release = release.starts_with(|c: char| c.is_ascii_digit()) && !release.starts_with("0-rescue");
        is_release.then(|| release.to_owned())
    };
    let mut found: Vec<String> = names.iter().filter_map(release).collect();
    found.sort_by(|a, b| compare(a, b));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_found_by_their_names() {
        let names = [
            "config-6.1.0-9-amd64",
            "vmlinuz-6.1.0-21-amd64",
            "vmlinuz-6.1.0-9-amd64",
            "vmlinuz",
            "vmlinuz-0-rescue-abc",
        ];
        assert_eq!(kernels(&names.map(str::to_owned)), ["6.1.0-9-amd64", "6.1.0-21-amd64"]);
    }

    #[test]
    fn secrets_of_the_command_line_are_left_out() {
        let line = "root=/dev/vda1 quiet rd.luks.key=/k ROOTPASS=hunter2 hugepages=4 apikey=x";
        let expected = [
            "root=/dev/vda1",
            "quiet",
            "rd.luks.key=(left out)",
            "ROOTPASS=(left out)",
            "hugepages=4",
            "apikey=(left out)",
        ];
        assert_eq!(words(line), expected);
    }
}
