//! Nodes of a deployment.

use rusqlite::{Row, params};

use super::columns::{at_most_one, fresh_id};
use super::{Reader, StoreError, Writer};
use crate::domain::deployment::NodeKind;
use crate::domain::id::{DeploymentId, NodeId};
use crate::domain::time::Timestamp;

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its id.
    pub id: NodeId,
    /// Its deployment.
    pub deployment_id: DeploymentId,
    /// Its name, unique in the deployment; letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// How it is reached.
    pub kind: NodeKind,
    /// When it was made.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, deployment_id, name, kind, created_at";

fn node(row: &Row<'_>) -> rusqlite::Result<NodeRow> {
    Ok(NodeRow {
        id: row.get(0)?,
        deployment_id: row.get(1)?,
        name: row.get(2)?,
        kind: row.get(3)?,
        created_at: row.get(4)?,
    })
}

impl Reader {
    /// All nodes of a deployment by name; at most [`crate::domain::plan::NODES_PER_DEPLOYMENT_MAX`].
    ///
    /// # Errors
    /// The database's.
    pub fn nodes(&self, deployment: DeploymentId) -> Result<Vec<NodeRow>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM nodes WHERE deployment_id = ?1 ORDER BY name");
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([deployment], node)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The node of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn node(&self, id: NodeId) -> Result<Option<NodeRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM nodes WHERE id = ?1"))?;
        at_most_one(statement.query_row([id], node))
    }
}

impl Writer {
    /// Enters a node.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used, or the deployment has a local node already;
    /// [`StoreError::Referenced`]: there is no such deployment.
    pub fn insert_node(
        &self,
        deployment: DeploymentId,
        name: &str,
        kind: NodeKind,
        now: Timestamp,
    ) -> Result<NodeId, StoreError> {
        let id = fresh_id();
        self.connection.execute(
            "INSERT INTO nodes (id, deployment_id, name, kind, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            params![id, deployment, name, kind, now],
        )?;
        Ok(NodeId::new(id).expect("fresh ids are positive"))
    }
}
