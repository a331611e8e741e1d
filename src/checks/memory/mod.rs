//! Checks of memory.

use super::Check;

mod available;
mod budget;
mod huge_pages;
mod nodes;
mod overcommit;
mod pressure;
mod reserved;
mod swap;
mod top;
mod victims;

pub(super) const CHECKS: &[Check] = &[
    available::CHECK,
    budget::CHECK,
    pressure::CHECK,
    victims::CHECK,
    swap::CHECK,
    huge_pages::CHECK,
    reserved::CHECK,
    nodes::CHECK,
    overcommit::CHECK,
    top::CHECK,
];
