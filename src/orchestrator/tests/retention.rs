//! Expiry: by the plan at the time of the trigger, off the lists at once, off the disk soon after.

use super::*;
use crate::store::{AuditRow, Scope};

const DAY: Duration = Duration::from_hours(24);

async fn plan(f: &Fixture, plan: &'static str) {
    let tenant = f.tenant;
    f.orchestrator
        .change(move |w, now| set_plan(w, &Actor::command_line(), &Config::default(), tenant, plan, now))
        .await
        .unwrap();
}

async fn names(f: &Fixture) -> Vec<String> {
    f.list().await.into_iter().map(|item| item.name).collect()
}

#[tokio::test]
async fn a_snapshot_expires_by_the_plan_it_was_made_under() {
    let f = fixture();
    plan(&f, "basic").await;
    let short = f.over(f.trigger().await.unwrap().rows[0]).await.item.id;
    plan(&f, "enterprise").await;
    let long = f.over(f.trigger().await.unwrap().rows[0]).await.item.id;
    f.clock.pass(Duration::from_secs(7 * 86_400 - 1));
    assert_eq!(f.orchestrator.sweep().await.unwrap(), Swept::default());
    assert_eq!(f.list().await.len(), 2);
    f.clock.pass(Duration::from_secs(1));
    // Off the list before anything was swept, its archive still there; then that goes too.
    assert_eq!(names(&f).await, ["snapshot-20260601-103000-2"]);
    assert_eq!(f.files().0, [short, long]);
    let delete = f.orchestrator.delete_snapshot(f.deployment, short, Actor::command_line()).await;
    assert!(matches!(delete, Err(DeleteError::NotFound)));
    assert_eq!(f.orchestrator.sweep().await.unwrap(), Swept { snapshots: vec![short] });
    assert_eq!(f.files().0, [long]);
    assert_eq!(f.row(short).await, None);
}

#[tokio::test]
async fn a_thousand_days_of_snapshots_keep_what_the_plan_says() {
    let f = fixture();
    plan(&f, "basic").await;
    let mut made = 0;
    for day in 0..1000 {
        match f.trigger().await {
            Ok(triggered) => {
                f.over(triggered.rows[0]).await;
                made += 1;
            }
            Err(TriggerError::LimitReached { .. }) => {}
            Err(other) => panic!("day {day}: {other:?}"),
        }
        f.orchestrator.sweep().await.unwrap();
        let (listed, on_disk) = (f.list().await, f.files());
        assert!(listed.len() <= 3, "day {day}");
        let mut ids: Vec<_> = listed.iter().map(|item| item.id).collect();
        ids.sort_unstable();
        assert_eq!(on_disk, (ids, 0), "day {day}: one file per row");
        f.clock.pass(DAY);
    }
    // Three at first, and three again whenever they have expired after seven days.
    assert_eq!(made, 3 * 143);
    f.clock.pass(7 * DAY);
    f.orchestrator.sweep().await.unwrap();
    assert_eq!(f.files(), (vec![], 0));
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_wipes_nothing_at_once() {
    let f = fixture();
    for _ in 0..5 {
        f.over(f.trigger().await.unwrap().rows[0]).await;
    }
    f.clock.jump_s(3650 * 86_400);
    for _ in 0..1000 {
        f.clock.pass(Duration::from_secs(30));
        assert_eq!(f.orchestrator.sweep().await.unwrap(), Swept::default());
    }
    assert_eq!((f.list().await.len(), f.files().0.len()), (5, 5));
    // Nor after a restart: a few days are believed then, and no more.
    let f = f.restarted();
    assert_eq!(f.orchestrator.sweep().await.unwrap(), Swept::default());
    assert_eq!(f.list().await.len(), 5);
    // Set right again, it is as if nothing had been.
    f.clock.jump_s(-3650 * 86_400);
    f.orchestrator.sweep().await.unwrap();
    assert_eq!(f.orchestrator.retention_now(), f.clock.now());
    assert_eq!(f.list().await.len(), 5);
}

#[tokio::test]
async fn what_is_at_work_does_not_expire() {
    let f = fixture();
    f.hold();
    let id = f.trigger().await.unwrap().rows[0];
    f.clock.pass(100 * DAY);
    assert_eq!(f.orchestrator.sweep().await.unwrap(), Swept::default());
    f.release(1);
    f.over(id).await;
    assert_eq!(f.orchestrator.sweep().await.unwrap(), Swept { snapshots: vec![id] });
}

#[tokio::test]
async fn the_audit_log_tells_what_was_done() {
    let f = fixture();
    let first = f.over(f.trigger().await.unwrap().rows[0]).await.item.id;
    f.orchestrator.delete_snapshot(f.deployment, first, Actor::command_line()).await.unwrap();
    f.over(f.trigger().await.unwrap().rows[0]).await;
    f.clock.pass(90 * DAY);
    f.orchestrator.sweep().await.unwrap();
    let deployment = f.deployment;
    f.orchestrator
        .change(move |w, now| {
            remove(w, &Actor::command_line(), Scope::Deployment(deployment), Confirmation::Given, now)
        })
        .await
        .unwrap();
    let tenant = f.tenant;
    let log = f.store.read(move |r| r.audit(tenant, PageRequest::default())).await.unwrap();
    let line = |row: AuditRow| (row.action, row.actor, row.target_name, row.detail);
    let lines: Vec<_> = log.items.into_iter().take(5).map(line).collect();
    let expected = [
        ("deployment.remove", "command_line", "local", "with 1 node"),
        ("snapshot.expire", "appliance", "snapshot-20260601-103000", ""),
        ("snapshot.create", "command_line", "snapshot-20260601-103000", "masked, with Iggy's data"),
        ("snapshot.delete", "command_line", "snapshot-20260601-103000", "node iggy-01"),
        ("snapshot.create", "command_line", "snapshot-20260601-103000", "masked, with Iggy's data"),
    ];
    assert_eq!(lines, expected.map(|(a, b, c, d)| (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned())));
}
