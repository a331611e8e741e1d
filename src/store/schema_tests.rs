//! What the schema itself refuses, whoever writes: each line breaks one CHECK, UNIQUE, reference or trigger.

use super::tests::{house, trigger};
use super::*;

/// What must not be, and the SQL that tries it.
const REFUSED: &[(&str, &str)] = &[
    (
        "a second in progress",
        "INSERT INTO triggers SELECT NULL, deployment_id, 'snapshot-2', state, redaction, iggy_data, created_at, expires_at, 0 FROM triggers",
    ),
    (
        "a name twice",
        "INSERT INTO triggers SELECT NULL, deployment_id, name, 'completed', redaction, iggy_data, created_at, expires_at, 0 FROM triggers",
    ),
    ("a state of its own", "UPDATE triggers SET state = 'failed'"),
    ("an expiry before the beginning", "UPDATE triggers SET expires_at = created_at"),
    ("a text for a number", "UPDATE triggers SET created_at = 'yesterday'"),
    ("a status of its own", "UPDATE snapshots SET status = 'failed'"),
    ("a completed row without its time", "UPDATE snapshots SET status = 'completed', outcome = 'lost'"),
    ("a completed row without its outcome", "UPDATE snapshots SET status = 'completed', completed_at = 1"),
    (
        "an examined row without its archive",
        "UPDATE snapshots SET status = 'completed', completed_at = 1, outcome = 'examined'",
    ),
    (
        "a lost row with an archive",
        "UPDATE snapshots SET status = 'completed', completed_at = 1, outcome = 'lost', archive_bytes = 1, archive_sha256 = zeroblob(32), redaction = 'masked'",
    ),
    ("an archive without its digest", "UPDATE snapshots SET archive_bytes = 1"),
    (
        "an archive at work",
        "UPDATE snapshots SET archive_bytes = 1, archive_sha256 = zeroblob(32), redaction = 'masked'",
    ),
    (
        "a short digest",
        "UPDATE snapshots SET status = 'completed', completed_at = 1, outcome = 'examined', archive_bytes = 1, archive_sha256 = zeroblob(31), redaction = 'masked'",
    ),
    (
        "an archive of which nobody knows whether it is masked",
        "UPDATE snapshots SET status = 'completed', completed_at = 1, outcome = 'examined', archive_bytes = 1, archive_sha256 = zeroblob(32)",
    ),
    (
        "a row twice for a node",
        "INSERT INTO snapshots (trigger_id, deployment_id, node_id, node_name, status, expires_at) SELECT trigger_id, deployment_id, node_id, 'x', 'processing', expires_at FROM snapshots",
    ),
    ("a row with an expiry of its own", "UPDATE snapshots SET expires_at = expires_at + 1"),
    ("a row of no node", "UPDATE snapshots SET node_id = 1"),
    ("what was left out as text", "UPDATE snapshots SET left_out = 'nothing'"),
    ("a node removed under its snapshots", "DELETE FROM nodes"),
    ("a deployment removed under its nodes", "DELETE FROM deployments"),
    ("an environment removed under its deployments", "DELETE FROM environments"),
    ("a division removed under its environments", "DELETE FROM divisions"),
    ("a tenant removed under its divisions", "DELETE FROM tenants"),
    ("a trigger removed under its rows", "DELETE FROM triggers"),
    ("a role removed under its keys", "DELETE FROM roles"),
    ("a division twice", "INSERT INTO divisions SELECT 5, tenant_id, name, '', '', 0, 0 FROM divisions"),
    ("an environment twice", "INSERT INTO environments SELECT 5, division_id, name, '', 0, 0 FROM environments"),
    (
        "a deployment twice",
        "INSERT INTO deployments (id, environment_id, name, code, domain, created_at, updated_at) SELECT 5, environment_id, name, 'AAA-111', 'x', 0, 0 FROM deployments",
    ),
    (
        "a code twice",
        "INSERT INTO deployments (id, environment_id, name, code, domain, created_at, updated_at) SELECT 5, environment_id, 'x', code, 'x', 0, 0 FROM deployments",
    ),
    ("a cloud that clients cannot decode", "UPDATE deployments SET cloud = 'on_premise'"),
    ("an area that clients cannot decode", "UPDATE deployments SET area = 'moon'"),
    ("a storage type that clients cannot decode", "UPDATE deployments SET storage_type = 'floppy'"),
    ("an availability mode that clients cannot decode", "UPDATE deployments SET availability_mode = 'none'"),
    ("a code that is not one", "UPDATE deployments SET code = 'abc-123'"),
    ("this host twice in a deployment", "INSERT INTO nodes SELECT 5, deployment_id, 'x', 'local', 0, 0 FROM nodes"),
    ("a node twice", "INSERT INTO nodes SELECT 5, deployment_id, name, 'remote', 0, 0 FROM nodes"),
    ("a node that is a path", "UPDATE nodes SET name = '../x'"),
    ("a node that is hidden", "UPDATE nodes SET name = '.x'"),
    ("a node without a name", "UPDATE nodes SET name = ''"),
    ("an id of zero", "INSERT INTO tenants SELECT 0, 'x', '', '', plan, 0, 0, 0 FROM tenants"),
    ("a tenant twice", "INSERT INTO tenants SELECT 5, name, '', '', plan, 0, 0, 0 FROM tenants"),
    ("a role twice", "INSERT INTO roles SELECT 5, tenant_id, name, 'custom', '{}', 0, 0 FROM roles"),
    ("a role without a tree", "UPDATE roles SET permissions = 'all'"),
    ("a role of a kind of its own", "UPDATE roles SET kind = 'owner'"),
    ("a key of 366 days", "UPDATE keys SET expires_at = created_at + 366 * 86400"),
    ("a key that never lived", "UPDATE keys SET expires_at = created_at"),
    ("a key whose empty allowlist counts", "UPDATE keys SET validate_ip = 1"),
    ("a key that holds a token", "UPDATE keys SET token_sha256 = 'ld_pk_0123456789012345678901234567'"),
    ("a key of a role that is not there", "UPDATE keys SET role_id = 5"),
    (
        "a key of another tenant's role",
        "INSERT INTO tenants SELECT 5, 'x', '', '', plan, 0, 0, 0 FROM tenants; UPDATE keys SET tenant_id = 5",
    ),
    ("a key of a division that is not there", "UPDATE keys SET division_id = 5"),
    (
        "a token twice",
        "INSERT INTO keys SELECT 5, tenant_id, role_id, division_id, user_id, 'x', token_sha256, 0, '[]', created_at, expires_at FROM keys",
    ),
    (
        "a key's name twice",
        "INSERT INTO keys SELECT 5, tenant_id, role_id, division_id, user_id, name, zeroblob(32), 0, '[]', created_at, expires_at FROM keys",
    ),
    (
        "an answer kept that is an error",
        "INSERT INTO idempotency SELECT id, 'x', zeroblob(32), 404, '[]', x'', 0 FROM keys",
    ),
    (
        "an answer kept under too long a key",
        "INSERT INTO idempotency SELECT id, printf('%.256c', 'x'), zeroblob(32), 200, '[]', x'', 0 FROM keys",
    ),
    ("a second appliance", "INSERT INTO appliance SELECT 2, user_id, 0, 'done', NULL, 0 FROM appliance"),
    ("an audit line of nobody", "INSERT INTO audit (at, actor, actor_name, action) VALUES (1, 'nobody', '', 'x')"),
];

#[test]
fn the_schema_refuses_what_must_not_be() {
    let house = house();
    for (what, sql) in REFUSED {
        let deployment = house.deployment;
        let refused = house.store.write_blocking(move |w| {
            trigger(w, deployment, "snapshot-1", 90).unwrap();
            w.connection.execute_batch(sql)?;
            Ok::<(), StoreError>(())
        });
        let as_meant =
            matches!(refused, Err(StoreError::NotUnique(_) | StoreError::Referenced(_) | StoreError::Refused(_)));
        assert!(as_meant, "{what}: {refused:?}");
    }
}
