//! Deployments of an environment, and where they stand.

use rusqlite::{Row, params};

use super::columns::{at_most_one, count, fresh_id};
use super::{PageRequest, Paged, Reader, StoreError, Writer};
use crate::domain::deployment::{Area, AvailabilityMode, Cloud, StorageType};
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, TenantId};
use crate::domain::time::Timestamp;

/// Where a deployment stands: all that is needed to decide who may touch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// Its environment.
    pub environment_id: EnvironmentId,
    /// That one's division.
    pub division_id: DivisionId,
    /// That one's tenant.
    pub tenant_id: TenantId,
    /// The deployment's name.
    pub deployment_name: String,
    /// The name of the tenant's plan.
    pub plan: String,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRow {
    /// Its id.
    pub id: DeploymentId,
    /// Its environment.
    pub environment_id: EnvironmentId,
    /// That one's division.
    pub division_id: DivisionId,
    /// That one's tenant.
    pub tenant_id: TenantId,
    /// Its name, unique in the environment.
    pub name: String,
    /// A short name for people: `AXJ-7Q2`.
    pub code: String,
    /// What it is, in its own words.
    pub description: String,
    /// Where clients of Iggy reach it.
    pub domain: String,
    /// A setting; clients decode a closed list.
    pub cloud: Cloud,
    /// A setting; clients decode a closed list.
    pub area: Area,
    /// A setting.
    pub region: Option<String>,
    /// A setting.
    pub storage_type: StorageType,
    /// A setting, in GB.
    pub storage_size_gb: u64,
    /// A setting.
    pub availability_mode: AvailabilityMode,
    /// Its nodes.
    pub nodes_count: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A deployment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    /// Its name.
    pub name: String,
    /// Where clients of Iggy reach it.
    pub domain: String,
    /// See [`DeploymentRow::cloud`].
    pub cloud: Cloud,
    /// See [`DeploymentRow::area`].
    pub area: Area,
    /// See [`DeploymentRow::region`].
    pub region: Option<String>,
}

impl NewDeployment {
    /// One of this name on this host, all settings at their defaults.
    #[must_use]
    pub fn local(name: &str) -> Self {
        Self { name: name.to_owned(), domain: "localhost".to_owned(), cloud: Cloud::Aws, area: Area::Eu, region: None }
    }
}

const QUERY: &str =
    "SELECT p.id, p.environment_id, e.division_id, d.tenant_id, p.name, p.code, p.description, p.domain,
        p.cloud, p.area, p.region, p.storage_type, p.storage_size_gb, p.availability_mode,
        (SELECT count(*) FROM nodes WHERE deployment_id = p.id), p.created_at, p.updated_at
    FROM deployments p JOIN environments e ON e.id = p.environment_id JOIN divisions d ON d.id = e.division_id";

fn deployment(row: &Row<'_>) -> rusqlite::Result<DeploymentRow> {
    Ok(DeploymentRow {
        id: row.get(0)?,
        environment_id: row.get(1)?,
        division_id: row.get(2)?,
        tenant_id: row.get(3)?,
        name: row.get(4)?,
        code: row.get(5)?,
        description: row.get(6)?,
        domain: row.get(7)?,
        cloud: row.get(8)?,
        area: row.get(9)?,
        region: row.get(10)?,
        storage_type: row.get(11)?,
        storage_size_gb: count(row.get(12)?),
        availability_mode: row.get(13)?,
        nodes_count: row.get(14)?,
        created_at: row.get(15)?,
        updated_at: row.get(16)?,
    })
}

impl Reader {
    /// A page of an environment's deployments by name.
    ///
    /// # Errors
    /// The database's.
    pub fn deployments(
        &self,
        environment: EnvironmentId,
        page: PageRequest,
    ) -> Result<Paged<DeploymentRow>, StoreError> {
        let query = format!("{QUERY} WHERE p.environment_id = ?1 ORDER BY p.name LIMIT ?2 OFFSET ?3");
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map(params![environment, page.results(), page.sql_offset()], deployment)?;
        let items = rows.collect::<Result<_, _>>()?;
        // At most `DEPLOYMENTS_PER_ENVIRONMENT_MAX` entries of an index.
        let mut total = self.connection.prepare_cached("SELECT count(*) FROM deployments WHERE environment_id = ?1")?;
        Ok(Paged { items, total: count(total.query_row([environment], |row| row.get(0))?) })
    }

