//! Who changes something: by what authority, and what the audit log says of them.

use std::net::IpAddr;

use crate::domain::id::TenantId;
use crate::domain::permission::{Grant, Permissions};
use crate::domain::time::Timestamp;
use crate::store::{AuditEntry, KeyRow, Who};

/// What an actor may hand on to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// Everything: who can write the data directory.
    Operator,
    /// What a key may do itself.
    Key(Grant),
}

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// For the audit log.
    pub who: Who,
    /// What they may hand on.
    pub authority: Authority,
    /// Where they are.
    pub address: Option<IpAddr>,
    /// Their request (`ld-request`).
    pub request_id: Option<String>,
}

impl Actor {
    /// A client of the API.
    #[must_use]
    pub fn key(key: &KeyRow, address: IpAddr, request_id: String) -> Self {
        Self {
            who: Who::Key { id: key.id, name: key.name.clone() },
            authority: Authority::Key(key.grant()),
            address: Some(address),
            request_id: Some(request_id),
        }
    }

    /// The user who runs this process from the command line.
    #[must_use]
    pub fn command_line() -> Self {
        let uid = rustix::process::getuid().as_raw();
        Self { who: Who::CommandLine { uid }, authority: Authority::Operator, address: None, request_id: None }
    }

    /// The appliance by itself.
    #[must_use]
    pub fn appliance() -> Self {
        Self { who: Who::Appliance, authority: Authority::Operator, address: None, request_id: None }
    }

    /// Whether a role with this tree would go beyond the actor's own permissions or division.
    pub(super) fn is_exceeded_by_role(&self, tree: &Permissions) -> bool {
        match &self.authority {
            Authority::Operator => false,
            Authority::Key(own) => tree.exceeds(own),
        }
    }

    /// Whether a key with this grant would.
    pub(super) fn is_exceeded_by_key(&self, grant: &Grant) -> bool {
        match &self.authority {
            Authority::Operator => false,
            Authority::Key(own) => grant.exceeds(own),
        }
    }

    /// A line for the audit log.
    pub(super) fn entry(&self, action: &'static str, tenant_id: TenantId, at: Timestamp) -> AuditEntry {
        AuditEntry {
            at,
            tenant_id: Some(tenant_id),
            who: self.who.clone(),
            address: self.address,
            request_id: self.request_id.clone(),
            action,
            target_id: None,
            target_name: String::new(),
            detail: String::new(),
        }
    }
}
