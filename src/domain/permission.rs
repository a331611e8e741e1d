//! Permissions: a tree of lists, and what it allows where.
//!
//! Lists at the top hold everywhere; an entry for a division or for one environment of it says it anew. The most
//! specific list that is present replaces the more general one, so an entry can narrow as well as widen. A key may
//! moreover be bound to one division: outside it the key has nothing and sees nothing.
//!
//! Names that mean nothing to the appliance are kept and answered; they have no effect, so nobody escalates by them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{DivisionId, EnvironmentId};
use super::word::closed_list;

closed_list! {
    /// Where a role comes from.
    RoleKind = "system, custom, api_key" {
        /// The appliance made it; nobody changes it.
        System = "system",
        /// Made by an operator or a client.
        Custom = "custom",
        /// Belongs to the one key whose inline permissions it holds.
        ApiKey = "api_key",
    }
}

/// Characters of a permission's name at most.
pub const NAME_CHARS_MAX: usize = 64;
/// Names in one list at most.
pub const LIST_NAMES_MAX: usize = 100;
/// Divisions that one tree may have entries for.
pub const DIVISIONS_PER_ROLE_MAX: usize = 100;
/// Environments that one division's entry may have entries for.
pub const ENVIRONMENTS_PER_ENTRY_MAX: usize = 100;

/// The permissions that count in a `tenant` list.
pub const TENANT_PERMISSIONS: [&str; 9] = [
    "api_key:manage",
    "api_key:read",
    "audit:read",
    "division:manage",
    "division:read",
    "info:manage",
    "info:read",
    "role:manage",
    "role:read",
];
/// The permissions that count in an `environment` list.
pub const ENVIRONMENT_PERMISSIONS: [&str; 2] = ["deployment:manage", "deployment:read"];

/// A permission's name: `deployment:read`. Any is kept, only the known ones count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permission(String);

/// A text is no permission's name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a permission: 1 to 64 lower-case letters, digits, `_`, `-`, `.` and `:`, such as `deployment:read`")]
pub struct PermissionError;

impl FromStr for Permission {
    type Err = PermissionError;
    fn from_str(text: &str) -> Result<Self, PermissionError> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.:".contains(&byte);
        if text.is_empty() || text.len() > NAME_CHARS_MAX || !text.bytes().all(legal) {
            return Err(PermissionError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Permission {
    type Error = PermissionError;
    fn try_from(text: String) -> Result<Self, PermissionError> {
        text.parse()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> String {
        permission.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Permission {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A list of permissions: a set, shown in alphabetical order.
pub type List = BTreeSet<Permission>;

/// A permission that is asked for in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InEnvironment {
    /// Lists and downloads.
    DeploymentRead,
    /// Creates and deletes snapshots.
    DeploymentManage,
}

impl InEnvironment {
    /// Its name in a list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeploymentRead => "deployment:read",
            Self::DeploymentManage => "deployment:manage",
        }
    }
}

/// A permission that is asked for in the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InTenant {
    /// Sees the tenant's settings and structure.
    InfoRead,
    /// Sees roles.
    RoleRead,
    /// Makes, changes and removes roles.
    RoleManage,
    /// Sees keys.
    KeyRead,
    /// Makes, changes and revokes keys.
    KeyManage,
    /// Sees divisions.
    DivisionRead,
    /// Reads the audit log.
    AuditRead,
}

impl InTenant {
    /// Its name in a list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InfoRead => "info:read",
            Self::RoleRead => "role:read",
            Self::RoleManage => "role:manage",
            Self::KeyRead => "api_key:read",
            Self::KeyManage => "api_key:manage",
            Self::DivisionRead => "division:read",
            Self::AuditRead => "audit:read",
        }
    }
}

/// What a tree says of one division. A list that is absent leaves the more general one in force; an empty one does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DivisionEntry {
    /// Of the division itself; without effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<List>,
    /// In all its environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<List>,
    /// In one environment of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "id_keys")]
    pub environments: BTreeMap<EnvironmentId, List>,
}

/// The tree, as a request gives it and the database keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    /// In the tenant.
    #[serde(default)]
    pub tenant: List,
    /// In all divisions; without effect here.
    #[serde(default)]
    pub division: List,
    /// In all environments.
    #[serde(default)]
    pub environment: List,
    /// Division by division.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "id_keys")]
    pub divisions: BTreeMap<DivisionId, DivisionEntry>,
}

