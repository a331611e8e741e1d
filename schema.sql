-- snapvisor's database, whole and current. `src/store/migrate.rs` brings an older one here; version 1 is the first.
--
-- Times are whole seconds since 1970 (UTC). Ids of tenants to nodes, roles and keys are random and positive, mostly
-- beyond 2^53; ids of snapshots are small, increase, and are never used twice. Nothing here is secret: of an API key
-- only a hash is kept.

-- The appliance itself: one row.
CREATE TABLE appliance (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    user_id         INTEGER NOT NULL CHECK (user_id > 0),      -- the one operator
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    -- The first key's token is in bootstrap.json or, while this is 'pending', may still have to get there.
    bootstrap       TEXT NOT NULL CHECK (bootstrap IN ('pending', 'done')),
    bootstrap_key_id INTEGER REFERENCES keys (id) ON DELETE SET NULL,
    -- The time by which snapshots expire: the system clock's, unless that has jumped ahead.
    retention_now   INTEGER NOT NULL CHECK (retention_now >= 0)
) STRICT;

CREATE TABLE tenants (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    name            TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    description     TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 1024),
    email           TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    plan            TEXT NOT NULL CHECK (length(plan) BETWEEN 1 AND 64),
    plan_since      INTEGER NOT NULL CHECK (plan_since >= 0),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at      INTEGER NOT NULL CHECK (updated_at >= 0)
) STRICT;

CREATE TABLE divisions (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    tenant_id       INTEGER NOT NULL REFERENCES tenants (id),
    name            TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    description     TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 1024),
    email           TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at      INTEGER NOT NULL CHECK (updated_at >= 0),
    UNIQUE (tenant_id, name),
    UNIQUE (id, tenant_id)
) STRICT;

CREATE TABLE environments (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    division_id     INTEGER NOT NULL REFERENCES divisions (id),
    name            TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    description     TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 1024),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at      INTEGER NOT NULL CHECK (updated_at >= 0),
    UNIQUE (division_id, name)
) STRICT;

-- `cloud`, `area`, `storage_type` and `availability_mode` are closed lists that clients decode.
CREATE TABLE deployments (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    environment_id  INTEGER NOT NULL REFERENCES environments (id),
    name            TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    code            TEXT NOT NULL UNIQUE CHECK (code GLOB '[A-Z][A-Z][A-Z]-[A-Z0-9][A-Z0-9][A-Z0-9]'),
    description     TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 1024),
    domain          TEXT NOT NULL CHECK (length(domain) BETWEEN 1 AND 253),
    cloud           TEXT NOT NULL DEFAULT 'aws' CHECK (cloud IN ('aws', 'gcp')),
    area            TEXT NOT NULL DEFAULT 'eu' CHECK (area IN ('us', 'eu', 'ap', 'ca', 'sa')),
    region          TEXT CHECK (length(region) BETWEEN 1 AND 64),
    storage_type    TEXT NOT NULL DEFAULT 'local_ssd'
                    CHECK (storage_type IN ('local_ssd', 'network_balanced', 'network_optimized', 'network_extreme')),
    storage_size_gb INTEGER NOT NULL DEFAULT 0 CHECK (storage_size_gb >= 0),
    availability_mode TEXT NOT NULL DEFAULT 'single_az' CHECK (availability_mode IN ('single_az', 'multi_az')),
    -- Rows in `snapshots`, kept by the triggers below: counting them takes too long where there are many.
    snapshots_total INTEGER NOT NULL DEFAULT 0 CHECK (snapshots_total >= 0),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at      INTEGER NOT NULL CHECK (updated_at >= 0),
    UNIQUE (environment_id, name)
) STRICT;

-- A node's name becomes part of a file name.
CREATE TABLE nodes (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    deployment_id   INTEGER NOT NULL REFERENCES deployments (id),
    name            TEXT NOT NULL
                    CHECK (length(name) BETWEEN 1 AND 128 AND name NOT GLOB '*[^A-Za-z0-9._-]*' AND name NOT GLOB '.*'),
    kind            TEXT NOT NULL CHECK (kind IN ('local', 'remote')),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at      INTEGER NOT NULL CHECK (updated_at >= 0),
    UNIQUE (deployment_id, name),
    UNIQUE (id, deployment_id)
) STRICT;

-- This host is a node of a deployment at most once.
CREATE UNIQUE INDEX nodes_local ON nodes (deployment_id) WHERE kind = 'local';

