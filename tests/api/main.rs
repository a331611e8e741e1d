//! The API from outside: requests over a socket, whole answers compared, line by line of the contract.

#![expect(clippy::unwrap_used, reason = "a test that cannot get what it needs has failed")]

mod appliance;
mod client;
mod seed;
mod shape;

mod core_endpoints;
mod idempotency;
mod keys;
mod limits;
mod links;
mod patience;
mod permissions;
mod problems;
mod real;
mod roles;
mod snapshots;
mod sockets;
mod triggers;
