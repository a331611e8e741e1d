//! Checks of memory.

use super::Check;

mod available;
mod huge_pages;
mod pressure;
mod swap;

pub(super) const CHECKS: &[Check] = &[available::CHECK, pressure::CHECK, swap::CHECK, huge_pages::CHECK];
