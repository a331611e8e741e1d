//! A directory that somebody prepared.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{FileType, Mode};
use snapvisor::bundle::manifest::Label;
use snapvisor::bundle::plan::Plan;

use crate::directory::{content, labels, left_out, masked, put, save, unlimited, unmasked};
use crate::tools;

#[test]
fn links_pipes_and_sockets_are_listed_and_never_read() {
    let tree = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "secret", b"outside");
    put(tree.path(), "state/log", b"inside");
    symlink(outside.path().join("secret"), tree.path().join("state/info")).unwrap();
    symlink(outside.path(), tree.path().join("streams")).unwrap();
    symlink(".", tree.path().join("state/loop")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, tree.path().join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _socket = UnixListener::bind(tree.path().join("socket")).unwrap();
    let bundle = unmasked(Plan::of_path(tree.path()).unwrap(), &unlimited()).unwrap();
    assert_eq!(content(&bundle.zip).into_iter().collect::<Vec<_>>(), [("state/log".to_owned(), b"inside".to_vec())]);
    let mut listed = left_out(&bundle);
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            ("pipe", "special"),
            ("socket", "special"),
            ("state/info", "symlink"),
            ("state/loop", "symlink"),
            ("streams", "symlink")
        ]
    );
    assert!(bundle.section.complete, "what was never to be bundled is no loss");
}

#[test]
fn names_of_any_bytes_become_names_that_every_tool_can_write() {
    let tree = tempfile::tempdir().unwrap();
    let long = "n".repeat(255);
    let names: [&[u8]; 9] =
        [b"new\nline", b"..\\..\\up", b"not \xff utf-8", b"...", b"100%", b"-rf", b"C:", b"\x1b[2J", long.as_bytes()];
    for name in names {
        fs::write(tree.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let bundle = unmasked(Plan::of_path(tree.path()).unwrap(), &unlimited()).unwrap();
    let packed = content(&bundle.zip);
    let mut expected =
        vec!["%1B[2J", "%2E%2E%2E", "-rf", "..%5C..%5Cup", "100%25", "C%3A", "new%0Aline", "not %FF utf-8", &long];
    expected.sort_unstable();
    assert_eq!(packed.keys().collect::<Vec<_>>(), expected);
    let target = tempfile::tempdir().unwrap();
    let zip = target.path().join("names.zip");
    save(&bundle.zip, &zip);
    tools::test(&zip);
}

#[test]
fn private_keys_and_key_stores_become_notes() {
    let tree = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    put(tree.path(), "certs/server.key", b"anything");
    put(tree.path(), "certs/tls.pem", key.serialize_pem().as_bytes());
    put(tree.path(), "certs/blob", key.serialized_der());
    put(tree.path(), "store", b"\xfe\xed\xfe\xed\x00\x00\x00\x02");
    for bundle in [
        masked(Plan::of_path(tree.path()).unwrap(), &unlimited()).unwrap(),
        unmasked(Plan::of_path(tree.path()).unwrap(), &unlimited()).unwrap(),
    ] {
        let expected = ["certs/blob", "certs/server.key", "certs/tls.pem", "store"];
        assert_eq!(
            labels(&bundle).into_iter().collect::<Vec<_>>(),
            expected.map(|name| format!("{name}.excluded.txt")).each_ref().map(|name| (name.as_str(), Label::Excluded))
        );
        assert_eq!(left_out(&bundle), expected.map(|name| (name, "secret")));
        let packed = content(&bundle.zip);
        let note = String::from_utf8(packed["certs/server.key.excluded.txt"].clone()).unwrap();
        let said =
            "This file is not in the bundle: a key or secret store by its name.\nsize 8 bytes, mode 0644, owner ";
        assert!(note.starts_with(said), "{note}");
        for bytes in packed.values() {
            assert!(memchr::memmem::find(bytes, key.serialized_der()).is_none());
            assert!(memchr::memmem::find(bytes, b"PRIVATE KEY").is_none());
        }
    }
}

#[test]
fn packed_logs_that_are_bombs_or_no_text_become_notes() {
    let packed = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let tree = tempfile::tempdir().unwrap();
    let bomb = packed(&vec![b'a'; 64 << 20]);
    let half = packed(b"a line that is not whole\n");
    for (rotation, bytes) in
        [&bomb, &packed(&vec![0; 64 << 20]), &packed(&bomb), &half[..half.len() / 2].to_vec()].into_iter().enumerate()
    {
        put(tree.path(), &format!("logs/iggy-server.log.{rotation}.gz"), bytes);
    }
    let bundle = masked(Plan::of_path(tree.path()).unwrap(), &unlimited()).unwrap();
    let content = content(&bundle.zip);
    for (rotation, why) in [
        (0, "it unpacks to more than 200 times its size, or than 4 GiB"),
        (1, "packed data that is not text"),
        (2, "packed data that is not text"),
        (3, "it cannot be unpacked: "),
    ] {
        let note = &content[&format!("logs/iggy-server.log.{rotation}.gz.redaction-failed.txt")];
        let note = std::str::from_utf8(note).unwrap();
        assert!(note.starts_with(&format!("This file is not in the bundle: {why}")), "{note}");
    }
    assert_eq!(content.len(), 4);
    assert!(left_out(&bundle).iter().all(|(_, reason)| *reason == "redaction"), "{:?}", left_out(&bundle));
}

/// What another test runs as another user.
#[test]
#[ignore = "the child of a_file_that_may_not_be_read_is_listed"]
fn bundle_as_a_child() {
    let tree = std::env::var_os("SNAPVISOR_TEST_TREE").unwrap();
    let bundle = unmasked(Plan::of_path(Path::new(&tree)).unwrap(), &unlimited()).unwrap();
    println!("LEFT OUT {:?}", left_out(&bundle));
    println!("PACKED {:?}", content(&bundle.zip).keys().collect::<Vec<_>>());
}

#[test]
fn a_file_that_may_not_be_read_is_listed() {
    const NOBODY: u32 = 65_534;
    let tree = tempfile::tempdir().unwrap();
    fs::set_permissions(tree.path(), Permissions::from_mode(0o755)).unwrap();
    put(tree.path(), "open", b"x");
    let closed = put(tree.path(), "closed", b"x");
    let inside = put(tree.path(), "shut/inside", b"x");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(inside.parent().unwrap(), Permissions::from_mode(0o000)).unwrap();
    // The test's own program, copied to where anybody may run it; by another process, so that no test that forks at this
    // moment holds it open for writing.
    let program = tree.path().join("../").join(format!("snapvisor-test-{}", std::process::id()));
    assert!(Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap().success());
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&program);
    command.args(["--exact", "hostile::bundle_as_a_child", "--ignored", "--nocapture"]);
    command.env("SNAPVISOR_TEST_TREE", tree.path());
    if rustix::process::getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output();
    fs::remove_file(&program).unwrap();
    fs::set_permissions(inside.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    let output = output.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(r#"LEFT OUT [("shut", "unreadable"), ("closed", "unreadable")]"#), "{said}");
    assert!(said.contains(r#"PACKED ["open"]"#), "{said}");
}
