//! The first start: a tenant, a division, an environment, the deployment `local` with this host, a role and a key.
//!
//! Two things have to happen, in SQLite and in a file, and a crash may come between: so the database says first that
//! the file is pending, and that it is done after. A start that finds it pending gives the key a new token, since the
//! old one may never have been written.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::actor::Actor;
use super::error::ChangeError;
use super::hierarchy::{create_deployment, create_division, create_environment, create_node, create_tenant, record};
use super::keys::{Token, token_sha256};
use super::names;
use crate::domain::deployment::NodeKind;
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, KeyId, NodeId, TenantId, UserId};
use crate::domain::plan::{DAY_S, KEY_DAYS_MAX};
use crate::domain::time::Timestamp;
use crate::durable;
use crate::store::{self, Bootstrap, NewDeployment, NewKey, PageRequest, Reader, Security, Store, StoreError, Writer};

/// The file of the first start, in the data directory.
pub const BOOTSTRAP_FILE: &str = "bootstrap.json";
/// Bytes of it that are read back.
const FILE_BYTES_MAX: u64 = 64 * 1024;

const TENANT: &str = "default";
const DIVISION: &str = "default";
const ENVIRONMENT: &str = "default";
const DEPLOYMENT: &str = "local";
const KEY: &str = "bootstrap";

/// What the first start leaves in `DATA_DIR/bootstrap.json`, mode 0600.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct BootstrapFile {
    /// The token of a key that may do everything and expires after 365 days.
    pub api_key: String,
    /// The tenant.
    #[zeroize(skip)]
    pub tenant_id: TenantId,
    /// Its division.
    #[zeroize(skip)]
    pub division_id: DivisionId,
    /// Its environment.
    #[zeroize(skip)]
    pub environment_id: EnvironmentId,
    /// The deployment `local`.
    #[zeroize(skip)]
    pub deployment_id: DeploymentId,
    /// This host.
    #[zeroize(skip)]
    pub node_id: NodeId,
    /// Where clients reach the appliance.
    #[zeroize(skip)]
    pub supervisor_url: String,
}

impl std::fmt::Debug for BootstrapFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootstrapFile").field("deployment_id", &self.deployment_id).finish_non_exhaustive()
    }
}

/// Why the first start did not come to its end. The next start goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The database.
    #[error("the first tenant, deployment and key could not be made")]
    Change(#[from] ChangeError),
    /// The file.
    #[error("cannot write {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<StoreError> for BootstrapError {
    fn from(error: StoreError) -> Self {
        Self::Change(error.into())
    }
}

/// What a start found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The first: the file has just been written.
    First(PathBuf),
    /// A later one.
    Later,
}

/// Fills an empty database and writes the file of the first start; later it only keeps `supervisor_url` in that file, if
/// it is still there, up to date. Blocks: call it before the server takes requests. A crash anywhere in it is mended
/// by the next call.
///
/// # Errors
/// See [`BootstrapError`].
pub fn bootstrap(
    store: &Store,
    data_dir: &Path,
    hostname: &str,
    supervisor_url: &str,
    now: Timestamp,
) -> Result<Start, BootstrapError> {
    let hostname = hostname.to_owned();
    let state = store.write_blocking(move |w| -> Result<_, ChangeError> {
        if let Some(found) = w.appliance()? {
            return Ok(found);
        }
        fill(w, &hostname, now)?;
        Ok(w.appliance()?.expect("it was entered in this transaction"))
    })?;
    if state.bootstrap == Bootstrap::Done {
        refresh(data_dir, supervisor_url)?;
        return Ok(Start::Later);
    }
    if let Some(key) = state.bootstrap_key_id
        && !already_written(store, data_dir, key)?
    {
        let file = file_with_fresh_token(store, key, supervisor_url)?;
        write(data_dir, &file)?;
    }
    store.write_blocking(Writer::bootstrap_done)?;
    Ok(Start::First(data_dir.join(BOOTSTRAP_FILE)))
}

