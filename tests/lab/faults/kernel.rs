//! What leaves a trace in the kernel's log or counters until the next boot. It comes last.

use std::fs::{self, File};
use std::io::{Read, Seek};

use super::limits::Group;
use super::{Fault, fails};
use crate::lab::Server;
use crate::planting::Planting;
use crate::server::SILENT;
use crate::volume::text;
use crate::{Outcome, run};

pub(super) const FAULTS: &[Fault] = &[
    fails("logs.kernel", "a device fails a read", device_error).for_good(),
    fails("disk.fs-errors", "ext4 counts an error on itself", ext4_error).and(&["logs.kernel"]).for_good(),
    fails("mem.oom", "server killed for want of memory", oom_kill).and(&["logs.kernel"]).for_good(),
];

/// A loop device whose file ends before it does.
fn device_error(planting: &mut Planting<'_>) -> Outcome<()> {
    let file = planting.lab.folder.join("cut");
    File::create(&file)?.set_len(16 << 20)?;
    let kept = file.clone();
    planting.later(move |_| Ok(fs::remove_file(kept)?));
    let found = std::process::Command::new("losetup").args(["--find", "--show"]).arg(&file).output()?;
    let device = String::from_utf8(found.stdout)?.trim().to_owned();
    let kept = device.clone();
    planting.later(move |_| run("losetup", &["--detach", &kept]));
    File::options().write(true).open(&file)?.set_len(0)?;
    let mut read = File::open(&device)?;
    // Another place each time, so that a trace of an earlier lab is not taken for this one.
    let page = u64::from(std::process::id()) ^ u64::try_from(jiff::Timestamp::now().as_millisecond())?;
    let sector = page % (16 << 8) * 8;
    read.seek(std::io::SeekFrom::Start(sector * 512))?;
    planting.names(format!("sector {sector} "));
    let failed = read.read_exact(&mut [0; 4096]).is_err();
    planting.names(device.trim_start_matches("/dev/"));
    if failed { Ok(()) } else { Err("the device did not fail".into()) }
}

/// The kernel's own switch for it.
fn ext4_error(planting: &mut Planting<'_>) -> Outcome<()> {
    let disk = text(&planting.lab.disk).to_owned();
    let mounts = fs::read_to_string("/proc/mounts")?;
    let line = mounts.lines().find(|line| line.split(' ').nth(1) == Some(&disk)).ok_or("the disk is not mounted")?;
    let device = line.split(' ').next().unwrap_or_default().trim_start_matches("/dev/").to_owned();
    planting.names(&device);
    Ok(fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "lab")?)
}

/// A server in a control group that it outgrows. The healthy one runs on.
fn oom_kill(planting: &mut Planting<'_>) -> Outcome<()> {
    let group = Group::new(planting, "memory")?;
    group.memory(24 << 20)?;
    let mut spec = planting.lab.healthy.clone();
    spec.set(SILENT, "1");
    // The kernel's log knows another process id than this namespace; the user is the same, and another each time.
    spec.user += 1 + u32::try_from(jiff::Timestamp::now().as_second() % 10_000)?;
    let mut victim = Server::start(&spec)?;
    planting.names(format!("UID:{}", spec.user));
    group.set("cgroup.procs", &victim.pid().to_string())?;
    // It does not answer any more.
    let outgrown = victim.tell("memory 64").is_err();
    victim.stop();
    if outgrown { Ok(()) } else { Err("the server was not killed".into()) }
}