/// The divisions in which a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// All of the tenant.
    Tenant,
    /// This one alone.
    Division(DivisionId),
}

impl Reach {
    /// The reach of a key with this binding.
    #[must_use]
    pub const fn of(division_id: Option<DivisionId>) -> Self {
        match division_id {
            None => Self::Tenant,
            Some(id) => Self::Division(id),
        }
    }

    /// Whether it includes the division.
    #[must_use]
    pub fn includes(self, division: DivisionId) -> bool {
        match self {
            Self::Tenant => true,
            Self::Division(own) => own == division,
        }
    }
}

/// What a key may do: its role's tree within its reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role's tree.
    pub permissions: Permissions,
    /// Where the key may be used.
    pub reach: Reach,
}

/// Why a tree is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A list is too long.
    #[error("more than {LIST_NAMES_MAX} permissions in one list")]
    List,
    /// Entries for too many divisions.
    #[error("entries for more than {DIVISIONS_PER_ROLE_MAX} divisions")]
    Divisions,
    /// Entries for too many environments.
    #[error("entries for more than {ENVIRONMENTS_PER_ENTRY_MAX} environments of one division")]
    Environments,
}

impl Permissions {
    /// Every permission that counts here, everywhere.
    #[must_use]
    pub fn all() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| Permission((*name).to_owned())).collect();
        Self {
            tenant: list(&TENANT_PERMISSIONS),
            division: List::new(),
            environment: list(&ENVIRONMENT_PERMISSIONS),
            divisions: BTreeMap::new(),
        }
    }

    /// The tree with `X:read` beside every `X:manage`: done once, when a role is made or changed.
    ///
    /// # Errors
    /// A tree over its limits is refused.
    pub fn expanded(mut self) -> Result<Self, TreeError> {
        if self.divisions.len() > DIVISIONS_PER_ROLE_MAX {
            return Err(TreeError::Divisions);
        }
        for entry in self.divisions.values() {
            if entry.environments.len() > ENVIRONMENTS_PER_ENTRY_MAX {
                return Err(TreeError::Environments);
            }
        }
        for list in self.lists_mut() {
            let reads: Vec<_> = list.iter().filter_map(read_of).collect();
            list.extend(reads);
            if list.len() > LIST_NAMES_MAX {
                return Err(TreeError::List);
            }
        }
        Ok(self)
    }

    fn lists_mut(&mut self) -> impl Iterator<Item = &mut List> {
        let entries = self.divisions.values_mut().flat_map(|entry| {
            entry.permissions.iter_mut().chain(&mut entry.environment).chain(entry.environments.values_mut())
        });
        [&mut self.tenant, &mut self.division, &mut self.environment].into_iter().chain(entries)
    }

    /// The list that counts in all environments of a division that have no entry of their own.
    #[must_use]
    pub fn in_division(&self, division: DivisionId) -> &List {
        self.divisions.get(&division).and_then(|entry| entry.environment.as_ref()).unwrap_or(&self.environment)
    }

    /// The list that counts in an environment.
    #[must_use]
    pub fn in_environment(&self, division: DivisionId, environment: EnvironmentId) -> &List {
        let own = self.divisions.get(&division).and_then(|entry| entry.environments.get(&environment));
        own.unwrap_or_else(|| self.in_division(division))
    }

    /// The list of the division itself; without effect here, answered all the same.
    #[must_use]
    pub fn of_division(&self, division: DivisionId) -> &List {
        self.divisions.get(&division).and_then(|entry| entry.permissions.as_ref()).unwrap_or(&self.division)
    }
}

fn read_of(permission: &Permission) -> Option<Permission> {
    permission.0.strip_suffix(":manage").map(|noun| Permission(format!("{noun}:read")))
}

impl Grant {
    /// Whether it has this permission in the tenant.
    #[must_use]
    pub fn allows_in_tenant(&self, permission: InTenant) -> bool {
        self.permissions.tenant.contains(permission.name())
    }

    /// Whether it has this permission in the environment.
    #[must_use]
    pub fn allows(&self, permission: InEnvironment, division: DivisionId, environment: EnvironmentId) -> bool {
        self.reach.includes(division)
            && self.permissions.in_environment(division, environment).contains(permission.name())
    }

    /// Whether the environment and its deployments are visible: its division is within reach and the list that counts
    /// there is not empty. What is invisible is answered as if it did not exist.
    #[must_use]
    pub fn sees_environment(&self, division: DivisionId, environment: EnvironmentId) -> bool {
        self.reach.includes(division) && !self.permissions.in_environment(division, environment).is_empty()
    }

