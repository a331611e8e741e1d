//! Collectors of the Iggy server's limits, threads and control group.

use super::cgroup;
use super::collector::{Collect, Collector, Stage};
use super::processes::status_field;
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::cgroup::{Cgroup, IGGY_CGROUP, IGGY_THROTTLING_LATER, Throttling};
use crate::evidence::cpu::CpuList;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::limits::{
    SERVER_LIMITS, SERVER_THREADS, SERVER_THREADS_LATER, ServerLimits, ServerThread, ServerThreads, ThreadWait,
};
use crate::evidence::processes::ProcessStat;

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(SERVER_LIMITS, Stage::Detail, limits),
    &Collector::new(SERVER_THREADS, Stage::Detail, threads),
    &Collector::new(IGGY_CGROUP, Stage::Detail, control_group),
    &Collector::new(IGGY_THROTTLING_LATER, Stage::Rates, throttling_later),
    &Collector::new(SERVER_THREADS_LATER, Stage::Rates, threads_later),
];

/// Threads that are looked at at most: four files each. A server has a shard a processor and some more.
const THREADS_MAX: usize = 1_024;

fn pid(scene: &Scene) -> Observed<u32> {
    scene.evidence.read(IGGY_PROCESS).map(|process| process.pid)
}

fn limits(scene: &Scene) -> Observed<ServerLimits> {
    let path = format!("/proc/{}/limits", pid(scene)?);
    ServerLimits::parse(&scene.host.text(&path)?).ok_or_else(|| Gap::broken(format!("{path} names not all limits")))
}

fn threads(scene: &Scene) -> Observed<ServerThreads> {
    let (host, pid) = (&scene.host, pid(scene)?);
    let names = host.list(&format!("/proc/{pid}/task"))?;
    let mut tids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    tids.sort_unstable();
    let status = host.text(&format!("/proc/{pid}/status"))?;
    Ok(ServerThreads {
        threads: tids.iter().take(THREADS_MAX).filter_map(|tid| thread(host, pid, *tid)).collect(),
        dropped: tids.len().saturating_sub(THREADS_MAX) as u64,
        allowed: CpuList::parse(status_field(&status, "Cpus_allowed_list").unwrap_or_default()),
    })
}

/// One thread; `None` if it has ended since.
fn thread(host: &Host, pid: u32, tid: u32) -> Option<ServerThread> {
    let read = |name: &str| host.text(&format!("/proc/{pid}/task/{tid}/{name}")).ok();
    let (stat, status) = (ProcessStat::parse(&read("stat")?)?, read("status")?);
    // `0` where it runs, or where the kernel does not tell us.
    let waits_in = read("wchan").filter(|name| !name.is_empty() && name != "0");
    Some(ServerThread {
        tid,
        name: stat.name,
        state: stat.state,
        allowed: CpuList::parse(status_field(&status, "Cpus_allowed_list").unwrap_or_default()),
        last_cpu: stat.last_cpu,
        waits_in,
    })
}

fn control_group(scene: &Scene) -> Observed<Cgroup> {
    cgroup::of_process(&scene.host, &pid(scene)?.to_string())
}

/// Read anew after the window; a recording keeps both readings.
fn throttling_later(scene: &Scene) -> Observed<Throttling> {
    if scene.evidence.read(IGGY_CGROUP)?.quota.is_none() {
        return Err(Gap::not_applicable("the server has no CPU quota"));
    }
    let pid = pid(scene)?;
    scene.host.call("iggy-throttling-later", || {
        let group = cgroup::of_process(&Host::live(), &pid.to_string())?;
        group.throttling.ok_or_else(|| Gap::absent("the control group does not count its periods"))
    })
}

/// The threads that wait for a device, after the window.
fn threads_later(scene: &Scene) -> Observed<Vec<ThreadWait>> {
    let first = scene.evidence.read(SERVER_THREADS)?;
    let pid = pid(scene)?;
    scene.host.call("iggy-threads-later", || {
        let waiting = first.threads.iter().filter(|thread| thread.state == 'D');
        let again = waiting.filter_map(|one| thread(&Host::live(), pid, one.tid));
        Ok(again.map(|thread| ThreadWait { tid: thread.tid, state: thread.state, waits_in: thread.waits_in }).collect())
    })
}
