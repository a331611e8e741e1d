//! `snapvisor snapshot list`.

use std::io::Write;

use super::ApiArgs;
use super::client::{Row, read_rows};
use crate::cli::output::{self, Format, FormatArgs};
use crate::cli::{CliError, Exit};
use crate::config::Config;

/// List a deployment's snapshots, the newest first: a row for each node.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor snapshot list                               the newest 20 rows
  snapvisor snapshot list --limit 0 -o json             all, for scripts")]
pub(super) struct List {
    /// Show at most this many rows; 0: all.
    #[arg(long, default_value_t = 20, value_name = "ROWS")]
    limit: usize,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    api: ApiArgs,
}

impl List {
    pub(super) fn run(self, config: &Config, out: &mut dyn Write) -> Result<Exit, CliError> {
        let rows_max = if self.limit == 0 { usize::MAX } else { self.limit };
        let rows = self.api.client(config)?.rows(rows_max)?;
        match self.format.format {
            Format::Json => output::json(out, &rows)?,
            Format::Table => print(out, &read_rows(&rows)?)?,
        }
        Ok(Exit::Done)
    }
}

/// Rows as a table.
pub(super) fn print(out: &mut dyn Write, rows: &[Row]) -> std::io::Result<()> {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.id.to_string(),
                row.name.clone(),
                row.deployment_name.clone(),
                row.node_id.to_string(),
                row.status.word().to_owned(),
                row.created_at.to_string(),
                row.completed_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
            ]
        })
        .collect();
    output::table(out, &["ID", "SNAPSHOT", "DEPLOYMENT", "NODE", "STATUS", "CREATED", "COMPLETED"], &cells)
}
