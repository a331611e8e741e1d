//! Each module's error as a problem: one match a module, none with a `_`, so that a new variant asks for its answer.

use super::call::missing;
use super::problem::{Code, Issue, Problem};
use super::state::Api;
use crate::domain::causes::chain;
use crate::domain::plan::KEY_DAYS_MAX;
use crate::orchestrator::{ChangeError, DeleteError, Noun, TriggerError};
use crate::store::StoreError;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Busy | StoreError::Stopped => {
                tracing::warn!(error = %chain(&error), "the database did not answer");
                unavailable()
            }
            StoreError::Full(_) => {
                tracing::error!(error = %chain(&error), "the database cannot grow");
                let reason = "The disk of the server's database is full; its operator must make room.";
                Self::new(Code::InsufficientStorage, reason)
            }
            StoreError::File { .. }
            | StoreError::Thread(_)
            | StoreError::Foreign(_)
            | StoreError::Newer { .. }
            | StoreError::Older { .. }
            | StoreError::NotUnique(_)
            | StoreError::Referenced(_)
            | StoreError::Refused(_)
            | StoreError::Corrupt { .. }
            | StoreError::Sqlite(_) => Self::internal(&error),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound(noun) => missing(code_of(noun)),
            ChangeError::NameUsed { noun, name } => {
                Self::new(Code::NameTaken, format!("There is another {noun} with the name {name:?}; choose a new one."))
            }
            ChangeError::BadName { rule, .. } => invalid("name", format!("The field name must be {rule}.")),
            ChangeError::LimitReached { noun, limit } => match limit_of(noun) {
                Some(code) => {
                    let reason =
                        format!("There are {limit} of the kind {noun}, as many as there may be; delete one first.");
                    Self::new(code, reason)
                }
                None => Self::internal(&ChangeError::LimitReached { noun, limit }),
            },
            ChangeError::Exceeds => Self::new(
                Code::PermissionEscalation,
                "This goes beyond the permissions or the division of the API key that asks; nobody can grant more than \
                 they have.",
            ),
            ChangeError::RoleNotCustom => {
                Self::new(Code::RoleProtected, "Only custom roles can be changed or deleted; make one instead.")
            }
            ChangeError::RoleInUse { keys } => {
                let reason =
                    format!("The role is that of {keys} API keys; delete those or give them another role first.");
                Self::new(Code::RoleInUse, reason)
            }
            ChangeError::Tree(cause) => invalid("permissions", format!("The field permissions has {cause}.")),
            ChangeError::UnknownDivision(id) => {
                let reason = format!("There is no division {id}, or this API key may not see it.");
                invalid(&format!("permissions.divisions.{id}"), reason)
            }
            ChangeError::UnknownEnvironment { division, environment } => {
                let reason = format!("There is no environment {environment} in the division {division}.");
                invalid(&format!("permissions.divisions.{division}.environments.{environment}"), reason)
            }
            ChangeError::ExpiryPast => invalid("expiry_at", "The field expiry_at must be in the future.".to_owned()),
            ChangeError::ExpiryTooFar { latest } => {
                let reason =
                    format!("The field expiry_at must be at most {KEY_DAYS_MAX} days ahead, which is until {latest}.");
                invalid("expiry_at", reason)
            }
            ChangeError::AllowlistEmpty => {
                let reason = "The field allowed_ips must hold an address or a CIDR block when validate_ip is true.";
                invalid("allowed_ips", reason.to_owned())
            }
            ChangeError::AllowlistTooLong { limit } => {
                invalid("allowed_ips", format!("The field allowed_ips has at most {limit} entries."))
            }
            ChangeError::AllowlistEntry { index, .. } => {
                let path = format!("allowed_ips[{index}]");
                let reason = format!("The field {path} must be an IP address or a CIDR block, such as 192.0.2.0/24.");
                invalid(&path, reason)
            }
            // What no request of the API can ask for.
            ChangeError::UnknownPlan { .. } | ChangeError::LocalNodeUsed | ChangeError::NeedsConfirmation(_) => {
                Self::internal(&error)
            }
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::NotFound => missing(Code::SnapshotNotFound),
            DeleteError::Store(error) => error.into(),
        }
    }
}

impl Api {
    /// Why nothing was triggered, as a problem.
    #[must_use]
    pub fn trigger_problem(&self, error: TriggerError) -> Problem {
        match error {
            TriggerError::NoDeployment => missing(Code::DeploymentNotFound),
            TriggerError::InProgress { name, since } => {
                let over_at = since.plus_s(i64::try_from(self.state.config.snapshot.deadline_s).unwrap_or(i64::MAX));
                let left_s = u64::try_from(over_at.since_s(self.now())).unwrap_or(0);
                let reason =
                    format!("The snapshot {name} is in progress; wait until it is over, by {over_at} at the latest.");
                // Most are over long before their deadline.
                Problem::new(Code::SnapshotInProgress, reason).retry_after_s(left_s.min(IN_PROGRESS_RETRY_MAX_S))
            }
            TriggerError::LimitReached { plan, limit, oldest, expires_at } => {
                let reason = format!(
                    "The plan {plan} keeps {limit} snapshots of a deployment, and there are as many; delete one, or wait \
                     until the oldest, {oldest}, expires at {expires_at}."
                );
                Problem::new(Code::SnapshotsLimitReached, reason)
            }
            TriggerError::NoNodes => {
                Problem::new(Code::NoNodes, "The deployment has no nodes; its operator must add one first.")
            }
            TriggerError::Storage(why) => {
                let reason = format!("There is no room for another archive: {why}. Delete snapshots or make room.");
                Problem::new(Code::InsufficientStorage, reason)
            }
            TriggerError::Stopping => unavailable(),
            TriggerError::Archives(_) => Problem::internal(&error),
            TriggerError::Store(error) => error.into(),
        }
    }
}

/// Seconds after which a client may look again whether a snapshot is over, at most.
const IN_PROGRESS_RETRY_MAX_S: u64 = 10;

fn unavailable() -> Problem {
    Problem::new(Code::ServiceUnavailable, "The server is too busy, or stopping; ask again in a few seconds.")
}

fn invalid(path: &str, reason: String) -> Problem {
    Problem::invalid(vec![Issue::new("invalid_value", path, reason)])
}

fn code_of(noun: Noun) -> Code {
    match noun {
        Noun::Tenant => Code::TenantNotFound,
        Noun::Division => Code::DivisionNotFound,
        Noun::Environment => Code::EnvironmentNotFound,
        Noun::Deployment | Noun::Node => Code::DeploymentNotFound,
        Noun::Role => Code::RoleNotFound,
        Noun::Key => Code::ApiKeyNotFound,
        Noun::Snapshot => Code::SnapshotNotFound,
    }
}

/// `None` for what no request can make.
fn limit_of(noun: Noun) -> Option<Code> {
    match noun {
        Noun::Key => Some(Code::ApiKeysLimitReached),
        Noun::Role => Some(Code::RolesLimitReached),
        Noun::Snapshot => Some(Code::SnapshotsLimitReached),
        Noun::Tenant | Noun::Division | Noun::Environment | Noun::Deployment | Noun::Node => None,
    }
}
