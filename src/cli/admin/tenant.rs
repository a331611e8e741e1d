//! `snapvisor tenant`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Office, OfficeArgs, RemoveArgs};
use crate::cli::output::{self, Format};
use crate::cli::{CliError, Exit};
use crate::domain::id::TenantId;
use crate::orchestrator::{Actor, ChangeError, Clock as _, SystemClock, create_tenant, set_plan};
use crate::store::{Reader, Scope};

/// List, add and remove tenants, and put them on a plan.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor tenant list
  snapvisor tenant add acme --plan pro
  snapvisor tenant set-plan 611298765432109056 basic")]
pub(in crate::cli) struct Tenant {
    #[command(subcommand)]
    command: TenantCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TenantCommand {
    /// List all tenants.
    List {
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Add a tenant.
    Add {
        /// Its name.
        name: String,
        /// Its plan: basic, pro, enterprise, or one of the configuration's.
        #[arg(long, value_name = "PLAN")]
        plan: Option<String>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Remove a tenant; with --yes also all that is below it.
    Remove {
        /// Its id.
        id: TenantId,
        #[command(flatten)]
        remove: RemoveArgs,
    },
    /// Put a tenant on a plan. Snapshots that exist keep their expiry.
    SetPlan {
        /// Its id.
        id: TenantId,
        /// basic, pro, enterprise, or one of the configuration's.
        plan: String,
        #[command(flatten)]
        office: OfficeArgs,
    },
}

impl Tenant {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        match self.command {
            TenantCommand::List { office } => {
                let office = Office::open(&office, file)?;
                let rows: Vec<Value> = office
                    .read(Reader::tenants)?
                    .into_iter()
                    .map(
                        |row| json!({ "id": row.id, "name": row.name, "plan": row.plan, "created_at": row.created_at }),
                    )
                    .collect();
                office.list(out, &[("ID", "id"), ("NAME", "name"), ("PLAN", "plan"), ("CREATED", "created_at")], &rows)
            }
            TenantCommand::Add { name, plan, office } => {
                let office = Office::open(&office, file)?;
                let (config, made, now) = (office.config.clone(), name.clone(), SystemClock.now());
                let id = office.store.write_blocking(move |w| -> Result<_, ChangeError> {
                    let actor = Actor::command_line();
                    let id = create_tenant(w, &actor, &made, now)?;
                    if let Some(plan) = plan {
                        set_plan(w, &actor, &config, id, &plan, now)?;
                    }
                    Ok(id)
                })?;
                office.made(out, "tenant", id.get(), &name)
            }
            TenantCommand::Remove { id, remove } => {
                let office = Office::open(&remove.office, file)?;
                office.remove(Scope::Tenant(id), remove.yes)?;
                office.removed(out, "tenant", id.get())
            }
            TenantCommand::SetPlan { id, plan, office } => {
                let office = Office::open(&office, file)?;
                let (config, wanted, now) = (office.config.clone(), plan.clone(), SystemClock.now());
                office.store.write_blocking(move |w| set_plan(w, &Actor::command_line(), &config, id, &wanted, now))?;
                match office.format {
                    Format::Json => output::json(out, &json!({ "id": id, "plan": plan }))?,
                    Format::Table => writeln!(out, "tenant {id} is on plan {plan}")?,
                }
                Ok(Exit::Done)
            }
        }
    }
}
