//! Permissions as the command line takes them: names, or a file with the whole tree.

use std::path::PathBuf;

use super::read_file;
use crate::cli::CliError;
use crate::domain::permission::{ENVIRONMENT_PERMISSIONS, Permission, Permissions, TENANT_PERMISSIONS};

/// Bytes of a file with a tree at most.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a role or key may do.
#[derive(Debug, clap::Args)]
pub(super) struct PermissionArgs {
    /// A permission, in all of the tenant; may be repeated. `X:manage` brings `X:read`.
    ///
    /// In environments: `deployment:read`, `deployment:manage`. In the tenant: `info:read`, `info:manage`, `role:read`,
    /// `role:manage`, `api_key:read`, `api_key:manage`, `division:read`, `division:manage`, `audit:read`.
    #[arg(long = "allow", value_name = "PERMISSION", conflicts_with = "permissions")]
    allow: Vec<String>,
    /// A JSON file with the whole permission tree, for permissions in one division or environment.
    #[arg(long, value_name = "FILE")]
    permissions: Option<PathBuf>,
}

impl PermissionArgs {
    /// Whether anything was said.
    pub(super) fn are_given(&self) -> bool {
        !self.allow.is_empty() || self.permissions.is_some()
    }

    /// The tree.
    pub(super) fn tree(&self) -> Result<Permissions, CliError> {
        if let Some(path) = &self.permissions {
            let text = read_file(path, FILE_BYTES_MAX)?;
            let wrong = |error| CliError::Usage(format!("{} is no permission tree: {error}", path.display()));
            return serde_json::from_str(&text).map_err(wrong);
        }
        let mut tree = Permissions::default();
        for name in &self.allow {
            let permission: Permission =
                name.parse().map_err(|error| CliError::Usage(format!("`{name}` is {error}")))?;
            let list = match name.as_str() {
                name if ENVIRONMENT_PERMISSIONS.contains(&name) => &mut tree.environment,
                name if TENANT_PERMISSIONS.contains(&name) => &mut tree.tenant,
                name => {
                    let known: Vec<&str> = [&ENVIRONMENT_PERMISSIONS[..], &TENANT_PERMISSIONS].concat();
                    let problem = format!("there is no permission `{name}`; there are {}", known.join(", "));
                    return Err(CliError::Usage(problem));
                }
            };
            list.insert(permission);
        }
        Ok(tree)
    }
}
