//! `snapvisor node`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Office, OfficeArgs, RemoveArgs, below};
use crate::cli::{CliError, Exit};
use crate::domain::deployment::NodeKind;
use crate::domain::id::{DeploymentId, NodeId};
use crate::orchestrator::{Actor, Clock as _, SystemClock, create_node};
use crate::store::Scope;

/// List, add and remove nodes of a deployment.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor node list
  snapvisor node add iggy-01 --kind local --deployment 611298765432109056")]
pub(in crate::cli) struct Node {
    #[command(subcommand)]
    command: NodeCommand,
}

#[derive(Debug, clap::Subcommand)]
enum NodeCommand {
    /// List nodes.
    List {
        /// Only this deployment's.
        #[arg(long, value_name = "ID")]
        deployment: Option<DeploymentId>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Add a node.
    Add {
        /// Its name.
        name: String,
        /// Whether it is this host (local) or another one (remote), which cannot be reached yet.
        #[arg(long, value_name = "local|remote")]
        kind: NodeKind,
        /// Its deployment, if there are several.
        #[arg(long, value_name = "ID")]
        deployment: Option<DeploymentId>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Remove a node; with --yes also its snapshots and archives.
    Remove {
        /// Its id.
        id: NodeId,
        #[command(flatten)]
        remove: RemoveArgs,
    },
}

impl Node {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        match self.command {
            NodeCommand::List { deployment, office } => {
                let office = Office::open(&office, file)?;
                let nodes = office.read(|r| {
                    let deployments = below(&r.tenants()?, |tenant| r.deployments_of_tenant(tenant.id))?;
                    below(&deployments, |deployment| r.nodes(deployment.id))
                })?;
                let rows: Vec<Value> = nodes
                    .into_iter()
                    .filter(|row| deployment.is_none_or(|deployment| row.deployment_id == deployment))
                    .map(|row| {
                        json!({
                            "id": row.id, "name": row.name, "kind": row.kind, "deployment_id": row.deployment_id,
                            "created_at": row.created_at,
                        })
                    })
                    .collect();
                let columns = [("ID", "id"), ("NAME", "name"), ("KIND", "kind"), ("DEPLOYMENT", "deployment_id")];
                office.list(out, &columns, &rows)
            }
            NodeCommand::Add { name, kind, deployment, office } => {
                let office = Office::open(&office, file)?;
                let (deployment, made, now) = (office.deployment(deployment)?, name.clone(), SystemClock.now());
                let id = office
                    .store
                    .write_blocking(move |w| create_node(w, &Actor::command_line(), deployment, &made, kind, now))?;
                office.made(out, "node", id.get(), &name)
            }
            NodeCommand::Remove { id, remove } => {
                let office = Office::open(&remove.office, file)?;
                office.remove(Scope::Node(id), remove.yes)?;
                office.removed(out, "node", id.get())
            }
        }
    }
}
