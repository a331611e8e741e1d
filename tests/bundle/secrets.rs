//! No secret of a real server leaves its data directory, in the ZIP as in the archive around it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use snapvisor::bundle::data::DataBundle;
use snapvisor::bundle::manifest::Label;
use snapvisor::bundle::plan::Plan;

use crate::directory::{archived, content, files, labels, left_out, masked, put, recorded, unlimited};

/// The secrets in the recorded directories; of a password hash its salt and its digest.
fn secrets() -> Vec<String> {
    let text = fs::read_to_string(recorded("secrets.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .flat_map(|line| match line.strip_prefix("$argon2id$v=19$m=19456,t=2,p=1$") {
            Some(hash) => hash.split('$').map(str::to_owned).collect(),
            None => vec![line.to_owned()],
        })
        .collect()
}

/// The forms in which a secret may hide.
fn forms(secret: &str) -> [Vec<u8>; 4] {
    let hex: String = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let json = serde_json::to_string(secret).unwrap();
    let base64 = BASE64_STANDARD.encode(secret);
    // The last characters of base64 depend on what follows.
    let base64 = base64.trim_end_matches('=').as_bytes()[..base64.len() / 4 * 4 - 4].to_vec();
    [secret.into(), json.trim_matches('"').into(), base64, hex.into()]
}

fn assert_none(name: &str, bytes: &[u8]) {
    for secret in secrets() {
        for form in forms(&secret) {
            assert!(memchr::memmem::find(bytes, &form).is_none(), "{name} holds {secret}");
        }
    }
}

fn bundled(tree: &Path) -> DataBundle {
    masked(Plan::of_path(tree).unwrap(), &unlimited()).unwrap()
}

#[test]
fn the_recorded_directories_do_hold_their_secrets() {
    let clean = files(&recorded("iggy-0.8.0-clean"));
    let holds = |name: &str, secret: &str| memchr::memmem::find(&clean[name], secret.as_bytes()).is_some();
    assert!(holds("runtime/current_config.toml", "jwt-enc-Secr3t-93hd8a7sd6f5g4h3"));
    assert!(holds("state/log", "7ojyilbLvZxOJBRRTUYfOcGkc53fG/r4qBO3JCHM9o8"));
    assert_eq!(secrets().len(), 16);
}

#[test]
fn no_secret_of_a_real_server_is_in_its_archive() {
    let target = tempfile::tempdir().unwrap();
    for server in ["iggy-0.8.0-clean", "iggy-0.8.0-killed"] {
        let bundle = bundled(&recorded(server));
        for (name, bytes) in content(&bundle.zip) {
            assert_none(&name, &bytes);
        }
        let path = target.path().join(server);
        archived(&bundle, &path);
        for (name, bytes) in content(&File::open(&path).unwrap()) {
            assert_none(&name, &bytes);
        }
    }
}

#[test]
fn the_journal_differs_in_its_password_hashes_alone() {
    for (server, hashes) in [("iggy-0.8.0-clean", 4), ("iggy-0.8.0-killed", 1)] {
        let before = &files(&recorded(server))["state/log"];
        let after = &content(&bundled(&recorded(server)).zip)["state/log"];
        assert_eq!(before.len(), after.len());
        let head = b"$argon2id$v=19$m=19456,t=2,p=1$";
        let starts: Vec<usize> = memchr::memmem::find_iter(before, head).map(|at| at + head.len()).collect();
        assert_eq!(starts.len(), hashes);
        let within = |place: usize| starts.iter().any(|start| (*start..*start + 66).contains(&place));
        for (place, (a, b)) in before.iter().zip(after).enumerate() {
            assert!(a == b || within(place), "byte {place} was changed");
        }
        for start in starts {
            assert_ne!(before[start..start + 22], after[start..start + 22], "a salt stands in clear");
            assert_ne!(before[start + 23..start + 66], after[start + 23..start + 66], "a hash stands in clear");
        }
    }
}

#[test]
fn the_masked_configuration_is_the_same_file_with_other_secrets() {
    let name = "runtime/current_config.toml";
    let before = String::from_utf8(files(&recorded("iggy-0.8.0-clean")).remove(name).unwrap()).unwrap();
    let after = String::from_utf8(content(&bundled(&recorded("iggy-0.8.0-clean")).zip).remove(name).unwrap()).unwrap();
    assert_eq!(before.lines().count(), after.lines().count());
    for (old, new) in before.lines().zip(after.lines()) {
        if old == new {
            continue;
        }
        let key = old.split(" = ").next().unwrap();
        assert!(["encoding_secret", "decoding_secret"].contains(&key), "{old} became {new}");
        assert!(new.starts_with(&format!("{key} = \"REDACTED-")), "{new}");
    }
    let table: toml::Table = after.parse().unwrap();
    let jwt = table["http"]["jwt"].as_table().unwrap();
    assert_eq!(jwt["encoding_secret"], jwt["decoding_secret"], "the same secret has the same mask");
}

