//! States that no command can make: a row that stays at work, one whose archive has known bytes or was lost, one past
//! its time. They are entered by the functions that the server itself uses, beside it.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use snapvisor::archive::{Archives, Links, Subject};
use snapvisor::domain::id::SnapshotId;
use snapvisor::domain::snapshot::{Outcome, Redaction, SnapshotOptions};
use snapvisor::domain::time::Timestamp;
use snapvisor::domain::verdict::VerdictCounts;
use snapvisor::store::{Completion, NewTrigger, Store, StoreError, StoredArchive};

use crate::appliance::{Appliance, now};

/// Seconds for which what is entered lives, unless said otherwise.
const LIVES_S: i64 = 90 * 86_400;

/// The archive of a row that was entered: of known content, and longer than a chunk of a stream.
pub fn archive() -> Vec<u8> {
    (0..=250_u8).cycle().take(300_000).collect()
}

/// The id as the functions of the store take it.
pub fn row_id(id: i64) -> SnapshotId {
    SnapshotId::new(id).unwrap()
}

/// When a snapshot was triggered and what it is called.
#[derive(Debug, Clone)]
pub struct Entered {
    pub name: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Appliance {
    /// A snapshot that was triggered an hour ago; each is a second younger than the last.
    pub fn next_entered(&self) -> Entered {
        let number = self.entered.fetch_add(1, Ordering::Relaxed);
        let created_at = now().plus_s(-3600 + number);
        Entered { name: format!("snapshot-20260101-{number:06}"), created_at, expires_at: created_at.plus_s(LIVES_S) }
    }

    /// Enters a snapshot whose rows, one per node, are at work; gives their ids.
    pub fn enter(&self, entered: Entered) -> Vec<i64> {
        let deployment_id = self.deployment;
        self.change(move |w| {
            let trigger = w.insert_trigger(&NewTrigger {
                deployment_id,
                name: entered.name,
                options: SnapshotOptions::default(),
                created_at: entered.created_at,
                expires_at: entered.expires_at,
            })?;
            let mut rows = Vec::new();
            for node in w.nodes(deployment_id)? {
                rows.push(w.insert_snapshot(trigger, &node)?.get());
            }
            Ok(rows)
        })
    }

    /// A row at work on which nobody works: it stays so. Gives its id and its name.
    pub fn at_work(&self) -> (i64, String) {
        let entered = self.next_entered();
        let name = entered.name.clone();
        (self.enter(entered)[0], name)
    }

    /// Ends a row at work with [`archive`].
    pub fn complete(&self, id: i64) {
        let id = row_id(id);
        let mut file = self.archives.begin(id).unwrap();
        file.write_all(&archive()).unwrap();
        let stored = self.archives.commit(id).unwrap();
        let sha256 = StoredArchive::sha256_from_hex(&stored.sha256).unwrap();
        let row = self.store.read_blocking(move |r| r.snapshot_by_id(id)).unwrap().unwrap();
        let redaction = row.options.redaction;
        self.end(
            id,
            Completion {
                outcome: Outcome::Examined,
                archive: Some(StoredArchive { size_bytes: stored.size_bytes, sha256, redaction }),
                headline: "2 checks need a look".to_owned(),
                left_out: vec!["iggy-data.zip: no data directory was found".to_owned()],
                counts: VerdictCounts { fail: 0, warn: 2, pass: 30, info: 4, skip: 3 },
            },
        );
    }

    fn end(&self, id: SnapshotId, completion: Completion) {
        let done = self.change(move |w| Ok(w.complete_snapshot(id, &completion, now())?));
        assert!(done, "the row is not at work");
    }

    /// A row that is over, with [`archive`].
    pub fn taken(&self) -> i64 {
        let (id, _) = self.at_work();
        self.complete(id);
        id
    }

    /// A row that is over, whose time is over too.
    pub fn expired(&self) -> i64 {
        let entered = self.next_entered();
        let id = self.enter(Entered { expires_at: now(), ..entered })[0];
        self.complete(id);
        id
    }

    /// A row of which not even a minimal archive could be written.
    pub fn lost(&self) -> i64 {
        let (id, _) = self.at_work();
        let headline = "The node did not answer. Nor could an archive that says so be written.".to_owned();
        let counts = VerdictCounts::default();
        let completion = Completion { outcome: Outcome::Lost, archive: None, headline, left_out: Vec::new(), counts };
        self.end(row_id(id), completion);
        id
    }
}

/// A completed row of the deployment `local` whose archive is a hole of this length; gives a link of it. The row has the
/// id only if the data directory has none yet.
pub fn sparse_link(data_dir: &Path, id: SnapshotId, length: u64) -> String {
    let store = Store::open(data_dir).unwrap();
    let archive = StoredArchive { size_bytes: length, sha256: [7; 32], redaction: Redaction::Masked };
    let expires_at = now().plus_s(LIVES_S);
    let entered = store.write_blocking(move |w| -> Result<SnapshotId, StoreError> {
        let tenant = w.tenants()?.remove(0).id;
        let deployment_id = w.deployments_of_tenant(tenant)?.remove(0).id;
        let name = "snapshot-20260101-999999".to_owned();
        let options = SnapshotOptions::default();
        let trigger = w.insert_trigger(&NewTrigger { deployment_id, name, options, created_at: now(), expires_at })?;
        let row = w.insert_snapshot(trigger, &w.nodes(deployment_id)?.remove(0))?;
        let completion = Completion {
            outcome: Outcome::Examined,
            archive: Some(archive),
            headline: "long".to_owned(),
            left_out: Vec::new(),
            counts: VerdictCounts::default(),
        };
        w.complete_snapshot(row, &completion, now())?;
        Ok(row)
    });
    assert_eq!(entered.unwrap(), id);
    let archives = Archives::open(data_dir).unwrap();
    archives.begin(id).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(archives.partial_path(id)).unwrap();
    file.set_len(length).unwrap();
    std::fs::rename(archives.partial_path(id), archives.path(id)).unwrap();
    let links = Links::open(data_dir).unwrap();
    let (query, _) = links.sign(Subject { id, sha256: &archive.sha256_hex() }, now(), 300);
    format!("/archives/{id}?{query}")
}
