//! Iggy's processes.

use super::super::processes::status_field;
use super::super::root::Host;
use super::super::scene::Scene;
use super::environment;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::iggy::{
    Confinement, Executable, IggyEnvironment, IggyProcess, Image, ProcessFigures, ProcessRoot, Program,
};
use crate::evidence::processes::{PROCESSES, Process, ProcessKind};
use crate::iggy::config::ServerConfig;

/// Processes of Iggy's that are looked at closely.
const PROCESSES_MAX: usize = 16;
/// Where a server keeps its data unless it is told otherwise, below its working directory.
const DEFAULT_DATA_DIR: &str = "local_data";
/// What the kernel puts behind the path of an executable whose file is gone.
const DELETED: &str = " (deleted)";
/// A process's name as the kernel keeps it has this many bytes at most.
const KERNEL_NAME_BYTES: usize = 15;

/// Iggy's processes, those that started first first.
pub(super) fn processes(scene: &Scene) -> Observed<Vec<IggyProcess>> {
    let all = scene.evidence.read(PROCESSES)?;
    let candidates = all.processes.iter().filter(|process| process.kind == ProcessKind::Program);
    let mut found: Vec<(Program, &Process)> = candidates
        .filter(|process| process.state != 'Z')
        .filter_map(|process| Some((program(&scene.host, process)?, process)))
        .collect();
    found.sort_by_key(|(_, process)| (process.started_ticks, process.pid));
    // A thread group that was only just forked looks like its parent: what runs the same program below another process of
    // the same kind on our list is kept too, since two servers on one directory is what proc.iggy looks for.
    found.truncate(PROCESSES_MAX);
    Ok(found.into_iter().map(|(program, process)| details(&scene.host, program, process, all.ticks_per_s)).collect())
}

/// Which of Iggy's programs a process runs: by its executable, or by its name where that may not be seen.
fn program(host: &Host, process: &Process) -> Option<Program> {
    let by_name = Program::ALL.into_iter().find(|program| {
        let name = program.name();
        process.name == name[..name.len().min(KERNEL_NAME_BYTES)] || process.program() == name
    });
    // Links of thousands of processes are not read: one that hides both its names is not found.
    by_name?;
    match host.link(&format!("/proc/{}/exe", process.pid)) {
        Ok(link) => {
            let path = link.strip_suffix(DELETED).unwrap_or(&link);
            let file = path.rsplit('/').next().unwrap_or(path);
            Program::ALL.into_iter().find(|program| is_copy(file, program.name()))
        }
        Err(_) => by_name,
    }
}

/// Whether a file is the program of this name, or what an upgrade or an installation by version makes of it:
/// `iggy-server.old`, `iggy-server-0.8.0`.
fn is_copy(file: &str, name: &str) -> bool {
    file.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn details(host: &Host, program: Program, process: &Process, ticks_per_s: u64) -> IggyProcess {
    let pid = process.pid;
    let at = |file: &str| format!("/proc/{pid}/{file}");
    let status = host.text(&at("status")).unwrap_or_default();
    let environment = host.call(&format!("iggy-environment-{pid}"), || {
        host.seed(&at("environ")).map(|block| environment::environment(&block))
    });
    let flags = host.call(&format!("iggy-flags-{pid}"), || {
        host.seed(&at("cmdline")).map(|arguments| environment::flags(&arguments))
    });
    let mut found = IggyProcess {
        program,
        pid,
        uid: process.uid,
        groups: numbers(&status, "Groups"),
        started_ticks: process.started_ticks,
        age_s: age_s(host, process.started_ticks, ticks_per_s),
        executable: executable(host, pid),
        root: root(host, pid),
        environment,
        flags,
        data_dir: Err(Gap::not_applicable("connectors keep no data directory")),
        threads: process.threads,
        resident_bytes: process.resident_bytes,
        swapped_bytes: process.swapped_bytes,
        confinement: confinement(&status),
        figures: figures(host, pid, &status),
    };
    if program == Program::Server {
        found.data_dir = data_dir(host, &found);
    }
    found
}

/// Seconds since a process and since the host started.
fn age_s(host: &Host, started_ticks: u64, ticks_per_s: u64) -> Option<(u64, u64)> {
    let uptime = host.text("/proc/uptime").ok()?;
    let up_s: u64 = uptime.split('.').next()?.parse().ok()?;
    Some((up_s.saturating_sub(started_ticks / ticks_per_s.max(1)), up_s))
}

/// The data directory as the process names it: its environment, else its configuration file, else the default.
fn data_dir(host: &Host, process: &IggyProcess) -> Observed<String> {
    let environment: &IggyEnvironment = process.environment.as_ref().map_err(Gap::clone)?;
    let working_dir = || host.link(&format!("/proc/{}/cwd", process.pid));
    let absolute = |path: &str| -> Observed<String> {
        if path.starts_with('/') { Ok(path.to_owned()) } else { Ok(join(&working_dir()?, path)) }
    };
    if let Some(path) = &environment.system_path {
        return absolute(path);
    }
    if let Some(config) = &environment.config_path {
        let text = host.text(&process.seen(&absolute(config)?));
        let config = text.ok().and_then(|text| ServerConfig::parse(&text).ok());
        if let Some(path) = config.and_then(|config| config.data_dir) {
            return absolute(&path.to_string_lossy());
        }
    }
    absolute(DEFAULT_DATA_DIR)
}

/// `path` below `folder`, with `.` and `..` taken away as text: a process's own links are resolved when it is opened.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn executable(host: &Host, pid: u32) -> Observed<Executable> {
    let path = format!("/proc/{pid}/exe");
    let link = host.link(&path)?;
    let metadata = host.metadata(&path)?;
    let (path, image) = match link.strip_suffix(DELETED) {
        Some(path) => (path.to_owned(), Image::Replaced),
        None => (link, Image::Current),
    };
    Ok(Executable { path, image, owner_uid: metadata.uid, mode: metadata.mode })
}

