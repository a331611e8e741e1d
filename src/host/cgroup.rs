//! Collector of control groups: version 1, version 2, and both side by side.

use std::str::FromStr;

use super::collector::{Collect, Collector, Stage};
use super::root::Host;
use super::scalar::counter;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::cgroup::{Cgroup, CgroupVersion, OWN_CGROUP, Quota, Tasks, Throttling};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(OWN_CGROUP, Stage::Facts, own)];

/// Ancestors that are looked at on the way to the root.
const LEVELS_MAX: usize = 32;
/// A limit of this many bytes or more is no limit: version 1 writes "none" as the largest multiple of a page.
const UNLIMITED_BYTES: u64 = 1 << 60;
/// Hexadecimal digits that make the id of a container.
const CONTAINER_ID_DIGITS: usize = 32;
/// Digits of such an id that are shown.
const CONTAINER_ID_SHOWN: usize = 12;

fn own(scene: &Scene) -> Observed<Cgroup> {
    of_process(&scene.host, "self")
}

/// The control group of a process: `self`, or a pid.
pub(super) fn of_process(host: &Host, pid: &str) -> Observed<Cgroup> {
    let memberships = host.text(&format!("/proc/{pid}/cgroup"))?;
    let mounts = mounts(&host.text("/proc/self/mountinfo")?);
    let groups = Groups { host, memberships: &memberships, mounts: &mounts };
    let version = groups.version();
    let own = groups.levels("memory").or_else(|| groups.levels("pids")).or_else(|| groups.levels(""));
    let path = own
        .map(|levels| levels.name)
        .ok_or_else(|| Gap::absent("no control group file system is mounted that shows this process"))?;
    let mut cgroup = Cgroup { version, path: shortened(&path), ..Cgroup::default() };
    groups.memory(&mut cgroup);
    groups.cpu(&mut cgroup);
    groups.tasks(&mut cgroup);
    Ok(cgroup)
}

/// A mounted tree of control groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    point: String,
    /// What of the tree is mounted there.
    root: String,
    /// The controllers; empty for version 2.
    controllers: Vec<String>,
    version_2: VersionTwo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VersionTwo {
    Yes,
    No,
}

/// The trees in /proc/self/mountinfo.
fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (head, tail) = line.split_once(" - ")?;
        let mut head = head.split(' ').skip(3);
        let (root, point) = (head.next()?, head.next()?);
        let mut tail = tail.split(' ');
        let kind = tail.next()?;
        let version_2 = match kind {
            "cgroup2" => VersionTwo::Yes,
            "cgroup" => VersionTwo::No,
            _ => return None,
        };
        let controllers = match version_2 {
            VersionTwo::Yes => Vec::new(),
            VersionTwo::No => tail.nth(1)?.split(',').map(str::to_owned).collect(),
        };
        Some(Mount { point: point.to_owned(), root: root.to_owned(), controllers, version_2 })
    };
    mountinfo.lines().filter_map(mount).collect()
}

/// The groups of one process from its own up to the root.
struct Levels {
    /// Its path in the tree.
    name: String,
    /// The directories, its own first.
    folders: Vec<String>,
    version_2: VersionTwo,
}

struct Groups<'a> {
    host: &'a Host,
    memberships: &'a str,
    mounts: &'a [Mount],
}

