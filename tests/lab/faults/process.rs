//! The server's process: doubled, replaced, stuck, deaf, started with the wrong flags or unit.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::disk::dead_mount;
use super::{Fault, fails, warns};
use crate::lab::{Server, UNITS};
use crate::planting::Planting;
use crate::server::SILENT;
use crate::volume::text;
use crate::{Outcome, run};

pub(super) const FAULTS: &[Fault] = &[
    fails("proc.iggy", "two servers on one data directory", |planting| {
        let mut spec = planting.lab.healthy.clone();
        spec.set(SILENT, "1");
        let second = Server::start(&spec)?;
        let (pid, data) = (planting.pid(), planting.lab.data.display().to_string());
        planting.names(pid);
        planting.names(second.pid());
        planting.names(data);
        planting.beside(second);
        Ok(())
    }),
    warns("proc.iggy", "first in line for the OOM killer", |planting| {
        planting.heal_server();
        planting.names("500");
        Ok(fs::write(format!("/proc/{}/oom_score_adj", planting.pid()), "500")?)
    }),
    fails("proc.stuck", "server waits for a dead device", |planting| {
        block_server(planting)?;
        planting.names(planting.pid());
        Ok(())
    }),
    warns("proc.stuck", "another process waits for a dead device", stalled_process),
    warns("proc.stuck", "a dozen zombies", |planting| {
        planting.names("14");
        planting.tell("zombies 14")
    }),
    warns("iggy.version", "program replaced under the running server", |planting| {
        let program = planting.lab.healthy.program.clone();
        planting.heal_server();
        // As package managers do it.
        let new = program.with_extension("new");
        fs::copy(&program, &new)?;
        fs::set_permissions(&new, PermissionsExt::from_mode(0o755))?;
        fs::rename(&new, &program)?;
        planting.names(program.display());
        Ok(())
    }),
    fails("iggy.ping", "HTTP API hangs", |planting| {
        planting.names("127.0.0.1:3000");
        planting.tell("slow 60000")
    }),
    warns("iggy.ping", "HTTP API takes 400 ms", |planting| planting.tell("slow 400")),
    fails("iggy.flags", "started with --with-default-root-credentials", |planting| {
        planting.names("--with-default-root-credentials");
        planting.restart(|spec| spec.arguments.push("--with-default-root-credentials".into()))
    }),
    warns("iggy.flags", "RUST_LOG=trace", |planting| {
        planting.names("RUST_LOG");
        planting.restart(|spec| spec.set("RUST_LOG", "trace"))
    }),
    fails("iggy.flags", "--fresh in the unit", |planting| {
        planting.names("--fresh");
        unit(planting, "ExecStart=PROGRAM", "ExecStart=PROGRAM --fresh")
    }),
    warns("systemd.unit", "the unit does not restart the server", |planting| {
        planting.names("Restart");
        unit(planting, "Restart=on-failure", "Restart=no")
    }),
    warns("iggy.config-drift", "unit changed under the running server", |planting| {
        planting.names("iggy-server.service");
        // Whole seconds count.
        let now = jiff::Timestamp::now().as_second() + 2;
        changed_unit(planting, "RestartSec=5", "RestartSec=9")?;
        let unit = fs::File::options().write(true).open(Path::new(UNITS).join("iggy-server.service"))?;
        Ok(unit.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(now.try_into()?))?)
    }),
    warns("systemd.unit", "ten seconds to stop", |planting| {
        planting.names("10");
        unit(planting, "TimeoutStopSec=60", "TimeoutStopSec=10")
    }),
];

/// Changes a line of the server's unit, and starts the server anew, as one does.
pub(super) fn unit(planting: &mut Planting<'_>, line: &str, other: &str) -> Outcome<()> {
    changed_unit(planting, line, other)?;
    planting.restart(|_| ())
}

fn changed_unit(planting: &mut Planting<'_>, line: &str, other: &str) -> Outcome<()> {
    let path = Path::new(UNITS).join("iggy-server.service");
    let program = text(&planting.lab.healthy.program).to_owned();
    let [line, other] = [line, other].map(|line| line.replace("PROGRAM", &program));
    let unit = fs::read_to_string(&path)?;
    if !unit.contains(&line) {
        return Err(format!("the unit has no {line}").into());
    }
    planting.write(&path, unit.replace(&line, &other).as_bytes())
}

/// The server's main thread waits in state D, and nothing else shows why: the mount is no longer in the tree.
fn block_server(planting: &mut Planting<'_>) -> Outcome<()> {
    let point = planting.mount_point("gone")?;
    dead_mount(planting, &point)?;
    let pid = planting.pid();
    planting.tell(&format!("block {}", point.join("file").display()))?;
    await_state(pid, 'D')?;
    run("umount", &["-l", text(&point)])
}

fn stalled_process(planting: &mut Planting<'_>) -> Outcome<()> {
    let point = planting.mount_point("gone")?;
    dead_mount(planting, &point)?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--stall")
        .arg(point.join("file"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let pid = child.id();
    planting.names(pid);
    planting.later(move |_| {
        child.kill()?;
        child.wait()?;
        Ok(())
    });
    await_state(pid, 'D')?;
    run("umount", &["-l", text(&point)])
}

/// Waits until a process is in this state.
fn await_state(pid: u32, state: char) -> Outcome<()> {
    for _ in 0..100_000 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(state)) {
            return Ok(());
        }
        std::thread::yield_now();
    }
    Err(format!("process {pid} does not come to state {state}").into())
}
