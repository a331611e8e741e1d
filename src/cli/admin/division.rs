//! `snapvisor division`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::{OfTenants, Office, OfficeArgs, RemoveArgs};
use crate::cli::{CliError, Exit};
use crate::domain::id::{DivisionId, TenantId};
use crate::orchestrator::{Actor, Clock as _, SystemClock, create_division};
use crate::store::{Reader, Scope};

/// List, add and remove divisions of a tenant.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor division list
  snapvisor division add payments
  snapvisor division remove 611298765432109056")]
pub(in crate::cli) struct Division {
    #[command(subcommand)]
    command: DivisionCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DivisionCommand {
    /// List divisions.
    List(OfTenants),
    /// Add a division.
    Add {
        /// Its name.
        name: String,
        /// Its tenant, if there are several.
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Remove a division; with --yes also all that is below it.
    Remove {
        /// Its id.
        id: DivisionId,
        #[command(flatten)]
        remove: RemoveArgs,
    },
}

impl Division {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        match self.command {
            DivisionCommand::List(tenants) => {
                let columns = [("ID", "id"), ("NAME", "name"), ("TENANT", "tenant_id"), ("CREATED", "created_at")];
                tenants.list(file, out, &columns, Reader::divisions, |row| {
                    json!({ "id": row.id, "name": row.name, "tenant_id": row.tenant_id, "created_at": row.created_at })
                })
            }
            DivisionCommand::Add { name, tenant, office } => {
                let office = Office::open(&office, file)?;
                let (tenant, made, now) = (office.tenant(tenant)?, name.clone(), SystemClock.now());
                let id = office
                    .store
                    .write_blocking(move |w| create_division(w, &Actor::command_line(), tenant, &made, now))?;
                office.made(out, "division", id.get(), &name)
            }
            DivisionCommand::Remove { id, remove } => {
                let office = Office::open(&remove.office, file)?;
                office.remove(Scope::Division(id), remove.yes)?;
                office.removed(out, "division", id.get())
            }
        }
    }
}