impl Groups<'_> {
    fn version(&self) -> CgroupVersion {
        let one = self.mounts.iter().any(|mount| mount.version_2 == VersionTwo::No);
        let two = self.mounts.iter().any(|mount| mount.version_2 == VersionTwo::Yes);
        match (one, two) {
            (true, true) => CgroupVersion::Hybrid,
            (true, false) => CgroupVersion::V1,
            (false, _) => CgroupVersion::V2,
        }
    }

    /// The groups that a controller acts on: its own tree of version 1, else the tree of version 2.
    fn levels(&self, controller: &str) -> Option<Levels> {
        let v1 = self.membership(|names| names.split(',').any(|name| name == controller)).and_then(|path| {
            let owns = |mount: &&Mount| mount.controllers.iter().any(|name| name == controller);
            Some((path, self.mounts.iter().find(owns)?))
        });
        let v2 = || {
            let path = self.membership(str::is_empty)?;
            Some((path, self.mounts.iter().find(|mount| mount.version_2 == VersionTwo::Yes)?))
        };
        let (path, mount) = v1.filter(|_| !controller.is_empty()).or_else(v2)?;
        let below = if mount.root == "/" { path } else { path.strip_prefix(mount.root.as_str()).unwrap_or(path) };
        // A path that begins with `..` lies outside of what our namespace shows.
        if below.split('/').any(|part| part == "..") {
            return None;
        }
        let mut folders = Vec::new();
        let mut at = below.trim_matches('/');
        while folders.len() < LEVELS_MAX {
            folders.push(if at.is_empty() { mount.point.clone() } else { format!("{}/{at}", mount.point) });
            if at.is_empty() {
                break;
            }
            at = at.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        Some(Levels { name: path.to_owned(), folders, version_2: mount.version_2 })
    }

    /// The path of the line of /proc/PID/cgroup whose controllers are asked for.
    fn membership(&self, matches: impl Fn(&str) -> bool) -> Option<&str> {
        self.memberships.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            matches(controllers).then_some(path)
        })
    }

    fn number<T: FromStr>(&self, folder: &str, file: &str) -> Option<T> {
        self.host.value(&format!("{folder}/{file}")).ok()
    }

    fn text(&self, folder: &str, file: &str) -> Option<String> {
        self.host.text(&format!("{folder}/{file}")).ok()
    }

    fn memory(&self, cgroup: &mut Cgroup) {
        let Some(levels) = self.levels("memory") else { return };
        let (limit, used, droppable) = match levels.version_2 {
            VersionTwo::Yes => ("memory.max", "memory.current", "inactive_file"),
            VersionTwo::No => ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        };
        let limits = levels.folders.iter().filter_map(|folder| Some((self.number::<u64>(folder, limit)?, folder)));
        let strictest = limits.filter(|(bytes, _)| *bytes < UNLIMITED_BYTES).min_by_key(|(bytes, _)| *bytes);
        cgroup.memory_max_bytes = strictest.map(|(bytes, _)| bytes);
        let Some(folder) = strictest.map(|(_, folder)| folder).or(levels.folders.first()) else { return };
        cgroup.memory_used_bytes = self.number(folder, used);
        cgroup.memory_droppable_bytes = self.text(folder, "memory.stat").and_then(|text| counter(&text, droppable));
        let Some(own) = levels.folders.first() else { return };
        let events = match levels.version_2 {
            VersionTwo::Yes => "memory.events",
            VersionTwo::No => "memory.oom_control",
        };
        cgroup.oom_kills = self.text(own, events).and_then(|text| counter(&text, "oom_kill"));
        cgroup.memory_pressure = super::pressure(self.host, &format!("{own}/memory.pressure")).ok();
    }

    fn cpu(&self, cgroup: &mut Cgroup) {
        if let Some(levels) = self.levels("cpu") {
            let quota = |folder: &String| match levels.version_2 {
                VersionTwo::Yes => {
                    let text = self.text(folder, "cpu.max")?;
                    let (quota, period) = text.trim().split_once(' ')?;
                    Some(Quota { quota_us: quota.parse().ok()?, period_us: period.parse().ok()? })
                }
                VersionTwo::No => Some(Quota {
                    // −1 is no quota and no number of this type.
                    quota_us: self.number(folder, "cpu.cfs_quota_us")?,
                    period_us: self.number(folder, "cpu.cfs_period_us")?,
                }),
            };
            let quotas = levels.folders.iter().filter_map(|folder| Some((quota(folder)?, folder)));
            let strictest = quotas.min_by(|(a, _), (b, _)| a.cpus().total_cmp(&b.cpus()));
            cgroup.quota = strictest.map(|(quota, _)| quota);
            let stat = strictest.and_then(|(_, folder)| self.text(folder, "cpu.stat"));
            cgroup.throttling = stat.and_then(|text| {
                Some(Throttling { periods: counter(&text, "nr_periods")?, throttled: counter(&text, "nr_throttled")? })
            });
            let own = levels.folders.first();
            cgroup.cpu_pressure = own.and_then(|own| super::pressure(self.host, &format!("{own}/cpu.pressure")).ok());
        }
        if let Some(levels) = self.levels("cpuset") {
            let files = ["cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"];
            let own = levels.folders.first();
            let cpus = own.and_then(|own| files.iter().find_map(|file| self.text(own, file)));
            cgroup.cpus = cpus.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
    }

    fn tasks(&self, cgroup: &mut Cgroup) {
        let Some(levels) = self.levels("pids") else { return };
        let tasks = |folder: &String| {
            Some(Tasks { max: self.number(folder, "pids.max")?, current: self.number(folder, "pids.current")? })
        };
        cgroup.tasks = levels.folders.iter().filter_map(tasks).min_by_key(|tasks| tasks.max);
    }
}

