//! Checks of disks and file systems.

use super::Check;

mod damage;
mod data_dir;
mod deleted;
mod drbd;
mod fstype;
mod io;
mod mount_options;
mod nvme;
mod queue;
mod space;
mod stuck;
mod trim;

pub(super) const CHECKS: &[Check] = &[
    space::SPACE,
    space::INODES,
    stuck::CHECK,
    fstype::CHECK,
    io::CHECK,
    data_dir::CHECK,
    damage::ERRORS,
    damage::RAID,
    nvme::CHECK,
    drbd::CHECK,
    mount_options::CHECK,
    queue::CHECK,
    trim::CHECK,
    deleted::CHECK,
];
