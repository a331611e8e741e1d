//! What the database counts and finds, and what its threads promise.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::deployment::NodeKind;
use crate::domain::id::{DeploymentId, KeyId, NodeId, SnapshotId, TenantId, TriggerId, UserId};
use crate::domain::permission::{Permissions, Reach, RoleKind};
use crate::domain::snapshot::{Outcome, Redaction, SnapshotOptions, Status};
use crate::domain::time::Timestamp;
use crate::domain::verdict::VerdictCounts;

const NOW: Timestamp = Timestamp::from_unix(1_780_309_800);

pub(super) struct House {
    _dir: tempfile::TempDir,
    pub(super) store: Store,
    tenant: TenantId,
    pub(super) deployment: DeploymentId,
    node: NodeId,
    key: KeyId,
}

pub(super) fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (tenant, deployment, node, key) = store
        .write_blocking(|w| {
            let tenant = w.insert_tenant("acme", "enterprise", NOW)?;
            let division = w.insert_division(tenant, "main", NOW)?;
            let environment = w.insert_environment(division, "production", NOW)?;
            let deployment = w.insert_deployment(environment, &NewDeployment::local("local"), NOW)?;
            let node = w.insert_node(deployment, "iggy-01", NodeKind::Local, NOW)?;
            let role = w.insert_role(tenant, "administrator", RoleKind::System, &Permissions::all(), NOW)?;
            let key = w.insert_key(
                &NewKey {
                    tenant_id: tenant,
                    name: "first".into(),
                    user_id: UserId::new(1).unwrap(),
                    role_id: role,
                    division_id: None,
                    security: Security::default(),
                    expires_at: NOW.plus_s(86_400),
                    token_sha256: [7; 32],
                },
                NOW,
            )?;
            w.insert_appliance(UserId::new(1).unwrap(), key, NOW)?;
            Ok::<_, StoreError>((tenant, deployment, node, key))
        })
        .unwrap();
    House { _dir: dir, store, tenant, deployment, node, key }
}

pub(super) fn trigger(
    w: &Writer,
    deployment: DeploymentId,
    name: &str,
    days: i64,
) -> Result<(TriggerId, Vec<SnapshotId>), StoreError> {
    let id = w.insert_trigger(&NewTrigger {
        deployment_id: deployment,
        name: name.into(),
        options: SnapshotOptions::default(),
        created_at: NOW,
        expires_at: NOW.plus_s(days * 86_400),
    })?;
    let rows = w.nodes(deployment)?.iter().map(|node| w.insert_snapshot(id, node)).collect::<Result<_, _>>()?;
    Ok((id, rows))
}

fn examined() -> Completion {
    Completion {
        outcome: Outcome::Examined,
        archive: Some(StoredArchive { size_bytes: 4711, sha256: [1; 32], redaction: Redaction::Masked }),
        headline: "All 39 checks are fine on iggy-01.".into(),
        left_out: vec!["a socket".into()],
        counts: VerdictCounts { fail: 1, warn: 2, pass: 3, info: 4, skip: 5 },
    }
}