/// A path with the ids of containers cut short: they name one container of one host and help nobody.
fn shortened(path: &str) -> String {
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits == 0 {
            let other = rest.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(rest.len());
            shown.push_str(&rest[..other]);
            rest = &rest[other..];
            continue;
        }
        if digits >= CONTAINER_ID_DIGITS {
            shown.push_str(&rest[..CONTAINER_ID_SHOWN]);
            shown.push('…');
        } else {
            shown.push_str(&rest[..digits]);
        }
        rest = &rest[digits..];
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::scene::testing::recorded;
    use super::*;

    fn read(files: &[(&str, &str)]) -> Observed<Cgroup> {
        of_process(&recorded(files).1, "self")
    }

    const UNIFIED: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn the_strictest_ancestor_counts_in_version_2() {
        let files = [
            ("/proc/self/cgroup", "0::/system.slice/iggy.service\n"),
            ("/proc/self/mountinfo", UNIFIED),
            ("/sys/fs/cgroup/system.slice/iggy.service/memory.max", "max\n"),
            ("/sys/fs/cgroup/system.slice/memory.max", "1073741824\n"),
            ("/sys/fs/cgroup/system.slice/memory.current", "536870912\n"),
            ("/sys/fs/cgroup/system.slice/memory.stat", "anon 1\ninactive_file 4096\n"),
            ("/sys/fs/cgroup/system.slice/iggy.service/memory.events", "oom 1\noom_kill 2\n"),
            ("/sys/fs/cgroup/system.slice/iggy.service/cpu.max", "150000 100000\n"),
            ("/sys/fs/cgroup/system.slice/iggy.service/cpu.stat", "usage_usec 1\nnr_periods 100\nnr_throttled 7\n"),
            ("/sys/fs/cgroup/system.slice/cpu.max", "max 100000\n"),
            ("/sys/fs/cgroup/system.slice/iggy.service/pids.max", "4915\n"),
            ("/sys/fs/cgroup/system.slice/iggy.service/pids.current", "11\n"),
            ("/sys/fs/cgroup/system.slice/iggy.service/cpuset.cpus.effective", "0-3\n"),
        ];
        let expected = Cgroup {
            version: CgroupVersion::V2,
            path: "/system.slice/iggy.service".into(),
            memory_max_bytes: Some(1 << 30),
            memory_used_bytes: Some(1 << 29),
            memory_droppable_bytes: Some(4096),
            oom_kills: Some(2),
            quota: Some(Quota { quota_us: 150_000, period_us: 100_000 }),
            throttling: Some(Throttling { periods: 100, throttled: 7 }),
            cpus: Some("0-3".into()),
            tasks: Some(Tasks { max: 4915, current: 11 }),
            memory_pressure: None,
            cpu_pressure: None,
        };
        assert_eq!(read(&files), Ok(expected));
    }

    #[test]
    fn version_1_in_a_container_is_read_below_its_own_mount() {
        let id = "050db322bff3e820877c877bd5e2e11a050db322bff3e820877c877bd5e2e11a";
        let memberships = format!("4:memory:/docker/{id}\n2:cpu,cpuacct:/docker/{id}\n0::/\n");
        let mountinfo = format!(
            "40 30 0:31 /docker/{id} /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
             41 30 0:32 /docker/{id} /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
        );
        let files = [
            ("/proc/self/cgroup", memberships.as_str()),
            ("/proc/self/mountinfo", mountinfo.as_str()),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "4096\n"),
            ("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ];
        let expected = Cgroup {
            version: CgroupVersion::V1,
            path: "/docker/050db322bff3…".into(),
            memory_used_bytes: Some(4096),
            oom_kills: Some(3),
            ..Cgroup::default()
        };
        assert_eq!(read(&files), Ok(expected));
    }

    #[test]
    fn a_host_without_control_groups_is_a_gap() {
        let files =
            [("/proc/self/cgroup", "0::/\n"), ("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n")];
        assert!(read(&files).is_err());
    }

    #[test]
    fn ids_of_containers_are_cut_short() {
        let id = "a".repeat(64);
        assert_eq!(
            shortened(&format!("/system.slice/docker-{id}.scope/é")),
            "/system.slice/docker-aaaaaaaaaaaa….scope/é"
        );
        assert_eq!(shortened("/user.slice/user-1000.slice"), "/user.slice/user-1000.slice");
    }
}