/// Whether a process sees our files: the same mounts, and the same root among them.
fn root(host: &Host, pid: u32) -> ProcessRoot {
    let mounts = |who: &str| host.link(&format!("/proc/{who}/ns/mnt"));
    let (Ok(theirs), Ok(ours)) = (mounts(&pid.to_string()), mounts("self")) else { return ProcessRoot::Unseen };
    if theirs != ours {
        return ProcessRoot::Own;
    }
    match host.link(&format!("/proc/{pid}/root")).as_deref() {
        Ok("/") => ProcessRoot::Ours,
        Ok(_) => ProcessRoot::Own,
        Err(_) => ProcessRoot::Unseen,
    }
}

fn numbers(status: &str, name: &str) -> Vec<u32> {
    let words = status_field(status, name).unwrap_or_default().split_ascii_whitespace();
    words.filter_map(|word| word.parse().ok()).collect()
}

fn confinement(status: &str) -> Confinement {
    let number = |name| status_field(status, name).and_then(|value| value.parse::<u8>().ok());
    Confinement {
        capabilities: status_field(status, "CapEff").and_then(|bits| u64::from_str_radix(bits, 16).ok()).unwrap_or(0),
        no_new_privileges: number("NoNewPrivs").map(|value| value == 1),
        seccomp: number("Seccomp"),
        pid_namespaces: status_field(status, "NSpid").map_or(0, |pids| pids.split_ascii_whitespace().count()),
    }
}

fn figures(host: &Host, pid: u32, status: &str) -> ProcessFigures {
    let at = |file: &str| format!("/proc/{pid}/{file}");
    let number = |file: &str| -> Observed<String> { host.text(&at(file)) };
    let bad = |file: &str| Gap::broken(format!("/proc/{pid}/{file} holds no number"));
    let io = host.text(&at("io"));
    let counted = |name: &str| -> Observed<u64> {
        let text = io.as_ref().map_err(Gap::clone)?;
        status_field(text, name).and_then(|value| value.parse().ok()).ok_or_else(|| bad("io"))
    };
    let switches = |name| status_field(status, name).and_then(|value| value.parse().ok());
    ProcessFigures {
        open_files: host.list(&at("fd")).map(|names| names.len() as u64),
        read_bytes: counted("read_bytes"),
        written_bytes: counted("write_bytes"),
        proportional_bytes: host.text(&at("smaps_rollup")).and_then(|text| {
            let kib = status_field(&text, "Pss").and_then(|value| value.split_ascii_whitespace().next()?.parse().ok());
            kib.map(|kib: u64| kib.saturating_mul(1024)).ok_or_else(|| bad("smaps_rollup"))
        }),
        oom_adjustment: number("oom_score_adj").and_then(|text| text.trim().parse().map_err(|_| bad("oom_score_adj"))),
        oom_score: number("oom_score").and_then(|text| text.trim().parse().map_err(|_| bad("oom_score"))),
        switches: switches("voluntary_ctxt_switches").zip(switches("nonvoluntary_ctxt_switches")),
        cgroup: host.text(&at("cgroup")).ok().and_then(|text| {
            let unified = text.lines().find_map(|line| line.strip_prefix("0::"));
            unified.filter(|path| *path != "/").map(str::to_owned)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_joined_without_dots() {
        for (folder, path, joined) in [
            ("/opt/iggy", "local_data", "/opt/iggy/local_data"),
            ("/opt/iggy/", "./data/../x/", "/opt/iggy/x"),
            ("/", "local_data", "/local_data"),
            ("/a", "../../../etc", "/etc"),
        ] {
            assert_eq!(join(folder, path), joined);
        }
    }
}