#[test]
fn a_secret_of_one_file_is_masked_in_the_logs_of_another() {
    let tree = tempfile::tempdir().unwrap();
    let secret = "jwt-enc-Secr3t-93hd8a7sd6f5g4h3";
    let config = fs::read(recorded("iggy-0.8.0-clean/runtime/current_config.toml")).unwrap();
    put(tree.path(), "runtime/current_config.toml", &config);
    put(tree.path(), "state/info", b"\x92\x92\xa50.8.0\xa0\x90");
    let log = format!("INFO started\nWARN odd argument {secret} was given\nINFO going on\n");
    put(tree.path(), "logs/iggy-server.log", log.as_bytes());
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(log.as_bytes()).unwrap();
    put(tree.path(), "logs/iggy-server.log.1.gz", &packed.finish().unwrap());
    put(tree.path(), "unknown.bin", format!("\0\x01\x02 {secret} \0").as_bytes());
    put(tree.path(), "harmless.bin", b"\0\x01\x02 nothing to see \0");
    put(tree.path(), &format!("named-{secret}"), b"\0");
    let bundle = bundled(tree.path());
    let packed = content(&bundle.zip);
    for (name, bytes) in &packed {
        assert_none("a name", name.as_bytes());
        assert_none(name, bytes);
    }
    let mut unpacked = String::new();
    let gz = &packed["logs/iggy-server.log.1.gz"];
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(gz.as_slice()), &mut unpacked).unwrap();
    assert_eq!(unpacked.as_bytes(), packed["logs/iggy-server.log"], "the same log has the same masks");
    assert!(unpacked.starts_with("INFO started\nWARN odd argument REDACTED-"), "{unpacked}");
    let labels = labels(&bundle);
    assert_eq!(labels["harmless.bin"], Label::Scanned);
    assert_eq!(labels["unknown.bin.redaction-failed.txt"], Label::Failed);
    assert!(left_out(&bundle).contains(&("unknown.bin", "redaction")));
    let manifest = serde_json::to_string(&bundle.section).unwrap();
    assert_none("the manifest", manifest.as_bytes());
}

#[test]
fn a_secret_under_its_name_is_found_whatever_it_is_wrapped_in() {
    let tree = tempfile::tempdir().unwrap();
    let secrets = ["h8Kd-9Kq2xW", "w3Fz-7Lm3zR", "b6Yx-5Tv8nB", "p1Jc-2Hd6yG"];
    let [hole, wide, blob, pack] = secrets.map(|secret| format!("password={secret}\n"));
    put(tree.path(), "logs/connectors.log", &[&[0; 4096], hole.as_bytes()].concat());
    let utf16: Vec<u8> = format!("\u{feff}{wide}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(tree.path(), "notes.txt", &utf16);
    put(tree.path(), "blob", &[b"\0\x01\x02", blob.as_bytes(), b"\xff\0"].concat());
    // As Zstandard writes it: a frame with one block as it is.
    let length = u8::try_from(pack.len()).unwrap();
    let frame = [b"\x28\xb5\x2f\xfd\x20", &[length][..], &[length << 3 | 1, length >> 5, 0], pack.as_bytes()].concat();
    put(tree.path(), "logs/connectors.log.1.zst", &frame);
    put(tree.path(), "logs/all.log", format!("{}\n", secrets.join(" and ")).as_bytes());
    let bundle = bundled(tree.path());
    let packed = content(&bundle.zip);
    for (name, bytes) in &packed {
        let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        // What is only in a file that nobody can read here is not known.
        for secret in &secrets[..if name == "logs/all.log" { 3 } else { 4 }] {
            assert!(memchr::memmem::find(&narrow, secret.as_bytes()).is_none(), "{secret} is in {name}");
        }
    }
    let labels = labels(&bundle);
    assert_eq!([labels["logs/connectors.log"], labels["notes.txt"]], [Label::Full; 2]);
    assert_eq!(packed["notes.txt"].len() % 2, 0);
    for left_out in ["blob.redaction-failed.txt", "logs/connectors.log.1.zst.redaction-failed.txt"] {
        assert_eq!(labels[left_out], Label::Failed);
    }
}

#[test]
fn a_log_that_was_rewritten_between_the_passes_is_left_out() {
    use snapvisor::bundle::data;
    use snapvisor::redact::Policy;
    let tree = tempfile::tempdir().unwrap();
    put(tree.path(), "state/info", b"x");
    let log = put(tree.path(), "logs/iggy-server.log", b"INFO one\nINFO two\n");
    let mut plan = Plan::of_path(tree.path()).unwrap();
    let engine = crate::directory::learned(&mut plan, &unlimited());
    // In place, as `copytruncate` does.
    File::options().write(true).truncate(true).open(&log).unwrap().write_all(b"INFO six\nINFO ten\n").unwrap();
    let out = tempfile::tempfile().unwrap();
    let policy = Policy::Redact(&engine);
    let bundle = data::write(&mut plan, &unlimited(), &policy, out, &mut |_, _| ()).unwrap();
    assert_eq!(labels(&bundle)["logs/iggy-server.log.redaction-failed.txt"], Label::Failed);
    assert_eq!(left_out(&bundle), [("logs/iggy-server.log", "redaction")]);
    assert!(!bundle.section.complete);
}

#[test]
fn a_log_that_was_rotated_between_the_passes_is_still_there() {
    use snapvisor::bundle::data;
    use snapvisor::redact::Policy;
    let tree = tempfile::tempdir().unwrap();
    let log = put(tree.path(), "logs/iggy-server.log", b"INFO one\n");
    let mut plan = Plan::of_path(tree.path()).unwrap();
    let engine = crate::directory::learned(&mut plan, &unlimited());
    fs::rename(&log, log.with_extension("log.1")).unwrap();
    fs::write(&log, "INFO a new file\n").unwrap();
    let out = tempfile::tempfile().unwrap();
    let policy = Policy::Redact(&engine);
    let bundle = data::write(&mut plan, &unlimited(), &policy, out, &mut |_, _| ()).unwrap();
    assert_eq!(content(&bundle.zip)["logs/iggy-server.log"], b"INFO one\n");
    assert!(bundle.section.complete);
}
