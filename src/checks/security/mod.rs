//! Checks of security.

use super::Check;

mod cluster;
mod credentials;
mod identity;
mod plaintext;
mod secrets;

pub(super) const CHECKS: &[Check] =
    &[secrets::CHECK, plaintext::CHECK, cluster::CHECK, credentials::CHECK, identity::CHECK];
