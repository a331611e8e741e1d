//! API keys: made with a token that is shown once, changed, revoked.

use std::net::IpAddr;

use ipnet::IpNet;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::actor::{Actor, Authority};
use super::error::{ChangeError, Noun};
use super::hierarchy::{limit, record};
use super::{names, roles};
use crate::domain::id::{DivisionId, KeyId, RoleId, TenantId};
use crate::domain::permission::{Grant, Permissions, Reach, RoleKind};
use crate::domain::plan::{ALLOWED_IPS_MAX, DAY_S, KEY_DAYS_MAX, KEYS_MAX};
use crate::domain::time::Timestamp;
use crate::store::{KeyRow, NewKey, Reader, Security, StoreError, Writer};

/// What every token begins with.
pub const TOKEN_PREFIX: &str = "ld_pk_";
/// Random letters and digits after it: 238 bits.
const TOKEN_CHARS: usize = 40;

/// A key's token. It is shown once; only its hash is kept.
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = Zeroizing::new(String::with_capacity(TOKEN_PREFIX.len() + TOKEN_CHARS));
        text.push_str(TOKEN_PREFIX);
        let mut random = Zeroizing::new([0_u8; 2 * TOKEN_CHARS]);
        while text.len() < TOKEN_PREFIX.len() + TOKEN_CHARS {
            getrandom::fill(&mut *random).expect("Linux has a random number generator");
            // Bytes from 248 on are thrown away, so that every character is as likely as any other.
            let drawn = random.iter().filter(|byte| **byte < 248).map(|byte| ALPHABET[usize::from(*byte) % 62]);
            let missing = TOKEN_PREFIX.len() + TOKEN_CHARS - text.len();
            text.extend(drawn.take(missing).map(char::from));
        }
        Self(text)
    }

    /// Its text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it. One round of SHA-256 is enough: there is nothing to guess among 238 random bits.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        token_sha256(&self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The hash under which a token's key is found.
#[must_use]
pub fn token_sha256(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRole {
    /// What this role may.
    Role(RoleId),
    /// What this tree says: the key gets a role of its own.
    Inline(Permissions),
}

/// A key that is asked for.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// Its name.
    pub name: String,
    /// From when on it is refused; at most 365 days ahead.
    pub expires_at: Timestamp,
    /// Its allowlist.
    pub security: Security,
    /// The one division that it is to see.
    pub division_id: Option<DivisionId>,
    /// What it may do.
    pub role: KeyRole,
}

/// What of a key's allowlist is to change; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecurityChange {
    /// Whether the list counts.
    pub validate_ip: Option<bool>,
    /// The list, whole.
    pub allowed_ips: Option<Vec<String>>,
}

/// Makes a key; its token is not kept.
///
/// # Errors
/// Its name is used or no name; it would live too long or not at all; its allowlist or role is wrong; it goes beyond the
/// actor's own permissions or division; there are too many.
pub fn create_key(
    w: &Writer,
    actor: &Actor,
    tenant: TenantId,
    request: KeyRequest,
    now: Timestamp,
) -> Result<(KeyId, Token), ChangeError> {
    names::check(Noun::Key, &request.name)?;
    check_expiry(request.expires_at, now)?;
    check_security(&request.security)?;
    let reach = Reach::of(request.division_id);
    let permissions = match &request.role {
        KeyRole::Role(id) => {
            let role = w.role(*id)?.filter(|role| role.tenant_id == tenant && role.kind != RoleKind::ApiKey);
            role.ok_or(ChangeError::NotFound(Noun::Role))?.permissions
        }
        KeyRole::Inline(tree) => tree.clone().expanded().map_err(ChangeError::Tree)?,
    };
    let grant = Grant { permissions, reach };
    if actor.is_exceeded_by_key(&grant) {
        return Err(ChangeError::Exceeds);
    }
    if let Some(division) = request.division_id {
        roles::division_there(w, actor, tenant, division)?;
    }
    limit(Noun::Key, w.keys_total(tenant)?, KEYS_MAX)?;
    let role_id = match request.role {
        KeyRole::Role(id) => id,
        KeyRole::Inline(_) => {
            roles::speaks_of_what_is_there(w, actor, tenant, &grant.permissions)?;
            w.insert_role(tenant, &request.name, RoleKind::ApiKey, &grant.permissions, now)?
        }
    };
    let token = Token::generate();
    let unfinished = || StoreError::Corrupt { table: "appliance", source: "the first start was not finished".into() };
    let user_id = w.appliance()?.ok_or_else(unfinished)?.user_id;
    let new = NewKey {
        tenant_id: tenant,
        name: request.name.clone(),
        user_id,
        role_id,
        division_id: request.division_id,
        security: request.security,
        expires_at: request.expires_at,
        token_sha256: token.sha256(),
    };
    let id = w.insert_key(&new, now).map_err(ChangeError::name_used(Noun::Key, &request.name))?;
    record(w, actor.entry("key.create", tenant, now), id.get(), &request.name)?;
    Ok((id, token))
}