/// One transaction: all of it is there afterwards, or nothing.
fn fill(w: &Writer, hostname: &str, now: Timestamp) -> Result<(), ChangeError> {
    let actor = Actor::appliance();
    let tenant = create_tenant(w, &actor, TENANT, now)?;
    let division = create_division(w, &actor, tenant, DIVISION, now)?;
    let environment = create_environment(w, &actor, division, ENVIRONMENT, now)?;
    let deployment = create_deployment(w, &actor, environment, &NewDeployment::local(DEPLOYMENT), now)?;
    create_node(w, &actor, deployment, &names::node_name_of(hostname), NodeKind::Local, now)?;
    let user_id = UserId::new(store::fresh_id()).expect("fresh ids are positive");
    let new = NewKey {
        tenant_id: tenant,
        name: KEY.to_owned(),
        user_id,
        role_id: w.system_role(tenant)?.expect("a tenant is made with one"),
        division_id: None,
        security: Security::default(),
        expires_at: now.plus_s(KEY_DAYS_MAX * DAY_S),
        // Nobody ever sees this token; the one that goes into the file takes its place.
        token_sha256: Token::generate().sha256(),
    };
    let key = w.insert_key(&new, now)?;
    record(w, actor.entry("key.create", tenant, now), key.get(), KEY)?;
    w.insert_appliance(user_id, key, now)?;
    Ok(())
}

/// Whether the file was written by a start that crashed right after: then its token must stay.
fn already_written(store: &Store, data_dir: &Path, key: KeyId) -> Result<bool, BootstrapError> {
    let Some(file) = read(data_dir) else { return Ok(false) };
    let hash = token_sha256(&file.api_key);
    Ok(store.read_blocking(move |r| r.key_by_token(hash))?.is_some_and(|found| found.id == key))
}

fn file_with_fresh_token(store: &Store, key: KeyId, supervisor_url: &str) -> Result<BootstrapFile, BootstrapError> {
    let token = Token::generate();
    let hash = token.sha256();
    let file = store.write_blocking(move |w| -> Result<_, StoreError> {
        w.replace_token(key, hash)?;
        first_ids(w, key)
    })?;
    let (tenant_id, division_id, environment_id, deployment_id, node_id) = file;
    Ok(BootstrapFile {
        api_key: token.expose().to_owned(),
        tenant_id,
        division_id,
        environment_id,
        deployment_id,
        node_id,
        supervisor_url: supervisor_url.to_owned(),
    })
}

type FirstIds = (TenantId, DivisionId, EnvironmentId, DeploymentId, NodeId);

/// The ids of what [`fill`] made: until the file is written, nothing else can be there.
fn first_ids(r: &Reader, key: KeyId) -> Result<FirstIds, StoreError> {
    let missing = || StoreError::Corrupt { table: "appliance", source: "the first start's rows are gone".into() };
    let tenant = r.key(key)?.ok_or_else(missing)?.tenant_id;
    let division = r.divisions(tenant)?.into_iter().next().ok_or_else(missing)?.id;
    let environment = r.environments(division)?.into_iter().next().ok_or_else(missing)?.id;
    let deployments = r.deployments(environment, PageRequest::default())?;
    let deployment = deployments.items.into_iter().next().ok_or_else(missing)?.id;
    let node = r.nodes(deployment)?.into_iter().next().ok_or_else(missing)?.id;
    Ok((tenant, division, environment, deployment, node))
}

/// A client that reads the file later is told where the appliance is now, not where it was at first.
fn refresh(data_dir: &Path, supervisor_url: &str) -> Result<(), BootstrapError> {
    match read(data_dir) {
        Some(mut file) if file.supervisor_url != supervisor_url => {
            supervisor_url.clone_into(&mut file.supervisor_url);
            write(data_dir, &file)
        }
        _ => Ok(()),
    }
}

