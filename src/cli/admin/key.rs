//! `snapvisor key`. A token is printed once, when its key is made, and is nowhere afterwards.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::permissions::PermissionArgs;
use super::{Column, OfTenants, Office, OfficeArgs, all};
use crate::cli::output::{self, Format};
use crate::cli::{CliError, Exit};
use crate::domain::id::{DivisionId, KeyId, RoleId, TenantId};
use crate::domain::permission::Reach;
use crate::domain::plan::{DAY_S, KEY_DAYS_MAX};
use crate::orchestrator::{
    Actor, ChangeError, Clock as _, KeyRequest, KeyRole, Noun, SystemClock, create_key, revoke_key,
};
use crate::store::{KeyRow, Reader, Security};

/// List, add and revoke API keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor key list
  snapvisor key add ci --allow deployment:manage --days 30
  snapvisor key add support --role operator --allow-ip 192.0.2.0/24
  snapvisor key remove 611298765432109056            its next request is refused")]
pub(in crate::cli) struct Key {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KeyCommand {
    /// List keys; their tokens are not kept.
    List(OfTenants),
    /// Add a key and show its token, this once.
    Add(Add),
    /// Revoke a key: its next request is refused.
    Remove {
        /// Its id.
        id: KeyId,
        #[command(flatten)]
        office: OfficeArgs,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its name.
    name: String,
    /// Its role, by id or name; or give its own permissions with --allow or --permissions.
    #[arg(long, value_name = "ROLE", conflicts_with_all = ["allow", "permissions"])]
    role: Option<String>,
    #[command(flatten)]
    permissions: PermissionArgs,
    /// Days after which it is refused.
    #[arg(long, default_value_t = 90, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=KEY_DAYS_MAX))]
    days: i64,
    /// The one division that it is to see.
    #[arg(long, value_name = "ID")]
    division: Option<DivisionId>,
    /// Addresses or CIDR blocks that it may be used from; may be repeated. Not given: from everywhere.
    #[arg(long = "allow-ip", value_name = "ADDRESS|CIDR")]
    allowed_ips: Vec<String>,
    /// Its tenant, if there are several.
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    #[command(flatten)]
    office: OfficeArgs,
}

const COLUMNS: [Column; 6] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("ROLE", "role_name"),
    ("DIVISION", "division_id"),
    ("FROM", "allowed_ips"),
    ("EXPIRES", "expiry_at"),
];

impl Key {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        match self.command {
            KeyCommand::List(tenants) => {
                let of = |r: &Reader, tenant| all(|page| r.keys(tenant, Reach::Tenant, None, page));
                tenants.list(file, out, &COLUMNS, of, row)
            }
            KeyCommand::Add(add) => {
                let office = Office::open(&add.office, file)?;
                add.run(&office, out)
            }
            KeyCommand::Remove { id, office } => {
                let office = Office::open(&office, file)?;
                let now = SystemClock.now();
                office.store.write_blocking(move |w| -> Result<_, ChangeError> {
                    let tenant = w.key(id)?.ok_or(ChangeError::NotFound(Noun::Key))?.tenant_id;
                    revoke_key(w, &Actor::command_line(), tenant, id, now)
                })?;
                office.removed(out, "key", id.get())
            }
        }
    }
}

impl Add {
    fn run(self, office: &Office, out: &mut dyn Write) -> Result<Exit, CliError> {
        let tenant = office.tenant(self.tenant)?;
        let role = match &self.role {
            Some(named) => KeyRole::Role(role(office, tenant, named)?),
            None if self.permissions.are_given() => KeyRole::Inline(self.permissions.tree()?),
            None => {
                let problem = "what may the key do? Give --role, --allow or --permissions";
                return Err(CliError::Usage(problem.to_owned()));
            }
        };
        let now = SystemClock.now();
        let security = Security { validate_ip: !self.allowed_ips.is_empty(), allowed_ips: self.allowed_ips };
        let expires_at = now.plus_s(self.days * DAY_S);
        let name = self.name.clone();
        let request = KeyRequest { name: self.name, expires_at, security, division_id: self.division, role };
        let (id, token) =
            office.store.write_blocking(move |w| create_key(w, &Actor::command_line(), tenant, request, now))?;
        match office.format {
            Format::Json => {
                let made = json!({ "id": id, "name": name, "token": token.expose(), "expiry_at": expires_at });
                output::json(out, &made)?;
            }
            Format::Table => {
                writeln!(out, "made key {id} ({}), which expires at {expires_at}", output::printable(&name))?;
                writeln!(out, "its token, shown this once:\n{}", token.expose())?;
            }
        }
        Ok(Exit::Done)
    }
}

/// The role of this id or name.
fn role(office: &Office, tenant: TenantId, named: &str) -> Result<RoleId, CliError> {
    let roles = office.read(move |r| all(|page| r.roles(tenant, page)))?;
    let id = named.parse::<RoleId>().ok();
    let found = roles.iter().find(|role| Some(role.id) == id || role.name == named);
    found.map(|role| role.id).ok_or_else(|| CliError::Refused(format!("there is no role `{named}`")))
}

fn row(key: &KeyRow) -> Value {
    let allowed_ips = if key.security.validate_ip { &key.security.allowed_ips[..] } else { &[] };
    json!({
        "id": key.id, "name": key.name, "tenant_id": key.tenant_id, "role_id": key.role_id, "role_name": key.role_name,
        "division_id": key.division_id, "validate_ip": key.security.validate_ip, "allowed_ips": allowed_ips,
        "expiry_at": key.expires_at, "created_at": key.created_at,
    })
}
