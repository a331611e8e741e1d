//! The disk: full, without inodes, silent, in memory, read-only, with the wrong options and owners.

use std::fs::{self, File};
use std::os::fd::AsFd;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::{Fault, fails, warns};
use crate::planting::Planting;
use crate::volume::{self, text};
use crate::{Outcome, run};

pub(super) const FAULTS: &[Fault] = &[
    fails("disk.space", "full disk", |planting| leave(planting, 1 << 30)),
    warns("disk.space", "disk with 8 GiB left", |planting| leave(planting, 8 << 30)),
    fails("disk.inodes", "no inodes left", no_inodes),
    fails("disk.deleted-open", "3 GiB of deleted log held open", |planting| {
        let path = planting.lab.data.join("logs/iggy-server.log.1");
        planting.names(planting.lab.disk.display().to_string());
        planting.names(planting.pid());
        planting.tell(&format!("hold {} {}", path.display(), 3_u64 << 30))
    }),
    warns("disk.stuck", "dead FUSE mount", dead_mount_elsewhere),
    fails("disk.fstype", "data directory in memory (tmpfs)", data_in_memory),
    fails("disk.fs-errors", "data mounted read-only", read_only).and(&["disk.mount-opts"]),
    fails("disk.mount-opts", "mounted without barriers", |planting| {
        let point = text(&planting.lab.disk).to_owned();
        planting.names("barrier");
        planting.run(&format!("mount -o remount,nobarrier {point}"), &format!("mount -o remount,barrier {point}"))
    }),
    warns("disk.mount-opts", "mounted with strictatime", |planting| {
        let point = text(&planting.lab.disk).to_owned();
        planting.run(&format!("mount -o remount,strictatime {point}"), &format!("mount -o remount,noatime {point}"))
    }),
    fails("disk.data-dir", "streams owned by somebody else", |planting| {
        let path = planting.lab.data.join("streams");
        planting.names(path.display());
        planting.owner(&path, 12_345)
    }),
    fails("disk.data-dir", "data directory writable by everybody", |planting| {
        let path = planting.lab.data.clone();
        planting.names(path.display());
        planting.mode(&path, 0o777)
    }),
];

/// Fills the disk until so many bytes are left.
fn leave(planting: &mut Planting<'_>, bytes: u64) -> Outcome<()> {
    let space = statvfs(&planting.lab.disk)?;
    let path = planting.on_disk("filling");
    let file = File::create(&path)?;
    planting.later(move |_| Ok(fs::remove_file(path)?));
    let disk = planting.lab.disk.display().to_string();
    planting.names(disk);
    Ok(fallocate(&file, FallocateFlags::empty(), 0, space.f_bavail * space.f_frsize - bytes)?)
}

fn no_inodes(planting: &mut Planting<'_>) -> Outcome<()> {
    let folder = planting.on_disk("many");
    fs::create_dir(&folder)?;
    let kept = folder.clone();
    planting.later(move |_| Ok(fs::remove_dir_all(kept)?));
    let disk = planting.lab.disk.display().to_string();
    planting.names(disk);
    let mut number = 0;
    while File::create(folder.join(number.to_string())).is_ok() {
        number += 1;
    }
    Ok(())
}

/// Mounts a file system whose server never answers; nothing below `point` answers either.
pub(super) fn dead_mount(planting: &mut Planting<'_>, point: &std::path::Path) -> Outcome<()> {
    let device = File::options().read(true).write(true).open("/dev/fuse")?;
    let mut mount = std::process::Command::new("mount");
    mount.args(["-i", "-t", "fuse", "-o", "fd=0,rootmode=40000,user_id=0,group_id=0,allow_other", "nobody"]).arg(point);
    let done = mount.stdin(device.as_fd().try_clone_to_owned()?).output()?;
    if !done.status.success() {
        return Err(format!("mount -t fuse: {}", String::from_utf8_lossy(&done.stderr)).into());
    }
    let point = point.to_owned();
    planting.later(move |_| {
        // Without its server the mount answers everybody with an error.
        drop(device);
        // Some faults take it out of the tree themselves.
        let _ = run("umount", &["-l", text(&point)]);
        Ok(())
    });
    Ok(())
}

fn dead_mount_elsewhere(planting: &mut Planting<'_>) -> Outcome<()> {
    let point = planting.mount_point("dead")?;
    planting.names(point.display());
    dead_mount(planting, &point)
}

fn data_in_memory(planting: &mut Planting<'_>) -> Outcome<()> {
    let point = planting.mount_point("memory")?;
    let data = point.join("iggy");
    planting.run(
        &format!("mount -t tmpfs -o size=20g,noatime memory {}", point.display()),
        &format!("umount -l {}", point.display()),
    )?;
    volume::data(&data)?;
    let config = fs::read_to_string(volume::config_path(&planting.lab.data))?;
    fs::write(volume::config_path(&data), config.replace(text(&planting.lab.data), text(&data)))?;
    planting.names("tmpfs");
    planting.restart(|spec| spec.set("IGGY_SYSTEM_PATH", text(&data)))
}

fn read_only(planting: &mut Planting<'_>) -> Outcome<()> {
    let point = text(&planting.lab.disk).to_owned();
    planting.names(&point);
    planting.run(&format!("mount -o remount,ro {point}"), &format!("mount -o remount,rw,noatime {point}"))
}
