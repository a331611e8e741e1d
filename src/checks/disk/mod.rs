//! Checks of disks and file systems.

use super::Check;

mod damage;
mod data_dir;
mod fstype;
mod io;
mod mount_options;
mod queue;
mod space;
mod stuck;

pub(super) const CHECKS: &[Check] = &[
    space::SPACE,
    space::INODES,
    stuck::CHECK,
    fstype::CHECK,
    io::CHECK,
    data_dir::CHECK,
    damage::ERRORS,
    damage::RAID,
    mount_options::CHECK,
    queue::CHECK,
];
