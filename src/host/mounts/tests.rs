//! Mounts that answer, and those that do not.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;

use super::probe::{Answer, ask_by};
use super::*;
use crate::domain::gap::GapReason;

/// How long these children are waited for when they only want a processor.
const PATIENCE: Duration = Duration::from_millis(500);

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
    let answers = ask_by(&program(&folder, HALF_SILENT), &two(), Duration::from_millis(300), PATIENCE);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(answers[0], ("/mnt/dead".to_owned(), Answer::Silent));
    assert!(matches!(answers[1].1, Answer::Space(space) if space.available_bytes == 5), "{answers:?}");
    let silent: Observed<_> = answers[0].1.clone().into();
    assert_eq!(silent.unwrap_err().reason, GapReason::Timeout);
}

/// As above, but the child never gets to the first mount: it runs, and is given no time.
const STARVED: &str = r#"#!/bin/sh
echo "snapvisor mounts 1"
echo '{"at":1,"answer":{"space":{"total_bytes":10,"available_bytes":5,"inodes":0,"inodes_available":0}}}'
while :; do :; done
"#;

#[test]
fn a_mount_that_nobody_got_to_is_not_called_silent() {
    let folder = tempfile::tempdir().unwrap();
    let answers = ask_by(&program(&folder, STARVED), &two(), Duration::from_millis(10), PATIENCE);
    assert_eq!(answers[0], ("/mnt/dead".to_owned(), Answer::NotAsked));
    assert!(matches!(answers[1].1, Answer::Space(_)), "{answers:?}");
}

#[test]
fn without_a_child_of_ours_only_our_own_devices_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mounts = parse("1 2 254:0 / / rw - ext4 /dev/vda rw\n3 2 0:52 / / rw - fuse.sshfs x rw\n");
    let wait = Duration::from_millis(300);
    for child in [program(&folder, "#!/bin/sh\necho running 0 tests\n"), PathBuf::from("/no/such/program")] {
        let answers = ask_by(&child, &mounts, wait, PATIENCE);
        assert!(matches!(answers[0].1, Answer::Space(_)), "{answers:?}");
        assert_eq!(answers[1].1, Answer::NotAsked);
    }
}

#[test]
fn a_hardened_service_sees_the_mounts_of_its_host_and_not_its_own_restrictions() {
    const HOST: &str = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n40 27 259:1 / /srv rw - xfs /dev/nvme0n1 rw\n";
    const SERVICE: &str = "127 1 254:0 / / ro,relatime - ext4 /dev/vda rw\n140 127 259:1 / /srv ro - xfs /dev/nvme0n1 rw\n\
                           141 127 254:0 /var/lib/snapvisor /var/lib/snapvisor rw - ext4 /dev/vda rw\n";
    const OURS: &str = "142 127 0:60 / /mnt/dead rw - fuse dead rw\n";
    const CONTAINER: &str = "127 1 0:77 / / rw,relatime - overlay overlay rw\n";
    let (with_ours, host_and_ours) = (format!("{SERVICE}{OURS}"), format!("{HOST}{OURS}"));
    for (own, first, expected) in [
        (SERVICE, Some(HOST), HOST),
        (with_ours.as_str(), Some(HOST), host_and_ours.as_str()),
        (HOST, Some(HOST), HOST),
        // Another root: the first process is the host's, and we are in a container.
        (CONTAINER, Some(HOST), CONTAINER),
        (SERVICE, None, SERVICE),
        ("", Some(HOST), ""),
    ] {
        let tree = tempfile::tempdir().unwrap();
        for (pid, table) in [("self", Some(own)), ("1", first)] {
            let Some(table) = table else { continue };
            let folder = tree.path().join("proc").join(pid);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("mountinfo"), table).unwrap();
        }
        let host = Host::recorded(tree.path()).unwrap();
        assert_eq!(of_host(&host).unwrap(), parse(expected), "{own} under {first:?}");
    }
}