/// Changes a key's allowlist; it counts from the key's next request on.
///
/// # Errors
/// No such key that the actor may see; it goes beyond the actor's own permissions; the list is wrong.
pub fn change_security(
    w: &Writer,
    actor: &Actor,
    tenant: TenantId,
    id: KeyId,
    change: SecurityChange,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let key = visible_key(w, actor, tenant, id)?;
    if actor.is_exceeded_by_key(&key.grant()) {
        return Err(ChangeError::Exceeds);
    }
    let security = Security {
        validate_ip: change.validate_ip.unwrap_or(key.security.validate_ip),
        allowed_ips: change.allowed_ips.unwrap_or(key.security.allowed_ips),
    };
    check_security(&security)?;
    w.update_security(id, &security)?;
    record(w, actor.entry("key.security", tenant, now), id.get(), &key.name)
}

/// Revokes a key: its next request is refused. Who may manage keys may revoke any that they see, even one that may do
/// more than they: taking away is no escalation, and a leaked key must be easy to stop.
///
/// # Errors
/// No such key that the actor may see.
pub fn revoke_key(w: &Writer, actor: &Actor, tenant: TenantId, id: KeyId, now: Timestamp) -> Result<(), ChangeError> {
    let key = visible_key(w, actor, tenant, id)?;
    w.delete_key(id)?;
    record(w, actor.entry("key.revoke", tenant, now), id.get(), &key.name)
}

/// A key of the tenant that the actor may see: one that is bound to a division sees that division's keys alone.
fn visible_key(r: &Reader, actor: &Actor, tenant: TenantId, id: KeyId) -> Result<KeyRow, ChangeError> {
    let visible = |key: &KeyRow| match &actor.authority {
        Authority::Operator => true,
        Authority::Key(own) => sees_key(own, key),
    };
    r.key(id)?.filter(|key| key.tenant_id == tenant && visible(key)).ok_or(ChangeError::NotFound(Noun::Key))
}

/// Whether a grant's holder may see a key of the same tenant.
#[must_use]
pub fn sees_key(own: &Grant, key: &KeyRow) -> bool {
    match own.reach {
        Reach::Tenant => true,
        Reach::Division(division) => key.division_id == Some(division),
    }
}

fn check_expiry(expires_at: Timestamp, now: Timestamp) -> Result<(), ChangeError> {
    let latest = now.plus_s(KEY_DAYS_MAX * DAY_S);
    if expires_at <= now {
        Err(ChangeError::ExpiryPast)
    } else if expires_at > latest {
        Err(ChangeError::ExpiryTooFar { latest })
    } else {
        Ok(())
    }
}

fn check_security(security: &Security) -> Result<(), ChangeError> {
    if security.allowed_ips.len() > ALLOWED_IPS_MAX as usize {
        return Err(ChangeError::AllowlistTooLong { limit: ALLOWED_IPS_MAX });
    }
    for (index, entry) in security.allowed_ips.iter().enumerate() {
        if entry.parse::<IpAddr>().is_err() && entry.parse::<IpNet>().is_err() {
            return Err(ChangeError::AllowlistEntry { index, entry: entry.clone() });
        }
    }
    if security.validate_ip && security.allowed_ips.is_empty() { Err(ChangeError::AllowlistEmpty) } else { Ok(()) }
}
