//! Mounts that answer, and those that do not.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::probe::{Answer, ask_by};
use super::*;
use crate::domain::gap::GapReason;

/// A child that speaks as ours does: the first mount never answers, the second does.
const HALF_SILENT: &str = r#"#!/bin/sh
echo "snapvisor mounts 1"
echo '{"at":1,"answer":{"space":{"total_bytes":10,"available_bytes":5,"inodes":0,"inodes_available":0}}}'
echo '{"at":99,"answer":"silent"}'
echo nonsense
exec sleep 60
"#;

fn program(folder: &tempfile::TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("child");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn two() -> Vec<Mount> {
    parse("1 2 0:51 / /mnt/dead rw - nfs4 filer:/a rw\n3 2 0:52 / /mnt/well rw - nfs4 filer:/b rw\n")
}

#[test]
fn a_mount_that_never_answers_costs_the_limit_and_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let answers = ask_by(&program(&folder, HALF_SILENT), &two(), Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(answers[0], ("/mnt/dead".to_owned(), Answer::Silent));
    assert!(matches!(answers[1].1, Answer::Space(space) if space.available_bytes == 5), "{answers:?}");
    let silent: Observed<_> = answers[0].1.clone().into();
    assert_eq!(silent.unwrap_err().reason, GapReason::Timeout);
}

#[test]
fn without_a_child_of_ours_only_our_own_devices_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mounts = parse("1 2 254:0 / / rw - ext4 /dev/vda rw\n3 2 0:52 / / rw - fuse.sshfs x rw\n");
    let wait = Duration::from_millis(300);
    for child in [program(&folder, "#!/bin/sh\necho running 0 tests\n"), PathBuf::from("/no/such/program")] {
        let answers = ask_by(&child, &mounts, wait);
        assert!(matches!(answers[0].1, Answer::Space(_)), "{answers:?}");
        assert_eq!(answers[1].1, Answer::NotAsked);
    }
}
