//! Why a change was refused. Each variant is something that a caller tells or does differently.

use std::fmt;

use crate::domain::id::{DivisionId, EnvironmentId};
use crate::domain::permission::TreeError;
use crate::domain::time::Timestamp;
use crate::store::{Contents, StoreError};

/// The kinds of things that are made, changed and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noun {
    /// A tenant.
    Tenant,
    /// A division.
    Division,
    /// An environment.
    Environment,
    /// A deployment.
    Deployment,
    /// A node.
    Node,
    /// A role.
    Role,
    /// An API key.
    Key,
    /// A snapshot.
    Snapshot,
}

impl Noun {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Division => "division",
            Self::Environment => "environment",
            Self::Deployment => "deployment",
            Self::Node => "node",
            Self::Role => "role",
            Self::Key => "API key",
            Self::Snapshot => "snapshot",
        }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a change was refused; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none, or none that the actor may see.
    #[error("no such {0}")]
    NotFound(Noun),
    /// The name is used.
    #[error("another {noun} is named {name:?}")]
    NameUsed {
        /// By what.
        noun: Noun,
        /// The name.
        name: String,
    },
    /// The name is no name.
    #[error("{name:?} is no name for this {noun}: {rule}")]
    BadName {
        /// What was to be named.
        noun: Noun,
        /// The name.
        name: String,
        /// What a name must be.
        rule: &'static str,
    },
    /// There are as many as there may be.
    #[error("there may be {limit} at most of the kind {noun}")]
    LimitReached {
        /// Of what.
        noun: Noun,
        /// How many there may be.
        limit: u32,
    },
    /// It would go beyond the actor's own permissions or division.
    #[error("it goes beyond the permissions of who makes it")]
    Exceeds,
    /// The role is the appliance's or one key's own.
    #[error("only custom roles can be changed or removed")]
    RoleNotCustom,
    /// Keys have the role.
    #[error("API keys still have this role: {keys}")]
    RoleInUse {
        /// How many.
        keys: u64,
    },
    /// A permission tree is over its limits.
    #[error("the permissions are too many")]
    Tree(#[source] TreeError),
    /// A permission tree or a key speaks of a division that is not there.
    #[error("no such division: {0}")]
    UnknownDivision(DivisionId),
    /// A permission tree speaks of an environment that is not in that division.
    #[error("no such environment in division {division}: {environment}")]
    UnknownEnvironment {
        /// The division.
        division: DivisionId,
        /// The environment.
        environment: EnvironmentId,
    },
    /// A key would be over before it began.
    #[error("it would expire in the past")]
    ExpiryPast,
    /// A key would live too long.
    #[error("it would expire after {latest}")]
    ExpiryTooFar {
        /// The last moment at which it may expire.
        latest: Timestamp,
    },
    /// The allowlist counts and is empty.
    #[error("the allowlist counts and is empty")]
    AllowlistEmpty,
    /// The allowlist is too long.
    #[error("the allowlist has more than {limit} entries")]
    AllowlistTooLong {
        /// How long it may be.
        limit: u32,
    },
    /// An entry of the allowlist is neither an address nor a CIDR block.
    #[error("{entry:?} is neither an address nor a CIDR block")]
    AllowlistEntry {
        /// Its place in the list, from zero.
        index: usize,
        /// The entry.
        entry: String,
    },
    /// No plan has this name.
    #[error("no plan is named {name:?}; there are {known}")]
    UnknownPlan {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// This host is a node of that deployment already.
    #[error("this host is a node of that deployment already")]
    LocalNodeUsed,
    /// What is below it would go with it, and nobody has said that it may.
    #[error("{0} would go with it")]
    NeedsConfirmation(Listed),
    /// The database.
    #[error("the database refused it")]
    Store(#[from] StoreError),
}

impl ChangeError {
    /// A UNIQUE constraint on the name becomes [`ChangeError::NameUsed`].
    pub(super) fn name_used(noun: Noun, name: &str) -> impl FnOnce(StoreError) -> Self {
        let name = name.to_owned();
        move |error| match error {
            StoreError::NotUnique(_) => Self::NameUsed { noun, name },
            other => Self::Store(other),
        }
    }
}

/// Contents for a person: `2 environments and 1 node`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed(pub Contents);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Contents { divisions, environments, deployments, nodes, snapshots, keys, roles } = self.0;
        let parts: Vec<String> = [
            (divisions, "division"),
            (environments, "environment"),
            (deployments, "deployment"),
            (nodes, "node"),
            (snapshots, "stored report"),
            (keys, "API key"),
            (roles, "role"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
        .collect();
        match parts.split_last() {
            None => f.write_str("nothing"),
            Some((last, [])) => f.write_str(last),
            Some((last, first)) => write!(f, "{} and {last}", first.join(", ")),
        }
    }
}
