//! What a start finds after a crash, step by step.

use super::*;
use crate::domain::snapshot::Outcome;

/// An appliance that ended while a row was at work, its files as `leave` makes them.
async fn crashed(leave: Leave) -> (Fixture, SnapshotId) {
    let f = fixture();
    let (config, deployment) = (Arc::clone(&f.orchestrator.inner.config), f.deployment);
    let entered = f.store.write(move |w| {
        let options = SnapshotOptions::default();
        trigger::enter(w, &config, &Actor::command_line(), deployment, options, NOW, NOW)
    });
    let id = entered.await.unwrap().triggered.rows[0];
    leave(&f, id);
    (f.restarted(), id)
}

/// Leaves files of a row behind.
type Leave = fn(&Fixture, SnapshotId);

#[tokio::test]
async fn a_row_at_work_ends_interrupted_whatever_its_files_were() {
    let leaves: [(&str, Leave); 4] = [
        ("no file", |_, _| {}),
        ("half a file", |f, id| std::fs::write(f.archives.partial_path(id), "half").unwrap()),
        ("a finished file", |f, id| std::fs::write(f.archives.path(id), "whole").unwrap()),
        ("both", |f, id| {
            std::fs::write(f.archives.partial_path(id), "half").unwrap();
            std::fs::write(f.archives.path(id), "whole").unwrap();
        }),
    ];
    for (what, leave) in leaves {
        let (f, id) = crashed(leave).await;
        let recovery = f.orchestrator.recover().await.unwrap();
        assert_eq!(recovery, Recovery { interrupted: vec![id], ..Recovery::default() }, "{what}");
        let row = f.row(id).await.unwrap();
        assert_eq!((row.item.status, row.outcome), (Status::Completed, Some(Outcome::Interrupted)), "{what}");
        assert!(f.text(id).starts_with("minimal: The appliance ended while this node was examined"), "{what}");
        assert_eq!(row.archive.unwrap().size_bytes, f.text(id).len() as u64, "{what}");
        assert_eq!(f.files(), (vec![id], 0), "{what}");
        // A start after that finds nothing to mend, and the next snapshot works.
        assert_eq!(f.orchestrator.recover().await.unwrap(), Recovery::default(), "{what}");
        f.over(f.trigger().await.unwrap().rows[0]).await;
    }
}

#[tokio::test]
async fn files_without_a_row_go_and_rows_without_a_file_are_told() {
    let f = fixture();
    let kept = f.over(f.trigger().await.unwrap().rows[0]).await.item.id;
    let lost = f.over(f.trigger().await.unwrap().rows[0]).await.item.id;
    f.archives.delete(lost).unwrap();
    let orphan = SnapshotId::new(77).unwrap();
    std::fs::write(f.archives.path(orphan), "whole").unwrap();
    std::fs::write(f.archives.partial_path(SnapshotId::new(78).unwrap()), "half").unwrap();
    std::fs::write(f.archives.partial_path(kept), "a leftover beside a finished one").unwrap();
    std::fs::write(f.dir.path().join("archives/77.zip.data"), "made, not yet unlinked").unwrap();
    std::fs::write(f.dir.path().join("archives/notes.txt"), "the operator's own").unwrap();
    let f = f.restarted();
    let recovery = f.orchestrator.recover().await.unwrap();
    let orphans = vec![kept, orphan, SnapshotId::new(78).unwrap()];
    assert_eq!(recovery, Recovery { interrupted: vec![], orphans, missing: vec![lost] });
    assert_eq!(f.files(), (vec![kept], 1), "what is not ours stays");
    assert_eq!(f.text(kept), "archive of iggy-01");
    assert_eq!(f.list().await.len(), 2);
}

#[tokio::test]
async fn a_full_disk_at_the_start_ends_the_row_all_the_same() {
    let (f, id) = crashed(|_, _| {}).await;
    f.fake.minimal_fails.store(true, Ordering::SeqCst);
    f.orchestrator.recover().await.unwrap();
    assert_eq!(f.row(id).await.unwrap().outcome, Some(Outcome::Lost));
    f.trigger().await.unwrap();
}
