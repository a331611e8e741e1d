//! Checks of certificates.

use super::Check;

mod chain;
mod crypto;
mod files;
mod key_permissions;
mod names;

pub(super) const CHECKS: &[Check] = &[files::CHECK, chain::CHECK, crypto::CHECK, key_permissions::CHECK, names::CHECK];
