//! The schema's version and the way to it.
//!
//! `user_version` counts. A fresh database gets `schema.sql` whole; an older one gets the steps from its version on,
//! each in one transaction with the new number. A test holds that both ways end in the same schema.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// The whole current schema.
const SCHEMA: &str = include_str!("../../schema.sql");
/// `STEPS[n]` leads from version n + 1 to n + 2.
const STEPS: &[&str] = &[];
/// Marks the file as ours: `SnpV` in ASCII.
const APPLICATION_ID: i64 = 0x536e_7056;

/// Refuses what is not ours to open, before anything is changed.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let foreign = |_| StoreError::Foreign(path.to_owned());
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(foreign)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(foreign)?;
    if application == APPLICATION_ID || (application == 0 && tables == 0) {
        Ok(())
    } else {
        Err(StoreError::Foreign(path.to_owned()))
    }
}

/// Refuses a schema from before the current one: a server may be at work on it.
pub(super) fn refuse_older(connection: &Connection) -> Result<(), StoreError> {
    older_is_refused(connection, STEPS)
}

fn older_is_refused(connection: &Connection, steps: &[&str]) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let needed = i64::try_from(steps.len() + 1).expect("a handful of steps");
    if found < needed { Err(StoreError::Older { found, needed }) } else { Ok(()) }
}

pub(super) fn bring_up_to_date(connection: &mut Connection) -> Result<(), StoreError> {
    migrate(connection, SCHEMA, STEPS)
}

fn migrate(connection: &mut Connection, schema: &str, steps: &[&str]) -> Result<(), StoreError> {
    let known = i64::try_from(steps.len() + 1).expect("a handful of steps");
    loop {
        // The lock comes first: another process may be doing the same.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found == known {
            return Ok(());
        }
        let step = match usize::try_from(found) {
            Ok(0) => None,
            Ok(version) if version <= steps.len() => Some(version),
            _ => return Err(StoreError::Newer { found, known }),
        };
        transaction.execute_batch(step.map_or(schema, |version| steps[version - 1]))?;
        transaction.pragma_update(None, "user_version", step.map_or(known, |_| found + 1))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT type || ' ' || name || ' ' || sql FROM sqlite_schema WHERE sql IS NOT NULL")
            .unwrap();
        let mut lines = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<Vec<String>, _>>().unwrap();
        lines.sort();
        lines
    }

    #[test]
    fn every_older_schema_becomes_the_current_one() {
        // The first schema as it was released; later ones join it here with the step that leads on.
        let released = [include_str!("../../tests/data/schema/1.sql")];
        assert_eq!(released.len(), STEPS.len() + 1, "a step without the schema that it leads to");
        let mut fresh = Connection::open_in_memory().unwrap();
        bring_up_to_date(&mut fresh).unwrap();
        for (before, schema) in (1_i64..).zip(released) {
            let mut old = Connection::open_in_memory().unwrap();
            old.execute_batch(schema).unwrap();
            old.pragma_update(None, "user_version", before).unwrap();
            bring_up_to_date(&mut old).unwrap();
            assert_eq!(shape(&old), shape(&fresh), "from version {before}");
        }
    }

    #[test]
    fn steps_run_once_each_and_in_order() {
        let first = "CREATE TABLE a (x INTEGER) STRICT;";
        let second = "CREATE TABLE a (x INTEGER, y INTEGER) STRICT;";
        let steps = ["ALTER TABLE a ADD COLUMN y INTEGER;"];
        let mut old = Connection::open_in_memory().unwrap();
        migrate(&mut old, first, &[]).unwrap();
        old.execute("INSERT INTO a (x) VALUES (1)", []).unwrap();
        for _ in 0..2 {
            migrate(&mut old, second, &steps).unwrap();
        }
        let row: (i64, Option<i64>) =
            old.query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(row, (1, None));
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_schema() {
        let mut old = Connection::open_in_memory().unwrap();
        migrate(&mut old, "CREATE TABLE a (x INTEGER) STRICT;", &[]).unwrap();
        let before = shape(&old);
        assert!(migrate(&mut old, "", &["CREATE TABLE b (x INTEGER); CREATE TABLE b (x INTEGER);"]).is_err());
        assert_eq!(shape(&old), before);
        assert_eq!(old.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 1);
    }

    #[test]
    fn an_older_database_is_left_to_the_server() {
        let mut old = Connection::open_in_memory().unwrap();
        migrate(&mut old, "CREATE TABLE a (x INTEGER) STRICT;", &[]).unwrap();
        older_is_refused(&old, &[]).unwrap();
        let error = older_is_refused(&old, &["ALTER TABLE a ADD COLUMN y INTEGER;"]).unwrap_err();
        let expected =
            "the database has schema 1 and this snapvisor needs 2: start its server once, which brings it there";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_newer_database_is_refused_and_left_alone() {
        let mut newer = Connection::open_in_memory().unwrap();
        newer.pragma_update(None, "user_version", 7).unwrap();
        let error = bring_up_to_date(&mut newer).unwrap_err();
        assert_eq!(error.to_string(), "the database has schema 7 and this snapvisor knows 1 at most: run a newer one");
        assert!(shape(&newer).is_empty());
    }
}
