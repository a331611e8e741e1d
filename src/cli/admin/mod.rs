//! The commands that work straight on the data directory, also while the server runs: SQLite keeps the two apart, the
//! server notices. All changes are the orchestrator's functions; this room only asks and prints.

pub(super) mod deployment;
pub(super) mod division;
pub(super) mod environment;
pub(super) mod key;
pub(super) mod node;
pub(super) mod permissions;
pub(super) mod role;
pub(super) mod tenant;

use std::io::Write;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::output::{self, Format, FormatArgs};
use super::settings::Overrides;
use super::{CliError, Exit};
use crate::archive::Archives;
use crate::config::Config;
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, TenantId};
use crate::orchestrator::{
    Actor, ChangeError, Clock as _, Confirmation, SystemClock, forget_removed_nodes, last_snapshots, remove,
};
use crate::store::{DATABASE_FILE, PageRequest, Paged, Reader, Scope, Store, StoreError};

/// Where the database is, and how the result is printed.
#[derive(Debug, clap::Args)]
pub(super) struct OfficeArgs {
    /// The appliance's data directory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgs,
}

/// Whether what is below may go with what is removed.
#[derive(Debug, clap::Args)]
pub(super) struct RemoveArgs {
    /// Remove what is below it as well: snapshots and their archives included.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    office: OfficeArgs,
}

/// A list of what tenants have: all of them, or one.
#[derive(Debug, clap::Args)]
pub(super) struct OfTenants {
    /// Only this tenant's.
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    #[command(flatten)]
    office: OfficeArgs,
}

impl OfTenants {
    /// Prints what `of` gives for each tenant, a row for each.
    fn list<T: Send + 'static>(
        &self,
        file: Option<PathBuf>,
        out: &mut dyn Write,
        columns: &[Column],
        of: impl Fn(&Reader, TenantId) -> Result<Vec<T>, StoreError> + Send + 'static,
        row: impl Fn(&T) -> Value,
    ) -> Result<Exit, CliError> {
        let office = Office::open(&self.office, file)?;
        let tenants = match self.tenant {
            Some(_) => vec![office.tenant(self.tenant)?],
            None => office.read(Reader::tenants)?.into_iter().map(|tenant| tenant.id).collect(),
        };
        let found = office.read(move |r| below(&tenants, |tenant| of(r, *tenant)))?;
        office.list(out, columns, &found.iter().map(row).collect::<Vec<_>>())
    }
}

/// The database and the form of the answer.
struct Office {
    store: Store,
    config: Config,
    data_dir: PathBuf,
    format: Format,
}

/// A column of a table: its heading, and the name of the field that it shows.
type Column = (&'static str, &'static str);

impl Office {
    fn open(args: &OfficeArgs, file: Option<PathBuf>) -> Result<Self, CliError> {
        let overrides = Overrides::default().with_path("--data-dir", "data_dir", args.data_dir.as_deref())?;
        let config = overrides.load(file)?.config;
        let data_dir = config.data_dir.clone();
        let database = data_dir.join(DATABASE_FILE);
        let there = database.try_exists();
        if !there.map_err(|source| CliError::File { what: "read", path: database, source })? {
            let problem = format!("{} is no data directory of an appliance", data_dir.display());
            return Err(CliError::Usage(format!("{problem}: give --data-dir DIR, or make one with `snapvisor serve`")));
        }
        let store = Store::open_beside(&data_dir).map_err(ChangeError::from)?;
        Ok(Self { store, config, data_dir, format: args.format.format })
    }

    fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CliError> {
        Ok(self.store.read_blocking(question).map_err(ChangeError::from)?)
    }

    /// Prints what is there.
    fn list(&self, out: &mut dyn Write, columns: &[Column], rows: &[Value]) -> Result<Exit, CliError> {
        match self.format {
            Format::Json => output::json(out, &rows)?,
            Format::Table => {
                let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
                let cells = |row: &Value| columns.iter().map(|(_, field)| cell(&row[*field])).collect();
                output::table(out, &headings, &rows.iter().map(cells).collect::<Vec<_>>())?;
            }
        }
        Ok(Exit::Done)
    }

    /// Says what was made.
    fn made(&self, out: &mut dyn Write, noun: &str, id: i64, name: &str) -> Result<Exit, CliError> {
        match self.format {
            Format::Json => output::json(out, &json!({ "id": id, "name": name }))?,
            Format::Table => writeln!(out, "made {noun} {id} ({})", output::printable(name))?,
        }
        Ok(Exit::Done)
    }

    /// Says what is gone.
    fn removed(&self, out: &mut dyn Write, noun: &str, id: i64) -> Result<Exit, CliError> {
        match self.format {
            Format::Json => output::json(out, &json!({ "id": id }))?,
            Format::Table => writeln!(out, "removed {noun} {id}")?,
        }
        Ok(Exit::Done)
    }

