//! Data directories of real servers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;

use sha2::{Digest, Sha256};
use snapvisor::bundle::Payloads;
use snapvisor::bundle::data::DataBundleSpec;
use snapvisor::bundle::manifest::{Label, Sha256Digest};
use snapvisor::bundle::plan::Plan;

use crate::directory::{archived, content, files, labels, left_out, masked, recorded, unlimited, unmasked};
use crate::tools;

const SERVERS: [&str; 2] = ["iggy-0.8.0-clean", "iggy-0.8.0-killed"];

#[test]
fn a_clear_bundle_is_the_directory_byte_for_byte() {
    for server in SERVERS {
        let bundle = unmasked(Plan::of_path(&recorded(server)).unwrap(), &unlimited()).unwrap();
        assert_eq!(content(&bundle.zip), files(&recorded(server)));
        assert!(labels(&bundle).values().all(|label| *label == Label::NotRedacted));
        assert!(bundle.section.complete && bundle.section.left_out.is_empty());
        assert_eq!(bundle.section.layout, "0.8");
    }
}

#[test]
fn a_masked_bundle_has_every_file_and_changes_no_binary_but_the_journal() {
    for server in SERVERS {
        let before = files(&recorded(server));
        let bundle = masked(Plan::of_path(&recorded(server)).unwrap(), &unlimited()).unwrap();
        let after = content(&bundle.zip);
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        for (name, label) in labels(&bundle) {
            let (kind, same) = (name.rsplit('.').next().unwrap(), after[name] == before[name]);
            match name {
                "state/log" => {
                    assert_eq!(label, Label::Altered);
                    assert_eq!(after[name].len(), before[name].len());
                }
                "runtime/current_config.toml" | "logs/iggy-server.log" => assert_eq!(label, Label::Full, "{name}"),
                "state/info" => assert_eq!((label, same), (Label::Scanned, true)),
                _ if kind == "log" => assert_eq!((label, same), (Label::NotRedacted, true), "{name}"),
                _ => assert_eq!((label, same), (Label::Full, true), "{name}"),
            }
        }
        assert!(bundle.section.complete, "{:?}", left_out(&bundle));
    }
}

#[test]
fn the_manifest_states_the_digest_of_every_entry() {
    let bundle = masked(Plan::of_path(&recorded(SERVERS[0])).unwrap(), &unlimited()).unwrap();
    let after = content(&bundle.zip);
    for entry in &bundle.section.entries {
        let bytes = &after[entry.name.as_str()];
        assert_eq!(entry.size_bytes, bytes.len() as u64);
        assert_eq!(entry.sha256.0, <[u8; 32]>::from(Sha256::digest(bytes)), "{}", entry.name);
    }
    assert_eq!(bundle.section.size_bytes, after.values().map(|bytes| bytes.len() as u64).sum::<u64>());
}

#[test]
fn the_same_directory_gives_the_same_zip() {
    let once = || {
        let bundle = unmasked(Plan::of_path(&recorded(SERVERS[0])).unwrap(), &unlimited()).unwrap();
        let mut bytes = vec![0; usize::try_from(bundle.packed_bytes).unwrap()];
        bundle.zip.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    };
    assert!(once() == once(), "two runs differ");
}

#[test]
fn every_tool_accepts_the_archive_and_the_zip_in_it() {
    let target = tempfile::tempdir().unwrap();
    for server in SERVERS {
        let bundle = masked(Plan::of_path(&recorded(server)).unwrap(), &unlimited()).unwrap();
        let outer = target.path().join(format!("{server}.zip"));
        let summary = archived(&bundle, &outer);
        assert_eq!(summary.sha256.0, <[u8; 32]>::from(Sha256::digest(fs::read(&outer).unwrap())));
        tools::test(&outer);
        let inside: BTreeMap<_, _> = content(&fs::File::open(&outer).unwrap());
        assert_eq!(inside.keys().collect::<Vec<_>>(), ["iggy-data.zip", "manifest.json", "report.html", "report.json"]);
        let inner = target.path().join(format!("{server}-data.zip"));
        fs::write(&inner, &inside["iggy-data.zip"]).unwrap();
        tools::test(&inner);
        let manifest: serde_json::Value = serde_json::from_slice(&inside["manifest.json"]).unwrap();
        assert_eq!(
            manifest["files"][2]["sha256"],
            Sha256Digest(Sha256::digest(&inside["iggy-data.zip"]).into()).to_string()
        );
        let entries = manifest["iggy_data"]["entries"].as_array().unwrap();
        assert_eq!(entries.len(), bundle.section.entries.len());
    }
}

#[test]
fn without_payloads_segments_become_tables() {
    let spec = DataBundleSpec { payloads: Payloads::LeftOut, ..unlimited() };
    let bundle = masked(Plan::of_path(&recorded(SERVERS[1])).unwrap(), &spec).unwrap();
    let after = content(&bundle.zip);
    let name = "streams/0/topics/0/partitions/1/00000000000000070000.log";
    assert!(!after.contains_key(name));
    let table: serde_json::Value = serde_json::from_slice(&after[&format!("{name}.headers.json")]).unwrap();
    assert_eq!((&table["messages_count"], &table["end"]["bytes"]), (&5508.into(), &160.into()));
    let segment = files(&recorded(SERVERS[1])).remove(name).unwrap();
    let first_payload = &segment[64..184];
    for (name, bytes) in &after {
        assert!(memchr::memmem::find(bytes, first_payload).is_none(), "{name} holds a payload");
    }
}
