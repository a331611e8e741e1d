//! A place of the hierarchy with all that is below it: counted before it is removed, removed from the bottom up.

use rusqlite::params;

use super::columns::count;
use super::{Reader, StoreError, Writer};
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, NodeId, SnapshotId, TenantId};

/// A place of the hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A whole tenant.
    Tenant(TenantId),
    /// A division.
    Division(DivisionId),
    /// An environment.
    Environment(EnvironmentId),
    /// A deployment.
    Deployment(DeploymentId),
    /// A node.
    Node(NodeId),
}

/// What is below a place, and would go with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Divisions.
    pub divisions: u64,
    /// Environments.
    pub environments: u64,
    /// Deployments.
    pub deployments: u64,
    /// Nodes.
    pub nodes: u64,
    /// Snapshots' rows, their archives with them.
    pub snapshots: u64,
    /// Keys that would be revoked.
    pub keys: u64,
    /// Roles, those of single keys not counted.
    pub roles: u64,
}

impl Contents {
    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Queries of ids, each for what is below a place; `?1` is the place's id.
struct Below {
    divisions: &'static str,
    environments: &'static str,
    deployments: &'static str,
    nodes: &'static str,
    keys: &'static str,
    roles: &'static str,
}

const NOTHING: &str = "SELECT 1 WHERE ?1 IS NULL";

impl Scope {
    fn id(self) -> i64 {
        match self {
            Self::Tenant(id) => id.get(),
            Self::Division(id) => id.get(),
            Self::Environment(id) => id.get(),
            Self::Deployment(id) => id.get(),
            Self::Node(id) => id.get(),
        }
    }

    const fn below(self) -> Below {
        const DIVISION: Below = Below {
            divisions: NOTHING,
            environments: "SELECT id FROM environments WHERE division_id = ?1",
            deployments: "SELECT id FROM deployments WHERE environment_id IN
                (SELECT id FROM environments WHERE division_id = ?1)",
            nodes: "SELECT n.id FROM nodes n JOIN deployments p ON p.id = n.deployment_id
                JOIN environments e ON e.id = p.environment_id WHERE e.division_id = ?1",
            keys: "SELECT id FROM keys WHERE division_id = ?1",
            roles: NOTHING,
        };
        const TENANT: Below = Below {
            divisions: "SELECT id FROM divisions WHERE tenant_id = ?1",
            environments: "SELECT id FROM environments WHERE division_id IN
                (SELECT id FROM divisions WHERE tenant_id = ?1)",
            deployments: "SELECT p.id FROM deployments p JOIN environments e ON e.id = p.environment_id
                JOIN divisions d ON d.id = e.division_id WHERE d.tenant_id = ?1",
            nodes: "SELECT n.id FROM nodes n JOIN deployments p ON p.id = n.deployment_id
                JOIN environments e ON e.id = p.environment_id
                JOIN divisions d ON d.id = e.division_id WHERE d.tenant_id = ?1",
            keys: "SELECT id FROM keys WHERE tenant_id = ?1",
            roles: "SELECT id FROM roles WHERE tenant_id = ?1 AND kind <> 'api_key'",
        };
        match self {
            Self::Tenant(_) => TENANT,
            Self::Division(_) => DIVISION,
            Self::Environment(_) => Below {
                environments: NOTHING,
                deployments: "SELECT id FROM deployments WHERE environment_id = ?1",
                nodes: "SELECT id FROM nodes WHERE deployment_id IN
                    (SELECT id FROM deployments WHERE environment_id = ?1)",
                keys: NOTHING,
                ..DIVISION
            },
            Self::Deployment(_) => Below {
                environments: NOTHING,
                deployments: NOTHING,
                nodes: "SELECT id FROM nodes WHERE deployment_id = ?1",
                keys: NOTHING,
                ..DIVISION
            },
            Self::Node(_) => {
                Below { environments: NOTHING, deployments: NOTHING, nodes: NOTHING, keys: NOTHING, ..DIVISION }
            }
        }
    }

    /// The query of snapshots: those of the place's nodes, or of the node itself.
    fn snapshots(self) -> String {
        match self {
            Self::Node(_) => "SELECT id FROM snapshots WHERE node_id = ?1".to_owned(),
            _ => format!("SELECT id FROM snapshots WHERE node_id IN ({})", self.below().nodes),
        }
    }
}

impl Reader {
    /// What is below a place.
    ///
    /// # Errors
    /// The database's.
    pub fn contents(&self, scope: Scope) -> Result<Contents, StoreError> {
        let below = scope.below();
        let number = |ids: &str| -> Result<u64, StoreError> {
            let query = format!("SELECT count(*) FROM ({ids})");
            Ok(count(self.connection.query_row(&query, [scope.id()], |row| row.get(0))?))
        };
        Ok(Contents {
            divisions: number(below.divisions)?,
            environments: number(below.environments)?,
            deployments: number(below.deployments)?,
            nodes: number(below.nodes)?,
            snapshots: number(&scope.snapshots())?,
            keys: number(below.keys)?,
            roles: number(below.roles)?,
        })
    }

    /// The snapshots' rows below a place, whatever their status.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshots_below(&self, scope: Scope) -> Result<Vec<SnapshotId>, StoreError> {
        let mut statement = self.connection.prepare(&scope.snapshots())?;
        let rows = statement.query_map([scope.id()], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Writer {
    /// Removes a place and all that is below it; gives the snapshots' rows that went, whose archives are to follow.
    ///
    /// # Errors
    /// The database's.
    pub fn delete_scope(&self, scope: Scope) -> Result<Vec<SnapshotId>, StoreError> {
        let snapshots = self.snapshots_below(scope)?;
        let below = scope.below();
        let mut dedicated = self.connection.prepare(&format!(
            "SELECT r.id FROM roles r JOIN keys k ON k.role_id = r.id WHERE r.kind = 'api_key' AND k.id IN ({})",
            below.keys
        ))?;
        let dedicated =
            dedicated.query_map([scope.id()], |row| row.get::<_, i64>(0))?.collect::<Result<Vec<_>, _>>()?;
        for (table, ids) in [
            ("snapshots", scope.snapshots().as_str()),
            ("keys", below.keys),
            ("roles", below.roles),
            ("nodes", below.nodes),
            ("deployments", below.deployments),
            ("environments", below.environments),
            ("divisions", below.divisions),
        ] {
            self.connection.execute(&format!("DELETE FROM {table} WHERE id IN ({ids})"), [scope.id()])?;
        }
        for role in dedicated {
            self.connection.execute("DELETE FROM roles WHERE id = ?1", [role])?;
        }
        let table = match scope {
            Scope::Tenant(_) => "tenants",
            Scope::Division(_) => "divisions",
            Scope::Environment(_) => "environments",
            Scope::Deployment(_) => "deployments",
            Scope::Node(_) => "nodes",
        };
        self.connection.execute(&format!("DELETE FROM {table} WHERE id = ?1"), params![scope.id()])?;
        Ok(snapshots)
    }
}