    /// All deployments of a tenant by division, environment and name: for its structure.
    ///
    /// # Errors
    /// The database's.
    pub fn deployments_of_tenant(&self, tenant: TenantId) -> Result<Vec<DeploymentRow>, StoreError> {
        let query = format!("{QUERY} WHERE d.tenant_id = ?1 ORDER BY d.name, e.name, p.name");
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([tenant], deployment)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The deployment of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn deployment(&self, id: DeploymentId) -> Result<Option<DeploymentRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{QUERY} WHERE p.id = ?1"))?;
        at_most_one(statement.query_row([id], deployment))
    }

    /// Where the deployment of this id stands.
    ///
    /// # Errors
    /// The database's.
    pub fn place(&self, id: DeploymentId) -> Result<Option<Place>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT p.environment_id, e.division_id, d.tenant_id, p.name, t.plan
             FROM deployments p JOIN environments e ON e.id = p.environment_id
             JOIN divisions d ON d.id = e.division_id JOIN tenants t ON t.id = d.tenant_id
             WHERE p.id = ?1",
        )?;
        at_most_one(statement.query_row([id], |row| {
            Ok(Place {
                deployment_id: id,
                environment_id: row.get(0)?,
                division_id: row.get(1)?,
                tenant_id: row.get(2)?,
                deployment_name: row.get(3)?,
                plan: row.get(4)?,
            })
        }))
    }
}

impl Writer {
    /// Enters a deployment with a code of its own.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used; [`StoreError::Referenced`]: there is no such environment.
    pub fn insert_deployment(
        &self,
        environment: EnvironmentId,
        new: &NewDeployment,
        now: Timestamp,
    ) -> Result<DeploymentId, StoreError> {
        let id = fresh_id();
        self.connection.execute(
            "INSERT INTO deployments (id, environment_id, name, code, domain, cloud, area, region, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
            params![id, environment, new.name, self.fresh_code()?, new.domain, new.cloud, new.area, new.region, now],
        )?;
        Ok(DeploymentId::new(id).expect("fresh ids are positive"))
    }

    /// A code that no deployment has: three letters, then three letters or digits.
    fn fresh_code(&self) -> Result<String, StoreError> {
        const LETTERS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        const BOTH: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        loop {
            let mut random = u64::try_from(fresh_id()).expect("fresh ids are positive");
            let mut draw = |from: &[u8]| {
                let size = from.len() as u64;
                let drawn = usize::try_from(random % size).expect("the remainder is below the list's length");
                random /= size;
                char::from(from[drawn])
            };
            let head: String = (0..3).map(|_| draw(LETTERS)).collect();
            let tail: String = (0..3).map(|_| draw(BOTH)).collect();
            let code = format!("{head}-{tail}");
            let mut used = self.connection.prepare_cached("SELECT 1 FROM deployments WHERE code = ?1")?;
            if !used.exists([&code])? {
                return Ok(code);
            }
        }
    }

    /// Writes the settings of a deployment anew.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used.
    pub fn update_deployment(&self, new: &DeploymentRow, now: Timestamp) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE deployments SET name = ?2, description = ?3, domain = ?4, cloud = ?5, area = ?6, region = ?7,
                storage_type = ?8, storage_size_gb = ?9, availability_mode = ?10, updated_at = ?11 WHERE id = ?1",
            params![
                new.id,
                new.name,
                new.description,
                new.domain,
                new.cloud,
                new.area,
                new.region,
                new.storage_type,
                i64::try_from(new.storage_size_gb).unwrap_or(i64::MAX),
                new.availability_mode,
                now
            ],
        )?;
        Ok(())
    }
}
