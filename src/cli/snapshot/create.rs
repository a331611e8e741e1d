//! `snapvisor snapshot create`: triggers, and waits if asked to.

use std::collections::BTreeSet;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ApiArgs;
use super::client::{ApiError, Client, Row, read_rows};
use super::list;
use crate::cli::output::{self, Format, FormatArgs};
use crate::cli::progress::Spinner;
use crate::cli::{CliError, Exit};
use crate::config::Config;
use crate::domain::snapshot::{IggyData, Redaction, SnapshotOptions};

/// How often a running snapshot is looked at.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// Rows that are looked at while waiting: a snapshot of a larger deployment is waited for by its newest rows.
const ROWS_WATCHED_MAX: usize = 1000;

/// Take a snapshot of every node of a deployment.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor snapshot create --wait                     until all nodes are done
  snapvisor snapshot create --include-iggy false       without Iggy's data directory")]
pub(super) struct Create {
    /// Mask passwords, keys and tokens. A node may refuse clear text.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    redact_secrets: bool,
    /// Bundle Iggy's data directory.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    include_iggy: bool,
    /// Wait until every node is done.
    #[arg(long)]
    wait: bool,
    /// Give up waiting after this many seconds; the snapshot goes on.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", requires = "wait")]
    wait_max_s: u64,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    api: ApiArgs,
}

impl Create {
    pub(super) fn run(self, config: &Config, out: &mut dyn Write) -> Result<Exit, CliError> {
        let client = self.api.client(config)?;
        let known = names(&client.rows(ROWS_WATCHED_MAX)?)?;
        let triggered = client.create(SnapshotOptions {
            redaction: if self.redact_secrets { Redaction::Masked } else { Redaction::Unredacted },
            iggy_data: if self.include_iggy { IggyData::Included } else { IggyData::Excluded },
        })?;
        let mut watch = Watch { client: &client, known, name: triggered.0 };
        if self.wait {
            let rows = watch.until_over(Duration::from_secs(self.wait_max_s))?;
            self.print(out, watch.name.as_deref(), Some(&rows))?;
        } else {
            self.print(out, watch.name.as_deref(), None)?;
        }
        Ok(Exit::Done)
    }

    fn print(&self, out: &mut dyn Write, name: Option<&str>, rows: Option<&[Value]>) -> Result<(), CliError> {
        match (self.format.format, rows) {
            (Format::Json, _) => output::json(out, &json!({ "name": name, "items": rows }))?,
            (Format::Table, Some(rows)) => list::print(out, &read_rows(rows)?)?,
            (Format::Table, None) => writeln!(out, "{}", name.unwrap_or("triggered"))?,
        }
        Ok(())
    }
}

fn names(rows: &[Value]) -> Result<BTreeSet<String>, ApiError> {
    Ok(read_rows(rows)?.into_iter().map(|row| row.name).collect())
}

/// A snapshot that is waited for.
struct Watch<'a> {
    client: &'a Client,
    /// The snapshots from before: a server that does not name the new one shows it by what was not there.
    known: BTreeSet<String>,
    name: Option<String>,
}

impl Watch<'_> {
    /// The rows, once all are over. What passes (a restart, a rate limit) is waited out like the snapshot itself.
    fn until_over(&mut self, at_most: Duration) -> Result<Vec<Value>, ApiError> {
        let started = Instant::now();
        let spinner = Spinner::new("waiting for the snapshot");
        loop {
            match self.rows() {
                Ok((rows, read)) => {
                    let done = read.iter().filter(|row| row.completed_at.is_some()).count();
                    if !rows.is_empty() && done == rows.len() {
                        return Ok(rows);
                    }
                    let name = self.name.as_deref().unwrap_or("the snapshot");
                    spinner.say(&format!("{name}: {done} of {} nodes done", rows.len()));
                }
                Err(error) if error.is_passing() => spinner.say(&format!("waiting: {error}")),
                Err(error) => return Err(error),
            }
            if started.elapsed() >= at_most {
                let name = self.name.clone().unwrap_or_else(|| "the snapshot".to_owned());
                return Err(ApiError::StillRunning { name, waited_s: at_most.as_secs() });
            }
            thread::sleep(POLL_EVERY);
        }
    }

    fn rows(&mut self) -> Result<(Vec<Value>, Vec<Row>), ApiError> {
        let rows = self.client.rows(ROWS_WATCHED_MAX)?;
        let read = read_rows(&rows)?;
        if self.name.is_none() {
            self.name = read.iter().map(|row| &row.name).find(|name| !self.known.contains(*name)).cloned();
        }
        let Some(name) = &self.name else { return Ok((Vec::new(), Vec::new())) };
        Ok(rows.into_iter().zip(read).filter(|(_, row)| row.name == *name).unzip())
    }
}