fn read(data_dir: &Path) -> Option<BootstrapFile> {
    use std::io::Read;
    let file = File::open(data_dir.join(BOOTSTRAP_FILE)).ok()?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The owner's alone from its first byte on.
fn write(data_dir: &Path, file: &BootstrapFile) -> Result<(), BootstrapError> {
    let path = data_dir.join(BOOTSTRAP_FILE);
    let text = serde_json::to_string_pretty(file).map(Zeroizing::new).map_err(io::Error::from);
    let written = text.and_then(|text| durable::replace(&path, 0o600, |out| writeln!(out, "{}", *text)));
    written.map_err(|source| BootstrapError::File { path, source })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::domain::permission::Permissions;

    const NOW: Timestamp = Timestamp::from_unix(1_780_309_800);
    const URL: &str = "http://127.0.0.1:8787";

    fn start(dir: &Path, url: &str) -> Result<Start, BootstrapError> {
        bootstrap(&Store::open(dir).unwrap(), dir, "iggy 01", url, NOW)
    }

    #[test]
    fn the_first_start_leaves_a_key_that_may_do_everything_for_a_year() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(BOOTSTRAP_FILE);
        assert_eq!(start(dir.path(), URL).unwrap(), Start::First(path.clone()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let file = read(dir.path()).unwrap();
        assert!(file.api_key.starts_with("ld_pk_") && file.api_key.len() == 46);
        let store = Store::open(dir.path()).unwrap();
        let hash = token_sha256(&file.api_key);
        let key = store.read_blocking(move |r| r.key_by_token(hash)).unwrap().unwrap();
        assert_eq!((key.permissions, key.expires_at), (Permissions::all(), NOW.plus_s(365 * 86_400)));
        let (deployment, node, tenant) = (file.deployment_id, file.node_id, file.tenant_id);
        let found = store
            .read_blocking(move |r| Ok::<_, StoreError>((r.place(deployment)?, r.node(node)?, r.tenant(tenant)?)))
            .unwrap();
        let place = found.0.unwrap();
        assert_eq!((place.division_id, place.environment_id), (file.division_id, file.environment_id));
        assert_eq!((place.deployment_name.as_str(), place.plan.as_str()), ("local", "enterprise"));
        assert_eq!(found.1.map(|node| (node.name, node.kind)), Some(("iggy-01".into(), NodeKind::Local)));
        assert_eq!(found.2.unwrap().id, key.tenant_id);
        let text = fs::read(store.path()).unwrap();
        assert!(!text.windows(46).any(|window| window == file.api_key.as_bytes()), "the database holds no token");
    }

    #[test]
    fn a_later_start_changes_nothing_but_the_address() {
        let dir = tempfile::tempdir().unwrap();
        start(dir.path(), URL).unwrap();
        let first = read(dir.path()).unwrap();
        assert_eq!(start(dir.path(), "http://127.0.0.1:9000").unwrap(), Start::Later);
        let later = read(dir.path()).unwrap();
        assert_eq!(later.supervisor_url, "http://127.0.0.1:9000");
        assert_eq!((later.api_key.clone(), later.node_id), (first.api_key.clone(), first.node_id));
        fs::remove_file(dir.path().join(BOOTSTRAP_FILE)).unwrap();
        assert_eq!(start(dir.path(), URL).unwrap(), Start::Later);
        assert!(read(dir.path()).is_none(), "a file that was taken away is not made again");
    }

    #[test]
    fn a_crash_between_the_steps_is_mended_by_the_next_start() {
        // Before the file was written.
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store.write_blocking(|w| fill(w, "iggy-01", NOW)).unwrap();
        fs::write(durable::partial(&dir.path().join(BOOTSTRAP_FILE)), "half").unwrap();
        assert!(matches!(start(dir.path(), URL).unwrap(), Start::First(_)));
        let file = read(dir.path()).unwrap();
        assert!(!durable::partial(&dir.path().join(BOOTSTRAP_FILE)).exists());
        // After it was written, before the database knew: the token that somebody may have read stays valid.
        let connection = rusqlite::Connection::open(store.path()).unwrap();
        connection.execute("UPDATE appliance SET bootstrap = 'pending'", []).unwrap();
        assert!(matches!(start(dir.path(), URL).unwrap(), Start::First(_)));
        assert_eq!(read(dir.path()).unwrap().api_key, file.api_key);
        let hash = token_sha256(&file.api_key);
        assert!(store.read_blocking(move |r| r.key_by_token(hash)).unwrap().is_some());
        // A file of another installation has another token.
        connection.execute("UPDATE appliance SET bootstrap = 'pending'", []).unwrap();
        connection.execute("UPDATE keys SET token_sha256 = zeroblob(32)", []).unwrap();
        start(dir.path(), URL).unwrap();
        assert_ne!(read(dir.path()).unwrap().api_key, file.api_key);
    }

    #[test]
    fn a_full_or_forbidden_directory_is_told_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(durable::partial(&dir.path().join(BOOTSTRAP_FILE))).unwrap();
        let error = start(dir.path(), URL).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write {}", dir.path().join(BOOTSTRAP_FILE).display()));
        fs::remove_dir(durable::partial(&dir.path().join(BOOTSTRAP_FILE))).unwrap();
        assert!(matches!(start(dir.path(), URL).unwrap(), Start::First(_)));
    }
}
