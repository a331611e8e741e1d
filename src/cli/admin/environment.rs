//! `snapvisor environment`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Office, OfficeArgs, RemoveArgs, below};
use crate::cli::{CliError, Exit};
use crate::domain::id::{DivisionId, EnvironmentId};
use crate::orchestrator::{Actor, Clock as _, SystemClock, create_environment};
use crate::store::Scope;

/// List, add and remove environments of a division.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor environment list
  snapvisor environment add production --division 611298765432109056")]
pub(in crate::cli) struct Environment {
    #[command(subcommand)]
    command: EnvironmentCommand,
}

#[derive(Debug, clap::Subcommand)]
enum EnvironmentCommand {
    /// List environments.
    List {
        /// Only this division's.
        #[arg(long, value_name = "ID")]
        division: Option<DivisionId>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Add an environment.
    Add {
        /// Its name.
        name: String,
        /// Its division, if there are several.
        #[arg(long, value_name = "ID")]
        division: Option<DivisionId>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Remove an environment; with --yes also all that is below it.
    Remove {
        /// Its id.
        id: EnvironmentId,
        #[command(flatten)]
        remove: RemoveArgs,
    },
}

impl Environment {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        match self.command {
            EnvironmentCommand::List { division, office } => {
                let office = Office::open(&office, file)?;
                let rows: Vec<Value> = office
                    .read(|r| below(&r.tenants()?, |tenant| r.environments_of_tenant(tenant.id)))?
                    .into_iter()
                    .filter(|row| division.is_none_or(|division| row.division_id == division))
                    .map(|row| {
                        json!({
                            "id": row.id, "name": row.name, "division_id": row.division_id, "tenant_id": row.tenant_id,
                            "deployments_count": row.deployments_count, "created_at": row.created_at,
                        })
                    })
                    .collect();
                let columns =
                    [("ID", "id"), ("NAME", "name"), ("DIVISION", "division_id"), ("DEPLOYMENTS", "deployments_count")];
                office.list(out, &columns, &rows)
            }
            EnvironmentCommand::Add { name, division, office } => {
                let office = Office::open(&office, file)?;
                let (division, made, now) = (office.division(division)?, name.clone(), SystemClock.now());
                let id = office
                    .store
                    .write_blocking(move |w| create_environment(w, &Actor::command_line(), division, &made, now))?;
                office.made(out, "environment", id.get(), &name)
            }
            EnvironmentCommand::Remove { id, remove } => {
                let office = Office::open(&remove.office, file)?;
                office.remove(Scope::Environment(id), remove.yes)?;
                office.removed(out, "environment", id.get())
            }
        }
    }
}
