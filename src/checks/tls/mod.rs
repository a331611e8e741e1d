//! Checks of certificates.

use super::Check;

mod chain;
mod crypto;
mod files;
mod key_permissions;
mod listener;
mod names;
mod reach;

pub(super) const CHECKS: &[Check] =
    &[files::CHECK, chain::CHECK, crypto::CHECK, key_permissions::CHECK, listener::CHECK, names::CHECK];
