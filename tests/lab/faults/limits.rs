//! Limits of the server's process and of the machine.

use std::fs;
use std::path::Path;

use rustix::process::Pid;

use super::{Fault, fails, warns};
use crate::lab::PARAMETERS;
use crate::planting::Planting;
use crate::{Outcome, run};

/// Bytes that a ring of 4,096 entries locks (measured on Linux 6.18).
const RING_BYTES: u64 = 404 << 10;
/// The stand-in's shards, and its main thread: a ring each.
const RINGS: u64 = 3;

pub(super) const FAULTS: &[Fault] = &[
    fails("limits.nofile", "soft limit of 1,024 open files", |planting| {
        planting.names("1024");
        limit(planting, "nofile", 1_024)
    }),
    fails("limits.nofile", "95 % of 10,000 open files used", |planting| {
        limit(planting, "nofile", 10_000)?;
        planting.names("10000");
        planting.tell("open 9500")
    }),
    fails("limits.memlock", "locked memory one ring short", |planting| {
        planting.names("1.18 MiB");
        limit(planting, "memlock", RINGS * RING_BYTES - 4096)
    }),
    warns("limits.memlock", "locked memory for one start only", |planting| {
        limit(planting, "memlock", RINGS * RING_BYTES)
    }),
    warns("limits.threads", "2,000 processes at most", |planting| {
        planting.names("2000");
        limit(planting, "nproc", 2_000)
    }),
    warns("limits.files-system", "fs.file-max at 400,000", |planting| {
        planting.names("400000");
        planting.kernel("/proc/sys/fs/file-max", "400000")
    }),
    warns("sys.params-drift", "a parameter differs from its file", |planting| {
        planting.names("net.core.somaxconn");
        planting.names("8192");
        planting.write(&Path::new(PARAMETERS).join("90-lab.conf"), b"net.core.somaxconn = 8192\n")
    }),
    fails("uring.sysctl", "io_uring for privileged users only", |planting| {
        planting.names("io_uring_disabled");
        planting.kernel("/proc/sys/kernel/io_uring_disabled", "1")
    }),
    warns("sys.cgroup", "most of pids.max used", |planting| {
        planting.names("24");
        let group = Group::new(planting, "pids")?;
        group.set("pids.max", "24")?;
        group.take_server(planting)?;
        let threads = fs::read_dir(format!("/proc/{}/task", planting.pid()))?.count();
        planting.tell(&format!("threads {}", 21 - threads))
    }),
    warns("cpu.quota", "a CPU quota below pinned shards", |planting| {
        let group = Group::new(planting, "cpu")?;
        group.quota("150000")?;
        group.take_server(planting)
    }),
    fails("cpu.quota", "stopped by its CPU quota", |planting| {
        let group = Group::new(planting, "cpu")?;
        group.quota("20000")?;
        group.take_server(planting)?;
        planting.window_ms = Some(600);
        planting.tell("burn 1")
    }),
    warns("cpu.pinning", "two shards on one processor", |planting| {
        planting.heal_server();
        planting.names("shard-0 and shard-1");
        let mut first = rustix::thread::CpuSet::new();
        first.set(0);
        for task in fs::read_dir(format!("/proc/{}/task", planting.pid()))? {
            let path = task?.path();
            if fs::read_to_string(path.join("comm"))?.starts_with("shard-") {
                let tid = path.file_name().and_then(|name| name.to_str()?.parse().ok()).and_then(Pid::from_raw);
                rustix::thread::sched_setaffinity(tid, &first)?;
            }
        }
        Ok(())
    }),
];

/// Starts the server anew with this limit, soft and hard.
fn limit(planting: &mut Planting<'_>, name: &str, value: u64) -> Outcome<()> {
    planting.restart(|spec| spec.limits.push(format!("--{name}={value}:{value}")))
}

/// A control group of the lab's.
pub(super) struct Group(String);

/// Where the trees of control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

impl Group {
    /// Makes one in the tree of version 1 that this controller has, else in the tree of version 2.
    pub(super) fn new(planting: &mut Planting<'_>, controller: &str) -> Outcome<Self> {
        let own_tree = format!("{GROUPS}/{controller}");
        let (tree, version_2) = if fs::exists(&own_tree)? { (own_tree, false) } else { (GROUPS.to_owned(), true) };
        if version_2 {
            fs::write(format!("{tree}/cgroup.subtree_control"), format!("+{controller}"))?;
        }
        let path = format!("{tree}/snapvisor-lab");
        crate::ledger::note(&crate::ledger::Undo::RemoveGroup(path.clone()))?;
        fs::create_dir(&path)?;
        let kept = path.clone();
        planting.later(move |_| {
            // A process that was killed leaves its group a moment later.
            let gone = || fs::read_to_string(format!("{kept}/cgroup.procs")).is_ok_and(|pids| pids.is_empty());
            for _ in 0..1_000 {
                if gone() {
                    break;
                }
                std::thread::yield_now();
            }
            run("rmdir", &[&kept])
        });
        planting.heal_server();
        Ok(Self(path))
    }

    pub(super) fn is_version_2(&self) -> bool {
        fs::exists(format!("{}/cgroup.controllers", self.0)).unwrap_or(false)
    }

    pub(super) fn set(&self, file: &str, value: &str) -> Outcome<()> {
        let path = format!("{}/{file}", self.0);
        Ok(fs::write(&path, value).map_err(|error| format!("{path} = {value}: {error}"))?)
    }

    pub(super) fn take_server(&self, planting: &Planting<'_>) -> Outcome<()> {
        self.set("cgroup.procs", &planting.pid().to_string())
    }

    /// Memory at most.
    pub(super) fn memory(&self, bytes: u64) -> Outcome<()> {
        let file = if self.is_version_2() { "memory.max" } else { "memory.limit_in_bytes" };
        self.set(file, &bytes.to_string())
    }

    /// Microseconds of processor time in each 100 ms.
    fn quota(&self, us: &str) -> Outcome<()> {
        if self.is_version_2() {
            self.set("cpu.max", &format!("{us} 100000"))
        } else {
            self.set("cpu.cfs_quota_us", us)
        }
    }
}
