//! What the files of sysctl.d set, and what the kernel has.
//!
//! Only parameters that a file names are read, and none of those that log a warning, change something or hold a secret
//! when read.

use std::collections::BTreeMap;

use super::super::root::Host;
use super::super::scene::Scene;
use super::parameters::path;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::sysctl::{Author, SysctlFiles, SysctlLine, SysctlSetting, collapsed, line};

/// Where systemd and procps look, the first that has a file of a name wins.
const FOLDERS: &[(&str, Author)] = &[
    ("/etc/sysctl.d", Author::Operator),
    ("/run/sysctl.d", Author::Operator),
    ("/usr/local/lib/sysctl.d", Author::Operator),
    ("/usr/lib/sysctl.d", Author::Distribution),
    ("/lib/sysctl.d", Author::Distribution),
];
/// The file that procps reads last, and systemd where a link in a folder leads to it.
const OLD_FILE: &str = "/etc/sysctl.conf";
/// Files that are read.
const FILES_MAX: usize = 128;
/// Parameters that are compared.
const SETTINGS_MAX: usize = 1_024;
/// Characters of a value that are kept.
const VALUE_CHARS_MAX: usize = 200;
/// Parts of names that are not read: reading them logs a warning, mounts something, or shows a secret.
const UNREAD: &[&str] = &[
    "base_reachable_time",
    "retrans_time",
    "binfmt_misc",
    "stable_secret",
    "fastopen_key",
    "drop_caches",
    "route.flush",
];

pub(super) fn sysctl_files(scene: &Scene) -> Observed<SysctlFiles> {
    let host = &scene.host;
    let (files, mut gaps) = files(host);
    if files.is_empty() {
        return Err(gaps.pop().unwrap_or_else(|| Gap::absent("no file sets kernel parameters on this host")));
    }
    let mut found = SysctlFiles { gaps, ..SysctlFiles::default() };
    let mut wanted: BTreeMap<String, (String, String, Author)> = BTreeMap::new();
    for (file, author) in files {
        let text = match host.text(&file) {
            Ok(text) => text,
            Err(gap) => {
                found.gaps.push(gap);
                continue;
            }
        };
        for said in text.lines().filter_map(line) {
            match said {
                SysctlLine::Pattern => found.patterns += 1,
                SysctlLine::Sets(name, value) => drop(wanted.insert(name, (value, file.clone(), author))),
            }
        }
    }
    for (name, (value, file, author)) in wanted.into_iter().take(SETTINGS_MAX) {
        if is_readable(&name) {
            let live = host.text(&path(&name)).map(|text| cut(&collapsed(&text)));
            found.settings.push(SysctlSetting { name, wanted: cut(&value), live, file, author });
        }
    }
    Ok(found)
}

fn cut(value: &str) -> String {
    value.chars().take(VALUE_CHARS_MAX).collect()
}

/// Whether a name may become a path: words between dots, and none that must be left alone.
fn is_readable(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part != ".." && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-/:@".contains(c))
    };
    name.split('.').all(plain) && !name.contains("..") && !UNREAD.iter().any(|part| name.contains(part))
}

/// The files in the order in which they count, and the folders and files that could not be seen.
fn files(host: &Host) -> (Vec<(String, Author)>, Vec<Gap>) {
    let (mut by_name, mut gaps) = (BTreeMap::<String, (String, Author)>::new(), Vec::new());
    for (folder, author) in FOLDERS {
        match host.list(folder) {
            Ok(names) => {
                for name in names.into_iter().filter(|name| name.strip_suffix(".conf").is_some()) {
                    let file = format!("{folder}/{name}");
                    by_name.entry(name).or_insert((file, *author));
                }
            }
            Err(gap) if gap.reason == GapReason::Absent => {}
            Err(gap) => gaps.push(gap),
        }
    }
    // A link to nothing hides a file of that name.
    let hidden = |file: &str| host.link(file).is_ok_and(|target| target == "/dev/null");
    let mut files: Vec<(String, Author)> = by_name.into_values().filter(|(file, _)| !hidden(file)).collect();
    let linked = files.iter().any(|(file, _)| host.link(file).is_ok_and(|target| target.ends_with("sysctl.conf")));
    if !linked && host.metadata(OLD_FILE).is_ok() {
        files.push((OLD_FILE.to_owned(), Author::Operator));
    }
    files.truncate(FILES_MAX);
    (files, gaps)
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::testing::{recorded, scene};
    use super::*;

    #[test]
    fn later_names_win_and_the_operators_folder_hides_the_distributions() {
        let (tree, host) = recorded(&[
            ("usr/lib/sysctl.d/10-a.conf", "vm.swappiness = 60\nvm.laptop_mode=1\n"),
            ("usr/lib/sysctl.d/20-b.conf", "net.ipv4.conf.*.rp_filter = 2\nvm.gone = 1\n"),
            ("etc/sysctl.d/10-a.conf", "vm.swappiness = 1\n"),
            ("etc/sysctl.d/30-c.conf", "net.ipv4.tcp_rmem = 4096 1 2\n"),
            ("etc/sysctl.conf", "net.ipv6.neigh.default.base_reachable_time = 1\nkernel.panic = 5\n../x = 1\n"),
            ("proc/sys/vm/swappiness", "60\n"),
            ("proc/sys/vm/laptop_mode", "0\n"),
            ("proc/sys/net/ipv4/tcp_rmem", "4096\t1\t2\n"),
            ("proc/sys/kernel/panic", "5\n"),
        ]);
        std::os::unix::fs::symlink("/dev/null", tree.path().join("etc/sysctl.d/40-d.conf")).unwrap();
        let found = sysctl_files(&scene(host)).unwrap();
        let shown: Vec<(&str, bool, Author)> =
            found.settings.iter().map(|one| (one.name.as_str(), one.differs(), one.author)).collect();
        let expected = [
            ("kernel.panic", false, Author::Operator),
            ("net.ipv4.tcp_rmem", false, Author::Operator),
            ("vm.gone", false, Author::Distribution),
            ("vm.swappiness", true, Author::Operator),
        ];
        assert_eq!((shown.as_slice(), found.patterns), (expected.as_slice(), 1));
        assert!(found.settings[2].live.as_ref().is_err_and(|gap| gap.reason == GapReason::Absent));
    }

    #[test]
    fn a_host_without_such_files_says_so() {
        let (_tree, host) = recorded(&[]);
        let gap = sysctl_files(&scene(host)).unwrap_err();
        assert_eq!(gap.reason, GapReason::Absent);
    }
}