    /// Removes a place and, once `yes` was said, all that is below it, archives included.
    fn remove(&self, scope: Scope, yes: bool) -> Result<(), CliError> {
        let confirmation = if yes { Confirmation::Given } else { Confirmation::Missing };
        let now = SystemClock.now();
        let change = self.store.write_blocking(move |w| remove(w, &Actor::command_line(), scope, confirmation, now));
        let rows = change.map_err(|error| match error {
            ChangeError::NeedsConfirmation(_) => CliError::Refused(format!("{error}; say --yes to remove all of it")),
            error => error.into(),
        })?;
        let forgotten = forget_removed_nodes(&self.store, &self.data_dir);
        forgotten.map_err(|source| CliError::File { what: "removed", path: last_snapshots(&self.data_dir), source })?;
        if rows.is_empty() {
            return Ok(());
        }
        let archives = Archives::open(&self.data_dir)?;
        for row in rows {
            archives.delete(row)?;
        }
        Ok(())
    }

    /// The tenant that was named, or the only one.
    fn tenant(&self, named: Option<TenantId>) -> Result<TenantId, CliError> {
        let tenants = self.read(Reader::tenants)?;
        the_one("tenant", named, tenants.into_iter().map(|tenant| (tenant.id, tenant.name)))
    }

    /// The division that was named, or the only one of all.
    fn division(&self, named: Option<DivisionId>) -> Result<DivisionId, CliError> {
        let divisions = self.read(|r| below(&r.tenants()?, |tenant| r.divisions(tenant.id)))?;
        the_one("division", named, divisions.into_iter().map(|division| (division.id, division.name)))
    }

    /// The environment that was named, or the only one of all.
    fn environment(&self, named: Option<EnvironmentId>) -> Result<EnvironmentId, CliError> {
        let environments = self.read(|r| below(&r.tenants()?, |tenant| r.environments_of_tenant(tenant.id)))?;
        the_one("environment", named, environments.into_iter().map(|environment| (environment.id, environment.name)))
    }

    /// The deployment that was named, or the only one of all.
    fn deployment(&self, named: Option<DeploymentId>) -> Result<DeploymentId, CliError> {
        let deployments = self.read(|r| below(&r.tenants()?, |tenant| r.deployments_of_tenant(tenant.id)))?;
        the_one("deployment", named, deployments.into_iter().map(|deployment| (deployment.id, deployment.name)))
    }
}

/// All that is below these, in their order.
fn below<P, T>(parents: &[P], of: impl Fn(&P) -> Result<Vec<T>, StoreError>) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for parent in parents {
        found.extend(of(parent)?);
    }
    Ok(found)
}

/// All pages of a list.
fn all<T>(page_of: impl Fn(PageRequest) -> Result<Paged<T>, StoreError>) -> Result<Vec<T>, StoreError> {
    const RESULTS: NonZeroU32 = NonZeroU32::new(PageRequest::RESULTS_MAX).expect("a page holds something");
    let mut found = Vec::new();
    for page in 1.. {
        let page = NonZeroU64::new(page).expect("pages are counted from one");
        let Paged { items, total } = page_of(PageRequest::new(page, RESULTS))?;
        let last = items.is_empty();
        found.extend(items);
        if last || found.len() as u64 >= total {
            break;
        }
    }
    Ok(found)
}

fn the_one<I: Copy + PartialEq + ToString>(
    noun: &str,
    named: Option<I>,
    there: impl Iterator<Item = (I, String)>,
) -> Result<I, CliError> {
    let there: Vec<(I, String)> = there.collect();
    match (named, there.as_slice()) {
        (Some(id), there) if there.iter().any(|(known, _)| *known == id) => Ok(id),
        (Some(_), _) => Err(CliError::Refused(format!("no such {noun}"))),
        (None, [(id, _)]) => Ok(*id),
        (None, []) => Err(CliError::Refused(format!("there is no {noun}"))),
        (None, there) => {
            let known: Vec<String> = there.iter().map(|(id, name)| format!("{} ({name})", id.to_string())).collect();
            Err(CliError::Usage(format!("which {noun}? Give --{noun} ID; there are {}", known.join(", "))))
        }
    }
}

/// A field as a cell of a table.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The text of a file, bounded.
fn read_file(path: &Path, bytes_max: u64) -> Result<String, CliError> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| std::io::Read::read_to_string(&mut std::io::Read::take(file, bytes_max), &mut text))
        .map_err(|source| CliError::File { what: "read", path: path.to_owned(), source })?;
    Ok(text)
}