    /// Whether the division is visible: within reach, and an environment list anywhere in it is not empty or the
    /// key has `division:read`.
    #[must_use]
    pub fn sees_division(&self, division: DivisionId) -> bool {
        let some_environment = || {
            let entry = self.permissions.divisions.get(&division);
            !self.permissions.in_division(division).is_empty()
                || entry.is_some_and(|entry| entry.environments.values().any(|list| !list.is_empty()))
        };
        self.reach.includes(division) && (self.allows_in_tenant(InTenant::DivisionRead) || some_environment())
    }

    /// Whether a key with this grant would allow anything that `own` does not, or would leave its reach. Only names that
    /// have an effect count, in the lists where they have one.
    #[must_use]
    pub fn exceeds(&self, own: &Self) -> bool {
        let leaves = match (self.reach, own.reach) {
            (_, Reach::Tenant) => false,
            (Reach::Tenant, Reach::Division(_)) => true,
            (Reach::Division(division), _) => !own.reach.includes(division),
        };
        leaves || self.exceeds_somewhere(own)
    }

    fn exceeds_somewhere(&self, own: &Self) -> bool {
        let tenant = TENANT_PERMISSIONS
            .iter()
            .any(|name| self.permissions.tenant.contains(*name) && !own.permissions.tenant.contains(*name));
        let everywhere = match (self.reach, own.reach) {
            (Reach::Division(_), _) => false,
            (Reach::Tenant, Reach::Tenant) => beyond(&self.permissions.environment, &own.permissions.environment),
            (Reach::Tenant, Reach::Division(_)) => beyond(&self.permissions.environment, &NOTHING),
        };
        tenant || everywhere || self.divisions_named(own).into_iter().any(|division| self.exceeds_in(division, own))
    }

    /// The divisions in which the two grants may differ from what they say in general.
    fn divisions_named(&self, own: &Self) -> BTreeSet<DivisionId> {
        let bound = [self.reach, own.reach].into_iter().filter_map(|reach| match reach {
            Reach::Tenant => None,
            Reach::Division(division) => Some(division),
        });
        let entries = self.permissions.divisions.keys().chain(own.permissions.divisions.keys()).copied();
        entries.chain(bound).filter(|division| self.reach.includes(*division)).collect()
    }

    fn exceeds_in(&self, division: DivisionId, own: &Self) -> bool {
        let within = own.reach.includes(division);
        let environments = |tree: &Permissions| -> BTreeSet<EnvironmentId> {
            tree.divisions.get(&division).map(|entry| entry.environments.keys().copied().collect()).unwrap_or_default()
        };
        let of_own = if within { own.permissions.in_division(division) } else { &NOTHING };
        let named = environments(&self.permissions).into_iter().chain(environments(&own.permissions));
        beyond(self.permissions.in_division(division), of_own)
            || named.into_iter().any(|environment| {
                let of_own = if within { own.permissions.in_environment(division, environment) } else { &NOTHING };
                beyond(self.permissions.in_environment(division, environment), of_own)
            })
    }
}

impl Permissions {
    /// Whether a role with this tree would allow anything, anywhere, that `own` does not: a role has no binding, so in
    /// the hands of a division-bound key's owner it may speak of that division alone.
    #[must_use]
    pub fn exceeds(&self, own: &Grant) -> bool {
        Grant { permissions: self.clone(), reach: Reach::Tenant }.exceeds_somewhere(own)
    }
}

static NOTHING: List = List::new();

fn beyond(list: &List, own: &List) -> bool {
    ENVIRONMENT_PERMISSIONS.into_iter().any(|name| list.contains(name) && !own.contains(name))
}

/// Maps keyed by ids: JSON has them as strings.
mod id_keys {
    use std::collections::BTreeMap;
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Display, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(id, value)| (id.to_string(), value)))
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: FromStr<Err: Display> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let texts = BTreeMap::<String, V>::deserialize(deserializer)?;
        let ids = texts.into_iter().map(|(text, value)| match text.parse() {
            Ok(id) => Ok((id, value)),
            Err(error) => Err(D::Error::custom(format_args!("`{text}` is no id: {error}"))),
        });
        ids.collect()
    }
}

#[cfg(test)]
#[path = "permission_tests.rs"]
mod tests;