-- `permissions` is the tree as it was given, `X:manage` expanded to `X:read`. A role of kind 'api_key' belongs to one
-- key, has its name and goes with it.
CREATE TABLE roles (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    tenant_id       INTEGER NOT NULL REFERENCES tenants (id),
    name            TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    kind            TEXT NOT NULL CHECK (kind IN ('system', 'custom', 'api_key')),
    permissions     TEXT NOT NULL CHECK (json_valid(permissions) AND json_type(permissions) = 'object'),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at      INTEGER NOT NULL CHECK (updated_at >= 0),
    UNIQUE (id, tenant_id)
) STRICT;

CREATE UNIQUE INDEX roles_name ON roles (tenant_id, name) WHERE kind <> 'api_key';
CREATE INDEX roles_tenant ON roles (tenant_id, id);

-- A token has 238 random bits, so one round of SHA-256 keeps it: there is nothing to guess, and a slow hash would
-- only make every request slow. The index finds the hash, never the token.
CREATE TABLE keys (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    tenant_id       INTEGER NOT NULL REFERENCES tenants (id),
    role_id         INTEGER NOT NULL,
    division_id     INTEGER,                                   -- it sees this division alone
    user_id         INTEGER NOT NULL CHECK (user_id > 0),
    name            TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    token_sha256    BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    validate_ip     INTEGER NOT NULL CHECK (validate_ip IN (0, 1)),
    allowed_ips     TEXT NOT NULL CHECK (json_valid(allowed_ips) AND json_type(allowed_ips) = 'array'),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    expires_at      INTEGER NOT NULL CHECK (expires_at > created_at AND expires_at <= created_at + 365 * 86400),
    UNIQUE (tenant_id, name),
    CHECK (validate_ip = 0 OR json_array_length(allowed_ips) > 0),
    FOREIGN KEY (role_id, tenant_id) REFERENCES roles (id, tenant_id),
    FOREIGN KEY (division_id, tenant_id) REFERENCES divisions (id, tenant_id)
) STRICT;

CREATE INDEX keys_role ON keys (role_id);
CREATE INDEX keys_division ON keys (division_id) WHERE division_id IS NOT NULL;

-- One POST: a snapshot of every node of a deployment. Its expiry is fixed when it is made.
CREATE TABLE triggers (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    deployment_id   INTEGER NOT NULL REFERENCES deployments (id),
    name            TEXT NOT NULL CHECK (name GLOB 'snapshot-[0-9]*'),
    state           TEXT NOT NULL CHECK (state IN ('processing', 'completed')),
    redaction       TEXT NOT NULL CHECK (redaction IN ('masked', 'unredacted')),
    iggy_data       TEXT NOT NULL CHECK (iggy_data IN ('included', 'excluded')),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    expires_at      INTEGER NOT NULL CHECK (expires_at > created_at),
    rows_total      INTEGER NOT NULL DEFAULT 0 CHECK (rows_total >= 0),
    UNIQUE (deployment_id, name),
    UNIQUE (id, deployment_id, expires_at)
) STRICT;

-- SQLite itself refuses a second snapshot in progress.
CREATE UNIQUE INDEX triggers_in_progress ON triggers (deployment_id) WHERE state = 'processing';
CREATE INDEX triggers_expiry ON triggers (deployment_id, expires_at, rows_total);
CREATE INDEX triggers_expired ON triggers (expires_at) WHERE state = 'completed';

-- One node's part of a trigger. The archive is on disk before a row says completed; only a row whose archive could not
-- be written at all (a full or dead disk) is completed without size and digest, and its headline says so.
CREATE TABLE snapshots (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    trigger_id      INTEGER NOT NULL,
    deployment_id   INTEGER NOT NULL,
    node_id         INTEGER NOT NULL,
    node_name       TEXT NOT NULL CHECK (length(node_name) BETWEEN 1 AND 128),
    status          TEXT NOT NULL CHECK (status IN ('processing', 'completed')),
    expires_at      INTEGER NOT NULL,
    completed_at    INTEGER CHECK (completed_at >= 0),
    archive_bytes   INTEGER CHECK (archive_bytes > 0),
    archive_sha256  BLOB CHECK (length(archive_sha256) = 32),
    -- What stands in the archive, whatever its trigger asked for.
    redaction       TEXT CHECK (redaction IN ('masked', 'unredacted')),
    headline        TEXT CHECK (length(headline) <= 1024),
    left_out        TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(left_out) AND json_type(left_out) = 'array'),
    checks_fail     INTEGER NOT NULL DEFAULT 0 CHECK (checks_fail >= 0),
    checks_warn     INTEGER NOT NULL DEFAULT 0 CHECK (checks_warn >= 0),
    checks_pass     INTEGER NOT NULL DEFAULT 0 CHECK (checks_pass >= 0),
    checks_info     INTEGER NOT NULL DEFAULT 0 CHECK (checks_info >= 0),
    checks_skip     INTEGER NOT NULL DEFAULT 0 CHECK (checks_skip >= 0),
    -- How the node's work ended: a report, or a minimal one that says why there is no other.
    outcome         TEXT CHECK (outcome IN ('examined', 'failed', 'interrupted', 'lost')),
    UNIQUE (trigger_id, node_id),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CHECK ((status = 'completed') = (outcome IS NOT NULL)),
    CHECK ((archive_bytes IS NULL) = (archive_sha256 IS NULL)),
    CHECK ((archive_bytes IS NULL) = (redaction IS NULL)),
    CHECK ((archive_bytes IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'lost')),
    FOREIGN KEY (trigger_id, deployment_id, expires_at) REFERENCES triggers (id, deployment_id, expires_at)
        ON UPDATE CASCADE,
    FOREIGN KEY (node_id, deployment_id) REFERENCES nodes (id, deployment_id)
) STRICT;

