//! Checks of the network.

use super::Check;

mod accept_queue;
mod links;
mod listeners;
mod retransmits;
mod tcp_states;
mod udp;

pub(super) const CHECKS: &[Check] =
    &[links::CHECK, listeners::CHECK, accept_queue::CHECK, tcp_states::CHECK, udp::CHECK, retransmits::CHECK];