#[test]
fn a_trigger_is_over_with_its_last_row_and_a_completed_row_is_final() {
    let house = house();
    let deployment = house.deployment;
    house
        .store
        .write_blocking(move |w| {
            w.insert_node(deployment, "iggy-02", NodeKind::Remote, NOW)?;
            let (id, rows) = trigger(w, deployment, "snapshot-1", 90)?;
            let state = || w.trigger(id).unwrap().unwrap().state;
            assert!(w.complete_snapshot(rows[0], &examined(), NOW)?);
            assert_eq!(state(), Status::Processing);
            assert!(matches!(trigger(w, deployment, "snapshot-2", 90), Err(StoreError::NotUnique(_))));
            assert!(w.complete_snapshot(rows[1], &examined(), NOW)?);
            assert_eq!(state(), Status::Completed);
            assert!(!w.complete_snapshot(rows[1], &examined(), NOW)?, "a second end changes nothing");
            let reopened = w.connection.execute("UPDATE snapshots SET status = 'processing', completed_at = NULL", []);
            assert!(reopened.is_err(), "a completed row is final");
            trigger(w, deployment, "snapshot-2", 90)?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn deleting_the_last_row_at_work_ends_the_trigger_and_the_last_row_of_all_removes_it() {
    let house = house();
    let deployment = house.deployment;
    house
        .store
        .write_blocking(move |w| {
            w.insert_node(deployment, "iggy-02", NodeKind::Remote, NOW)?;
            let (id, rows) = trigger(w, deployment, "snapshot-1", 90)?;
            w.complete_snapshot(rows[0], &examined(), NOW)?;
            assert!(w.delete_snapshot(rows[1])?);
            let left = w.trigger(id)?.unwrap();
            assert_eq!((left.state, left.rows_total), (Status::Completed, 1));
            assert!(w.delete_snapshot(rows[0])?);
            assert_eq!(w.trigger(id)?, None);
            assert!(!w.delete_snapshot(rows[0])?);
            let (_, again) = trigger(w, deployment, "snapshot-1", 90)?;
            assert!(again[0] > rows[1], "an id is never used twice");
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn a_list_is_newest_first_without_what_has_expired_and_its_total_is_counted_without_counting() {
    let house = house();
    let deployment = house.deployment;
    let names = house
        .store
        .write_blocking(move |w| {
            for (n, days) in [(1, 90), (2, 7), (3, 14), (4, 90)] {
                let (_, rows) = trigger(w, deployment, &format!("snapshot-{n}"), days)?;
                w.complete_snapshot(rows[0], &examined(), NOW)?;
            }
            let list = |days: i64, page: PageRequest| -> Result<(Vec<String>, u64), StoreError> {
                let paged = w.snapshots(deployment, NOW.plus_s(days * 86_400), page)?;
                Ok((paged.items.into_iter().map(|item| item.name[9..].to_owned()).collect(), paged.total))
            };
            let page =
                |page: u64, results: u32| PageRequest::new(page.try_into().unwrap(), results.try_into().unwrap());
            Ok::<_, StoreError>(vec![
                list(0, page(1, 10))?,
                list(0, page(2, 3))?,
                list(7, page(1, 2))?,
                list(7, page(2, 2))?,
                list(14, page(1, 10))?,
                list(90, page(1, 10))?,
                list(0, page(u64::MAX, 100))?,
            ])
        })
        .unwrap();
    let expected: Vec<(Vec<&str>, u64)> = vec![
        (vec!["4", "3", "2", "1"], 4),
        (vec!["1"], 4),
        (vec!["4", "3"], 3),
        (vec!["1"], 3),
        (vec!["4", "1"], 2),
        (vec![], 0),
        (vec![], 4),
    ];
    let names: Vec<(Vec<&str>, u64)> =
        names.iter().map(|(names, total)| (names.iter().map(String::as_str).collect(), *total)).collect();
    assert_eq!(names, expected);
}

#[test]
fn every_page_of_a_list_is_the_same_from_whichever_end_it_is_walked() {
    let house = house();
    let deployment = house.deployment;
    house
        .store
        .write_blocking(move |w| {
            for n in 1..=25 {
                // Every fifth expires early, so that ids and places in the list differ.
                let (_, rows) = trigger(w, deployment, &format!("snapshot-{n}"), if n % 5 == 0 { 7 } else { 90 })?;
                w.complete_snapshot(rows[0], &examined(), NOW)?;
            }
            for (days, left) in [(0, 25), (7, 20)] {
                let alive = |n: &i64| days == 0 || n % 5 != 0;
                let newest_first: Vec<i64> = (1..=25).rev().filter(alive).collect();
                for results in [1_u32, 3, 10, 20, 25, 100] {
                    for page in 1_u64..=26 {
                        let request = PageRequest::new(page.try_into().unwrap(), results.try_into().unwrap());
                        let paged = w.snapshots(deployment, NOW.plus_s(days * 86_400), request)?;
                        let ids = paged.map(|item| item.id.get());
                        assert_eq!(
                            ids,
                            Paged::of(newest_first.clone(), request),
                            "page {page} of {results}, day {days}"
                        );
                        assert_eq!(ids.total, left);
                    }
                }
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn a_row_comes_back_whole() {
    let house = house();
    let (deployment, tenant, node) = (house.deployment, house.tenant, house.node);
    let row = house
        .store
        .write_blocking(move |w| {
            let (_, rows) = trigger(w, deployment, "snapshot-20260601-103000", 90)?;
            w.complete_snapshot(rows[0], &examined(), NOW.plus_s(60))?;
            w.snapshot(deployment, rows[0], NOW)
        })
        .unwrap()
        .unwrap();
    let item = SnapshotItem {
        id: SnapshotId::new(1).unwrap(),
        tenant_id: tenant,
        division_id: row.item.division_id,
        environment_id: row.item.environment_id,
        deployment_id: deployment,
        node_id: node,
        deployment_name: "local".into(),
        name: "snapshot-20260601-103000".into(),
        status: Status::Completed,
        created_at: NOW,
        completed_at: Some(NOW.plus_s(60)),
    };
    let expected = SnapshotRow {
        item,
        trigger_id: TriggerId::new(1).unwrap(),
        node_name: "iggy-01".into(),
        options: SnapshotOptions::default(),
        expires_at: NOW.plus_s(90 * 86_400),
        archive: examined().archive,
        outcome: Some(Outcome::Examined),
        headline: Some(examined().headline),
        left_out: examined().left_out,
        counts: examined().counts,
    };
    assert_eq!(row, expected);
}

#[test]
fn what_goes_with_a_place_is_counted_before_and_gone_after() {
    let house = house();
    let (deployment, tenant) = (house.deployment, house.tenant);
    house
        .store
        .write_blocking(move |w| {
            let (_, rows) = trigger(w, deployment, "snapshot-1", 90)?;
            let place = w.place(deployment)?.unwrap();
            let role = w.insert_role(tenant, "bound", RoleKind::ApiKey, &Permissions::default(), NOW)?;
            w.insert_key(
                &NewKey {
                    tenant_id: tenant,
                    name: "bound".into(),
                    user_id: UserId::new(1).unwrap(),
                    role_id: role,
                    division_id: Some(place.division_id),
                    security: Security::default(),
                    expires_at: NOW.plus_s(60),
                    token_sha256: [8; 32],
                },
                NOW,
            )?;
            let counts = |scope| {
                w.contents(scope)
                    .map(|c| [c.divisions, c.environments, c.deployments, c.nodes, c.snapshots, c.keys, c.roles])
            };
            let node = w.nodes(deployment)?[0].id;
            assert_eq!(counts(Scope::Node(node))?, [0, 0, 0, 0, 1, 0, 0]);
            assert_eq!(counts(Scope::Deployment(deployment))?, [0, 0, 0, 1, 1, 0, 0]);
            assert_eq!(counts(Scope::Environment(place.environment_id))?, [0, 0, 1, 1, 1, 0, 0]);
            assert_eq!(counts(Scope::Division(place.division_id))?, [0, 1, 1, 1, 1, 1, 0]);
            assert_eq!(counts(Scope::Tenant(tenant))?, [1, 1, 1, 1, 1, 2, 1]);
            assert_eq!(w.delete_scope(Scope::Division(place.division_id))?, rows);
            assert_eq!(counts(Scope::Tenant(tenant))?, [0, 0, 0, 0, 0, 1, 1]);
            assert_eq!(w.role(role)?, None, "a role that was one key's own goes with it");
            assert_eq!(w.delete_scope(Scope::Tenant(tenant))?, []);
            assert_eq!(w.tenants()?, []);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn keys_are_found_by_hash_name_and_division() {
    let house = house();
    let (tenant, first) = (house.tenant, house.key);
    house
        .store
        .write_blocking(move |w| {
            assert_eq!(w.key_by_token([7; 32])?.unwrap().id, first);
            assert_eq!(w.key_by_token([9; 32])?, None);
            let division = w.divisions(tenant)?[0].id;
            let found = |reach, name| w.keys(tenant, reach, name, PageRequest::default()).map(|paged| paged.total);
            assert_eq!(found(Reach::Tenant, None)?, 1);
            assert_eq!(found(Reach::Tenant, Some("IRS"))?, 1);
            assert_eq!(found(Reach::Tenant, Some("%"))?, 0);
            assert_eq!(found(Reach::Division(division), None)?, 0);
            w.replace_token(first, [9; 32])?;
            assert_eq!(w.key_by_token([7; 32])?, None);
            w.delete_key(first)?;
            assert_eq!(w.key_by_token([9; 32])?, None);
            assert_eq!(w.appliance()?.unwrap().bootstrap_key_id, None);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn an_answer_is_kept_until_its_time_has_come() {
    let house = house();
    let key = house.key;
    let answer = KeptAnswer {
        request_sha256: [3; 32],
        status: 204,
        headers: vec![("ld-snapshot".into(), "snapshot-1".into())],
        body: vec![],
        created_at: NOW,
    };
    house
        .store
        .write_blocking(move |w| {
            w.keep_answer(key, "once", &answer)?;
            assert_eq!(w.kept_answer(key, "once", NOW.plus_s(-1))?, Some(answer));
            assert_eq!(w.kept_answer(key, "once", NOW)?, None);
            assert_eq!(w.kept_answer(key, "twice", NOW.plus_s(-1))?, None);
            assert_eq!(w.drop_answers(NOW.plus_s(-1))?, 0);
            assert_eq!(w.drop_answers(NOW)?, 1);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn the_audit_log_is_bounded_by_age_and_by_rows() {
    let house = house();
    let tenant = house.tenant;
    house
        .store
        .write_blocking(move |w| {
            for second in 0..10 {
                w.record(&AuditEntry {
                    at: NOW.plus_s(second),
                    tenant_id: Some(tenant),
                    who: Who::CommandLine { uid: 1000 },
                    address: Some([127, 0, 0, 1].into()),
                    request_id: None,
                    action: "key.create",
                    target_id: Some(5),
                    target_name: "x".repeat(1000),
                    detail: String::new(),
                })?;
            }
            let left = || w.audit(tenant, PageRequest::default()).map(|paged| paged.total);
            assert_eq!(w.drop_audit(NOW, 100, 100)?, 1);
            assert_eq!(left()?, 9);
            assert_eq!(w.drop_audit(NOW, 5, 2)?, 2, "a step at a time");
            assert_eq!(w.drop_audit(NOW, 5, 100)?, 2);
            let newest = w.audit(tenant, PageRequest::default())?.items.swap_remove(0);
            assert_eq!(
                (newest.at, newest.actor.as_str(), newest.target_name.len()),
                (NOW.plus_s(9), "command_line", 256)
            );
            assert_eq!(left()?, 5);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn a_failed_change_leaves_nothing_and_a_panic_does_not_end_the_thread() {
    let house = house();
    let failed = house.store.write_blocking(|w| {
        w.insert_tenant("half", "basic", NOW)?;
        Err::<(), _>(StoreError::Busy)
    });
    assert!(matches!(failed, Err(StoreError::Busy)));
    let panicked = house.store.write_blocking(|w| -> Result<(), StoreError> {
        w.insert_tenant("half", "basic", NOW)?;
        panic!("on purpose")
    });
    assert!(matches!(panicked, Err(StoreError::Stopped)));
    let names = house.store.read_blocking(Reader::tenants).unwrap();
    assert_eq!(names.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>(), ["acme"]);
}

#[test]
fn only_the_writer_writes() {
    let house = house();
    let refused =
        house.store.read_blocking(|r| Ok::<_, StoreError>(r.connection.execute("DELETE FROM keys", []).is_err()));
    assert!(refused.unwrap());
}

#[test]
fn concurrent_writers_wait_for_each_other() {
    let house = house();
    let other = Store::open(house.store.path().parent().unwrap()).unwrap();
    let made = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for (n, store) in [house.store.clone(), other.clone(), house.store.clone(), other].into_iter().enumerate() {
            let made = Arc::clone(&made);
            scope.spawn(move || {
                for m in 0..5 {
                    store.write_blocking(move |w| w.insert_tenant(&format!("{n}-{m}"), "basic", NOW)).unwrap();
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(house.store.read_blocking(Reader::tenants).unwrap().len(), 1 + made.load(Ordering::Relaxed));
}

#[test]
fn changes_by_another_process_are_noticed_and_our_own_are_not() {
    let house = house();
    let other = Store::open(house.store.path().parent().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let before = house.store.outside_changes().await.unwrap();
        house.store.write(|w| w.insert_tenant("ours", "basic", NOW)).await.unwrap();
        assert_eq!(house.store.outside_changes().await.unwrap(), before);
        other.write(|w| w.insert_tenant("theirs", "basic", NOW)).await.unwrap();
        assert_ne!(house.store.outside_changes().await.unwrap(), before);
        assert_eq!(house.store.read(Reader::tenants).await.unwrap().len(), 3);
    });
}

#[test]
fn the_database_is_the_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("a/b");
    let store = Store::open(&data_dir).unwrap();
    store.write_blocking(|w| w.insert_tenant("acme", "basic", NOW)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data_dir), 0o700);
    for file in std::fs::read_dir(&data_dir).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn another_programs_database_and_a_newer_one_are_refused_and_left_alone() {
    for (sql, message) in [
        (
            "CREATE TABLE theirs (x)",
            " is damaged, or is not a database of snapvisor: put it aside, or choose another data directory",
        ),
        (
            "PRAGMA user_version = 99; PRAGMA application_id = 1399746646",
            "the database has schema 99 and this snapvisor knows 1 at most: run a newer one",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE_FILE);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = Store::open(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with(message), "{error}");
        if message.starts_with(" is") {
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join(DATABASE_FILE),
        "no database at all, and longer than a header of SQLite's is, at least a hundred bytes of it, surely",
    )
    .unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Foreign(_))));
}