-- The list, newest first, whatever the page: expired rows are skipped within the index.
CREATE INDEX snapshots_list ON snapshots (deployment_id, id, expires_at);
CREATE INDEX snapshots_node ON snapshots (node_id);
CREATE INDEX snapshots_processing ON snapshots (id) WHERE status = 'processing';

CREATE TRIGGER snapshots_counted AFTER INSERT ON snapshots BEGIN
    UPDATE deployments SET snapshots_total = snapshots_total + 1 WHERE id = NEW.deployment_id;
    UPDATE triggers SET rows_total = rows_total + 1 WHERE id = NEW.trigger_id;
END;

-- A trigger is over when every row of it is.
CREATE TRIGGER snapshots_over AFTER UPDATE OF status ON snapshots WHEN NEW.status = 'completed' BEGIN
    UPDATE triggers SET state = 'completed' WHERE id = NEW.trigger_id AND state = 'processing'
        AND NOT EXISTS (SELECT 1 FROM snapshots WHERE trigger_id = NEW.trigger_id AND status = 'processing');
END;

-- A completed row is final.
CREATE TRIGGER snapshots_final BEFORE UPDATE OF status ON snapshots WHEN OLD.status = 'completed' BEGIN
    SELECT RAISE(ABORT, 'a completed snapshot is final');
END;

-- A trigger goes with its last row, and is over when the last row at work was deleted.
CREATE TRIGGER snapshots_uncounted AFTER DELETE ON snapshots BEGIN
    UPDATE deployments SET snapshots_total = snapshots_total - 1 WHERE id = OLD.deployment_id;
    UPDATE triggers SET rows_total = rows_total - 1 WHERE id = OLD.trigger_id;
    DELETE FROM triggers WHERE id = OLD.trigger_id AND rows_total = 0;
    UPDATE triggers SET state = 'completed' WHERE id = OLD.trigger_id AND state = 'processing'
        AND NOT EXISTS (SELECT 1 FROM snapshots WHERE trigger_id = OLD.trigger_id AND status = 'processing');
END;

-- First answers to POST, PUT and PATCH with an idempotency-key: successes without a secret in them, for ten minutes.
CREATE TABLE idempotency (
    key_id          INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    request_sha256  BLOB NOT NULL CHECK (length(request_sha256) = 32),
    status          INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
    headers         TEXT NOT NULL CHECK (json_valid(headers)),
    body            BLOB NOT NULL CHECK (length(body) <= 1048576),
    created_at      INTEGER NOT NULL CHECK (created_at >= 0),
    PRIMARY KEY (key_id, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (created_at);

-- Who did what, when and from where. Names stand beside ids, since what they name may be gone.
CREATE TABLE audit (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    at              INTEGER NOT NULL CHECK (at >= 0),
    tenant_id       INTEGER CHECK (tenant_id > 0),
    actor           TEXT NOT NULL CHECK (actor IN ('key', 'command_line', 'appliance', 'link')),
    actor_id        INTEGER,                                   -- the key's id, or the user's number on this host
    actor_name      TEXT NOT NULL CHECK (length(actor_name) <= 128),
    address         TEXT CHECK (length(address) <= 64),
    request_id      TEXT CHECK (length(request_id) = 32),
    action          TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    target_id       INTEGER,
    target_name     TEXT NOT NULL DEFAULT '' CHECK (length(target_name) <= 256),
    detail          TEXT NOT NULL DEFAULT '' CHECK (length(detail) <= 1024)
) STRICT;

CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_tenant ON audit (tenant_id, id);
