//! The real binary on port 0, with its own examination of this host: what the contract promises from the trigger to the
//! archive's last byte, and what the log may say of it.

use std::io::Read;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::appliance::Appliance;
use crate::client::{Answer, Request};

#[test]
fn a_snapshot_of_this_host_goes_from_trigger_to_archive_and_is_gone_when_deleted() {
    let iggy = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/iggy-0.8.0-clean");
    let mut server = Appliance::with(&[("iggy.data_dir", iggy)]);
    let triggered = server.send(&server.request("POST", &server.snapshots("")));
    triggered.nothing();
    let name = triggered.header("ld-snapshot").unwrap().to_owned();
    let list = server.get(&server.snapshots("?page=1&results=10")).good();
    assert_eq!((&list["total_results"], &list["items"][0]["name"]), (&1.into(), &name.as_str().into()));
    server.wait_until_over();
    let item = server.newest();
    assert_eq!((&item["id"], &item["status"]), (&1.into(), &"completed".into()));
    assert!(item["completed_at"].is_string());
    let detail = server.get(&server.snapshots("/1")).good();
    assert_eq!(detail["outcome"], "examined", "{detail}");
    let link = server.link(1);
    let whole = Request::new("GET", &link).send(server.address);
    assert_eq!(whole.status, 200);
    assert_eq!(detail["size_bytes"], whole.body.len());
    let sha256 = Sha256::digest(&whole.body).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(detail["sha256"], sha256.as_str());
    assert_eq!(whole.header("etag"), Some(format!("\"{sha256}\"").as_str()));
    let part = Request::new("GET", &link).header("range", "bytes=10-19").send(server.address);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[10..20]));
    let disposition = format!("attachment; filename=\"{name}-{}.zip\"", detail["node_name"].as_str().unwrap());
    assert_eq!(whole.header("content-disposition"), Some(disposition.as_str()));
    check_archive(&whole.body, &["iggy-data.zip", "manifest.json", "report.html", "report.json"]);
    server.post(&server.snapshots(""), &serde_json::json!({"include_iggy": false})).nothing();
    server.wait_until_over();
    let without = Request::new("GET", &server.link(2)).send(server.address);
    check_archive(&without.body, &["manifest.json", "report.html", "report.json"]);
    server.delete(&server.snapshots("/2")).nothing();
    server.delete(&server.snapshots("/1")).nothing();
    Request::new("GET", &link).send(server.address).problem(404, "snapshot_not_found");
    assert_eq!(std::fs::read_dir(server.data_dir.join("archives")).unwrap().count(), 0);
    let (key, signature) = (server.key.clone(), link.split_once("signature=").unwrap().1.to_owned());
    server.ask_to_stop();
    server.wait_for_end();
    let log = server.log();
    assert!(!log.contains(&key[6..]) && !log.contains(&signature), "no secret reaches the log");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |answer: &Answer| {
        let id = answer.request_id();
        lines.iter().find(|line| line["request"] == id).unwrap_or_else(|| panic!("no line has {id}")).clone()
    };
    let answered = of(&triggered);
    assert_eq!((&answered["method"], &answered["status"]), (&"POST".into(), &204.into()));
    assert_eq!(answered["route"], "/deployments/{deployment_id}/snapshots");
    assert!(answered["key"].as_i64().unwrap() > 0 && answered["duration_ms"].is_f64());
    let answered = of(&whole);
    assert_eq!((&answered["route"], &answered["client"]), (&"/archives/{snapshot_id}".into(), &"127.0.0.1".into()));
}

/// Takes a snapshot and gives its `report.json`.
fn report(server: &Appliance) -> Value {
    server.send(&server.request("POST", &server.snapshots(""))).nothing();
    server.wait_until_over();
    let link = server.link(server.newest()["id"].as_i64().unwrap());
    let archive = Request::new("GET", &link).send(server.address).body;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    serde_json::from_reader(archive.by_name("report.json").unwrap()).unwrap()
}

#[test]
fn a_node_remembers_its_last_snapshot_and_tells_what_changed_since() {
    use std::os::unix::fs::PermissionsExt;

    let server = Appliance::start();
    let first = report(&server);
    assert_eq!(first["changes"], Value::Null);
    let kept = std::fs::read_dir(server.data_dir.join("last")).unwrap().map(|entry| entry.unwrap().path());
    let [kept] = kept.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(kept.file_stem().unwrap().to_str(), first["snapshot"]["ids"]["node"].as_str());
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    let second = report(&server);
    let changes = &second["changes"];
    assert_eq!(changes["since"], first["snapshot"]["name"]);
    assert_eq!(changes["since_taken_at"], first["snapshot"]["taken_at"]);
    let verdict = |report: &Value, id: &Value| -> Value {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| &check["id"] == id).map_or(Value::Null, |check| check["verdict"].clone())
    };
    // A measurement that passes at one time and informs at another is as well as before, and on a busy machine some do.
    let well = |verdict: &Value| verdict == "pass" || verdict == "info";
    let listed = |id: &Value| changes["checks"].as_array().unwrap().iter().any(|change| &change["id"] == id);
    for id in second["checks"].as_array().unwrap().iter().map(|check| &check["id"]) {
        let (before, after) = (verdict(&first, id), verdict(&second, id));
        let (moved, well) = (before != after, well(&before) && well(&after));
        assert!(listed(id) == moved || well && moved, "{id}: {before} and {after}");
    }
    for change in changes["checks"].as_array().unwrap() {
        assert_eq!(change["before"], verdict(&first, &change["id"]), "{change}");
        assert_eq!(change["after"], verdict(&second, &change["id"]), "{change}");
    }
}

/// Any unzip tool opens it, it holds these entries, and its manifest is right about all but itself.
fn check_archive(bytes: &[u8], expected: &[&str]) {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut names = Vec::new();
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        assert!(matches!(entry.compression(), zip::CompressionMethod::Stored | zip::CompressionMethod::Deflated));
        let name = entry.name().unwrap().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert!(!content.is_empty(), "{name}");
        let sha256 = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        names.push(name.clone());
        found.push((name, content.len(), sha256));
    }
    names.sort_unstable();
    assert_eq!(names, expected);
    let manifest: Value = serde_json::from_reader(archive.by_name("manifest.json").unwrap()).unwrap();
    let stated = manifest.to_string();
    for (name, length, sha256) in found.iter().filter(|(name, ..)| name != "manifest.json") {
        let file = manifest["files"].as_array().unwrap().iter().find(|file| file["name"] == name.as_str());
        let file = file.unwrap_or_else(|| panic!("{name} is not in {stated}"));
        assert_eq!((&file["size_bytes"], &file["sha256"]), (&(*length).into(), &sha256.as_str().into()), "{file}");
    }
}
