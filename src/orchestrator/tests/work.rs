//! From a trigger to the end of its rows.

use std::collections::BTreeSet;

use super::*;
use crate::domain::deployment::NodeKind;
use crate::domain::snapshot::{IggyData, Outcome, Redaction};

#[tokio::test]
async fn a_snapshot_ends_with_its_archive_on_disk_and_its_row_completed() {
    let f = fixture();
    let triggered = f.trigger().await.unwrap();
    assert_eq!(triggered.name, "snapshot-20260601-103000");
    let row = f.over(triggered.rows[0]).await;
    assert_eq!(f.text(row.item.id), "archive of iggy-01");
    assert_eq!(f.files(), (vec![row.item.id], 0));
    assert_eq!((row.outcome, row.headline.as_deref()), (Some(Outcome::Examined), Some("All is fine.")));
    assert_eq!((row.counts.pass, row.left_out.as_slice()), (39, &["a socket".to_owned()][..]));
    let archive = row.archive.unwrap();
    assert_eq!(archive.size_bytes, 18);
    assert_eq!(archive.sha256_hex(), f.archives.commit(row.item.id).unwrap().sha256);
    assert_eq!(row.expires_at, NOW.plus_s(90 * 86_400));
    assert_eq!(f.orchestrator.hub().running(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_triggers_at_once_one_gets_through() {
    let f = fixture();
    f.hold();
    let attempts: Vec<_> = (0..100)
        .map(|_| {
            let (orchestrator, deployment) = (f.orchestrator.clone(), f.deployment);
            tokio::spawn(async move {
                orchestrator.trigger(deployment, SnapshotOptions::default(), Actor::command_line()).await
            })
        })
        .collect();
    let (mut triggered, mut refused) = (Vec::new(), 0);
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(one) => triggered.push(one),
            Err(TriggerError::InProgress { name, since }) => {
                assert_eq!((name.as_str(), since), ("snapshot-20260601-103000", NOW));
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((triggered.len(), refused), (1, 99));
    f.release(1);
    f.over(triggered[0].rows[0]).await;
    assert_eq!(f.list().await.len(), 1);
}

#[tokio::test]
async fn two_in_one_second_have_two_names() {
    let f = fixture();
    for name in ["snapshot-20260601-103000", "snapshot-20260601-103000-2", "snapshot-20260601-103000-3"] {
        let triggered = f.trigger().await.unwrap();
        assert_eq!(triggered.name, name);
        f.over(triggered.rows[0]).await;
    }
}

#[tokio::test]
async fn a_plan_keeps_so_many_and_says_which_goes_next() {
    let f = fixture();
    f.orchestrator
        .change({
            let tenant = f.tenant;
            move |w, now| set_plan(w, &Actor::command_line(), &Config::default(), tenant, "basic", now)
        })
        .await
        .unwrap();
    for _ in 0..3 {
        let triggered = f.trigger().await.unwrap();
        f.over(triggered.rows[0]).await;
        f.clock.pass(Duration::from_secs(1));
    }
    match f.trigger().await.unwrap_err() {
        TriggerError::LimitReached { plan, limit, oldest, expires_at } => {
            assert_eq!((plan.as_str(), limit, oldest.as_str()), ("basic", 3, "snapshot-20260601-103000"));
            assert_eq!(expires_at, NOW.plus_s(7 * 86_400));
        }
        other => panic!("{other:?}"),
    }
    // One that has expired counts no more, whether or not its archive is gone already.
    f.clock.pass(Duration::from_secs(7 * 86_400 - 3));
    f.trigger().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_triggered_leaves_no_trace() {
    let f = fixture_with(|config| config.archive.max_bytes = 10);
    let row = f.over(f.trigger().await.unwrap().rows[0]).await;
    let error = f.trigger().await.unwrap_err();
    assert_eq!(error.to_string(), "stored archives take 18 B, and archive.max_bytes allows 10 B");
    let nowhere = DeploymentId::new(5).unwrap();
    let error = f.orchestrator.trigger(nowhere, SnapshotOptions::default(), Actor::command_line()).await;
    assert!(matches!(error, Err(TriggerError::NoDeployment)));
    let full = fixture_with(|config| config.archive.reserve_bytes = Some(u64::MAX >> 1));
    assert!(matches!(full.trigger().await, Err(TriggerError::Storage(_))));
    assert_eq!((f.list().await.len(), full.list().await.len()), (1, 0));
    let (deployment, node) = (f.deployment, f.node);
    f.orchestrator.delete_snapshot(deployment, row.item.id, Actor::command_line()).await.unwrap();
    f.orchestrator
        .change(move |w, now| {
            remove(w, &Actor::command_line(), crate::store::Scope::Node(node), Confirmation::Missing, now)
        })
        .await
        .unwrap();
    assert!(matches!(f.trigger().await, Err(TriggerError::NoNodes)));
}

#[tokio::test]
async fn a_node_that_fails_hangs_lies_or_panics_still_ends_completed() {
    for (play, reason) in [
        (Play::Fail, "The disk was too hot."),
        (Play::Hang, "The snapshot of this node was not over after 0 s."),
        (Play::Lie, "The archive of this node could not be stored: it is not there."),
        (Play::Panic, "The appliance failed while it worked on this node; its log says more."),
    ] {
        let f = fixture_with(|config| config.snapshot.deadline_s = 1);
        f.play(play);
        let started = Instant::now();
        let row = f.over(f.trigger().await.unwrap().rows[0]).await;
        assert!(started.elapsed() < Duration::from_millis(1900), "{play:?} took {:?}", started.elapsed());
        assert_eq!(row.outcome, Some(Outcome::Failed), "{play:?}");
        assert!(f.text(row.item.id).starts_with(&format!("minimal: {reason}")), "{play:?}: {}", f.text(row.item.id));
        assert!(row.archive.is_some());
        assert_eq!(f.files(), (vec![row.item.id], 0), "{play:?}");
        f.play(Play::Succeed);
        f.over(f.trigger().await.unwrap().rows[0]).await;
    }
}

#[tokio::test]
async fn a_row_ends_even_where_no_archive_can_be_written() {
    let f = fixture();
    f.play(Play::Fail);
    f.fake.minimal_fails.store(true, Ordering::SeqCst);
    let row = f.over(f.trigger().await.unwrap().rows[0]).await;
    assert_eq!((row.outcome, row.archive), (Some(Outcome::Lost), None));
    let expected = "The disk was too hot. Nor could an archive that says so be written; the appliance's log says why.";
    assert_eq!(row.headline.as_deref(), Some(expected));
    assert_eq!(f.files(), (vec![], 0));
}

#[tokio::test]
async fn a_node_without_an_agent_says_so_and_does_not_hold_up_the_others() {
    let f = fixture();
    let deployment = f.deployment;
    f.orchestrator
        .change(move |w, now| create_node(w, &Actor::command_line(), deployment, "iggy-02", NodeKind::Remote, now))
        .await
        .unwrap();
    let triggered = f.trigger().await.unwrap();
    let mut ends = Vec::new();
    for row in &triggered.rows {
        let row = f.over(*row).await;
        assert_eq!(row.item.name, triggered.name);
        ends.push((row.node_name, row.outcome));
    }
    let expected = [("iggy-01", Outcome::Examined), ("iggy-02", Outcome::Failed)];
    assert_eq!(ends, expected.map(|(name, outcome)| (name.to_owned(), Some(outcome))));
    assert!(f.text(triggered.rows[1]).contains("No agent of this node is connected"));
}

#[tokio::test]
async fn the_options_reach_the_node_and_the_row() {
    let f = fixture();
    let options = SnapshotOptions { redaction: Redaction::Unredacted, iggy_data: IggyData::Excluded };
    let triggered = f.orchestrator.trigger(f.deployment, options, Actor::command_line()).await.unwrap();
    assert_eq!(f.over(triggered.rows[0]).await.options, options);
}

#[tokio::test]
async fn deleting_a_row_at_work_cancels_it_and_frees_the_deployment() {
    let f = fixture();
    f.hold();
    let id = f.trigger().await.unwrap().rows[0];
    until("the examination begins", || f.fake.begun.load(Ordering::SeqCst) == 1).await;
    assert_eq!(f.orchestrator.hub().progress(id).unwrap().0.stage, Stage::Bundling);
    f.orchestrator.delete_snapshot(f.deployment, id, Actor::command_line()).await.unwrap();
    assert_eq!((f.row(id).await, f.files(), f.orchestrator.hub().running()), (None, (vec![], 0), vec![]));
    let again = f.orchestrator.delete_snapshot(f.deployment, id, Actor::command_line()).await;
    assert!(matches!(again, Err(DeleteError::NotFound)));
    f.release(1);
    let next = f.trigger().await.unwrap();
    assert!(next.rows[0] > id);
    f.over(next.rows[0]).await;
}

#[tokio::test]
async fn deleting_a_row_whose_work_does_not_stop_takes_it_all_the_same() {
    let f = fixture();
    f.play(Play::Hang);
    let id = f.trigger().await.unwrap().rows[0];
    until("the examination begins", || f.fake.begun.load(Ordering::SeqCst) == 1).await;
    f.orchestrator.delete_snapshot(f.deployment, id, Actor::command_line()).await.unwrap();
    assert_eq!((f.row(id).await, f.files()), (None, (vec![], 0)));
}

#[tokio::test]
async fn a_row_of_another_deployment_cannot_be_deleted() {
    let f = fixture();
    let row = f.over(f.trigger().await.unwrap().rows[0]).await;
    let other = DeploymentId::new(5).unwrap();
    let refused = f.orchestrator.delete_snapshot(other, row.item.id, Actor::command_line()).await;
    assert!(matches!(refused, Err(DeleteError::NotFound)));
    assert_eq!(f.files().0, [row.item.id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_races_with_finishing_and_leaves_neither_row_nor_file() {
    let f = fixture();
    for _ in 0..50 {
        let id = f.trigger().await.unwrap().rows[0];
        f.orchestrator.delete_snapshot(f.deployment, id, Actor::command_line()).await.unwrap();
        assert_eq!(f.row(id).await, None);
        until("the work is over", || f.orchestrator.hub().running().is_empty()).await;
        assert_eq!(f.files(), (vec![], 0));
    }
}

#[tokio::test]
async fn a_shutdown_ends_what_is_under_way_and_takes_nothing_new() {
    let f = fixture();
    f.hold();
    let id = f.trigger().await.unwrap().rows[0];
    until("the examination begins", || f.fake.begun.load(Ordering::SeqCst) == 1).await;
    f.orchestrator.shut_down().await;
    let row = f.over(id).await;
    assert_eq!(row.outcome, Some(Outcome::Interrupted));
    assert!(f.text(id).contains("The appliance was stopped while this node was examined"));
    assert!(matches!(f.trigger().await, Err(TriggerError::Stopping)));
}

#[tokio::test]
async fn what_another_process_removes_is_no_longer_worked_on() {
    let f = fixture();
    f.hold();
    let id = f.trigger().await.unwrap().rows[0];
    until("the examination begins", || f.fake.begun.load(Ordering::SeqCst) == 1).await;
    let keeper = {
        let orchestrator = f.orchestrator.clone();
        tokio::spawn(async move { orchestrator.keep_house().await })
    };
    // Time passes for the keeper's looks; each write is one that it can see, since SQLite skips one that changes nothing.
    let other = Store::open(f.dir.path()).unwrap();
    let wait = async {
        let mut written_s = 0;
        while !f.orchestrator.hub().running().is_empty() {
            written_s += 1;
            other.write(move |w| w.keep_retention_now(NOW.plus_s(-written_s))).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            if written_s == 2 {
                other.write(move |w| w.delete_snapshot(id)).await.unwrap();
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "the work was not stopped");
    keeper.abort();
    until("its files are gone", || f.files() == (vec![], 0)).await;
}

#[tokio::test]
async fn a_row_that_nobody_works_on_is_finished_by_the_second_sweep_that_finds_it() {
    let f = fixture();
    let (deployment, config) = (f.deployment, Arc::clone(&f.orchestrator.inner.config));
    let entered = f.store.write(move |w| {
        trigger::enter(w, &config, &Actor::command_line(), deployment, SnapshotOptions::default(), NOW, NOW)
    });
    let id = entered.await.unwrap().triggered.rows[0];
    let idle = sweep::finish_abandoned(&f.orchestrator.inner, BTreeSet::new()).await;
    assert_eq!(idle, BTreeSet::from([id]));
    assert_eq!(f.row(id).await.unwrap().item.status, Status::Processing);
    sweep::finish_abandoned(&f.orchestrator.inner, idle).await;
    let row = f.row(id).await.unwrap();
    assert_eq!((row.item.status, row.outcome), (Status::Completed, Some(Outcome::Interrupted)));
    assert!(f.text(id).contains("The appliance lost hold of this node's snapshot"));
    assert!(f.trigger().await.is_ok(), "the deployment is free again");
}
