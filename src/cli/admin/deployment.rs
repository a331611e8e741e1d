//! `snapvisor deployment`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Office, OfficeArgs, RemoveArgs, below};
use crate::cli::{CliError, Exit};
use crate::domain::deployment::{Area, Cloud};
use crate::domain::id::{DeploymentId, EnvironmentId};
use crate::orchestrator::{Actor, Clock as _, SystemClock, create_deployment};
use crate::store::{NewDeployment, Scope};

/// List, add and remove deployments: Iggy servers or clusters.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor deployment list
  snapvisor deployment add events-prod --domain iggy.example.com
  snapvisor deployment remove 611298765432109056 --yes")]
pub(in crate::cli) struct Deployment {
    #[command(subcommand)]
    command: DeploymentCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DeploymentCommand {
    /// List deployments.
    List {
        /// Only this environment's.
        #[arg(long, value_name = "ID")]
        environment: Option<EnvironmentId>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Add a deployment; then give it nodes with `snapvisor node add`.
    Add(Add),
    /// Remove a deployment; with --yes also its nodes, snapshots and archives.
    Remove {
        /// Its id.
        id: DeploymentId,
        #[command(flatten)]
        remove: RemoveArgs,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its name.
    name: String,
    /// Its environment, if there are several.
    #[arg(long, value_name = "ID")]
    environment: Option<EnvironmentId>,
    /// Where Iggy's clients reach it.
    #[arg(long, default_value = "localhost", value_name = "NAME")]
    domain: String,
    /// What the API says its cloud is: aws or gcp. Clients of the hosted service decode a closed list and know no other
    /// word; the variant, `on_premise`, tells the truth.
    #[arg(long, default_value_t = Cloud::Aws, value_name = "CLOUD")]
    cloud: Cloud,
    /// What the API says its part of the world is: us, eu, ap, ca or sa, for the same reason.
    #[arg(long, default_value_t = Area::Eu, value_name = "AREA")]
    area: Area,
    /// What the API says its region is; any word.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    #[command(flatten)]
    office: OfficeArgs,
}

impl Deployment {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        match self.command {
            DeploymentCommand::List { environment, office } => list(environment, &Office::open(&office, file)?, out),
            DeploymentCommand::Add(add) => {
                let office = Office::open(&add.office, file)?;
                let (environment, now) = (office.environment(add.environment)?, SystemClock.now());
                let Add { name, domain, cloud, area, region, .. } = add;
                let new = NewDeployment { name: name.clone(), domain, cloud, area, region };
                let id = office
                    .store
                    .write_blocking(move |w| create_deployment(w, &Actor::command_line(), environment, &new, now))?;
                office.made(out, "deployment", id.get(), &name)
            }
            DeploymentCommand::Remove { id, remove } => {
                let office = Office::open(&remove.office, file)?;
                office.remove(Scope::Deployment(id), remove.yes)?;
                office.removed(out, "deployment", id.get())
            }
        }
    }
}

fn list(environment: Option<EnvironmentId>, office: &Office, out: &mut dyn Write) -> Result<Exit, CliError> {
    let rows: Vec<Value> = office
        .read(|r| below(&r.tenants()?, |tenant| r.deployments_of_tenant(tenant.id)))?
        .into_iter()
        .filter(|row| environment.is_none_or(|environment| row.environment_id == environment))
        .map(|row| {
            json!({
                "id": row.id, "name": row.name, "code": row.code, "tenant_id": row.tenant_id,
                "division_id": row.division_id, "environment_id": row.environment_id, "nodes_count": row.nodes_count,
                "domain": row.domain, "cloud": row.cloud, "area": row.area, "region": row.region,
                "created_at": row.created_at,
            })
        })
        .collect();
    let columns = [
        ("ID", "id"),
        ("NAME", "name"),
        ("CODE", "code"),
        ("ENVIRONMENT", "environment_id"),
        ("NODES", "nodes_count"),
        ("DOMAIN", "domain"),
    ];
    office.list(out, &columns, &rows)
}
