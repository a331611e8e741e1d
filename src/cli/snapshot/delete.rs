//! `snapvisor snapshot delete`.

use std::io::Write;

use super::ApiArgs;
use crate::cli::{CliError, Exit};
use crate::config::Config;
use crate::domain::id::SnapshotId;

/// Delete snapshots: the rows, their archives, and every link to them.
///
/// A row that is still processing is cancelled first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor snapshot delete 17                          one node's row
  snapvisor snapshot delete 17 18 19                    a whole snapshot of three nodes")]
pub(super) struct Delete {
    /// The rows' ids, as `snapvisor snapshot list` shows them.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<SnapshotId>,
    #[command(flatten)]
    api: ApiArgs,
}

impl Delete {
    pub(super) fn run(self, config: &Config, out: &mut dyn Write) -> Result<Exit, CliError> {
        let client = self.api.client(config)?;
        for id in self.ids {
            client.delete(id)?;
            writeln!(out, "deleted {id}")?;
        }
        Ok(Exit::Done)
    }
}
