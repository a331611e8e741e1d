//! Checks of disks and file systems.

use super::Check;

mod data_dir;
mod fstype;
mod io;
mod space;
mod stuck;

pub(super) const CHECKS: &[Check] =
    &[space::SPACE, space::INODES, stuck::CHECK, fstype::CHECK, io::CHECK, data_dir::CHECK];
