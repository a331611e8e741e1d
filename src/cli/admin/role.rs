//! `snapvisor role`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::permissions::PermissionArgs;
use super::{OfTenants, Office, OfficeArgs, all};
use crate::cli::{CliError, Exit};
use crate::domain::id::{RoleId, TenantId};
use crate::orchestrator::{Actor, ChangeError, Clock as _, Noun, SystemClock, create_role, remove_role};
use crate::store::Reader;

/// List, add and remove roles: named sets of permissions that keys have.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor role list
  snapvisor role add operator --allow deployment:manage --allow info:read
  snapvisor role add auditor --permissions tree.json")]
pub(in crate::cli) struct Role {
    #[command(subcommand)]
    command: RoleCommand,
}

#[derive(Debug, clap::Subcommand)]
enum RoleCommand {
    /// List roles.
    List(OfTenants),
    /// Add a role.
    Add {
        /// Its name.
        name: String,
        /// Its tenant, if there are several.
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        #[command(flatten)]
        permissions: PermissionArgs,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Remove a role that no key has.
    Remove {
        /// Its id.
        id: RoleId,
        #[command(flatten)]
        office: OfficeArgs,
    },
}

impl Role {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        match self.command {
            RoleCommand::List(tenants) => {
                let columns = [("ID", "id"), ("NAME", "name"), ("KIND", "kind"), ("TENANT", "tenant_id")];
                let of = |r: &Reader, tenant| all(|page| r.roles(tenant, page));
                tenants.list(file, out, &columns, of, |row| {
                    json!({
                        "id": row.id, "name": row.name, "kind": row.kind, "tenant_id": row.tenant_id,
                        "permissions": row.permissions,
                    })
                })
            }
            RoleCommand::Add { name, tenant, permissions, office } => {
                let office = Office::open(&office, file)?;
                let (tenant, tree) = (office.tenant(tenant)?, permissions.tree()?);
                let (made, now) = (name.clone(), SystemClock.now());
                let id = office
                    .store
                    .write_blocking(move |w| create_role(w, &Actor::command_line(), tenant, &made, tree, now))?;
                office.made(out, "role", id.get(), &name)
            }
            RoleCommand::Remove { id, office } => {
                let office = Office::open(&office, file)?;
                let now = SystemClock.now();
                office.store.write_blocking(move |w| -> Result<_, ChangeError> {
                    let tenant = w.role(id)?.ok_or(ChangeError::NotFound(Noun::Role))?.tenant_id;
                    remove_role(w, &Actor::command_line(), tenant, id, now)
                })?;
                office.removed(out, "role", id.get())
            }
        }
    }
}
