//! Checks of the network.

use super::Check;

mod accept_queue;
mod links;
mod listeners;
mod tcp_states;

pub(super) const CHECKS: &[Check] = &[links::CHECK, listeners::CHECK, accept_queue::CHECK, tcp_states::CHECK];
