//! Snapshots: list, show, download, delete, expiry.

use std::num::NonZeroI64;

use serde_json::{Value, json};

use crate::appliance::{Appliance, now};
use crate::client::Request;
use crate::seed::{archive, row_id};
use crate::shape::{Bool, Count, Id, OneOf, Text, Time, is_time, list, object, page};

const NOTHING_TOLD: [(&str, &str); 1] = [("cache-control", "no-store")];

#[test]
fn the_list_has_exactly_the_contracts_fields() {
    let appliance = Appliance::start();
    let empty = appliance.get(&appliance.snapshots(""));
    assert_eq!(empty.text(), r#"{"items":[],"page":1,"total_results":0,"total_pages":0}"#);
    assert_eq!(empty.header("link"), None);
    let (id, name) = appliance.at_work();
    let at_work = appliance.get(&appliance.snapshots(""));
    let item = |status: &str, created: &str, completed: &str| {
        format!(
            r#"{{"items":[{{"id":1,"tenant_id":{},"division_id":{},"environment_id":{},"deployment_id":{},"node_id":{},"deployment_name":"local","name":"{name}","status":"{status}","created_at":{created},"completed_at":{completed}}}],"page":1,"total_results":1,"total_pages":1}}"#,
            appliance.tenant, appliance.division, appliance.environment, appliance.deployment, appliance.node
        )
    };
    let created = at_work.good()["items"][0]["created_at"].to_string();
    assert!(is_time(created.trim_matches('"')));
    assert_eq!(at_work.text(), item("processing", &created, "null"));
    appliance.complete(id);
    let over = appliance.get(&appliance.snapshots(""));
    let completed = over.good()["items"][0]["completed_at"].to_string();
    assert!(is_time(completed.trim_matches('"')));
    assert_eq!(over.text(), item("completed", &created, &completed));
    let link = format!(
        "<{0}{1}?page=1&results=10>; rel=\"first\", <{0}{1}?page=1&results=10>; rel=\"last\"",
        appliance.url,
        appliance.snapshots("")
    );
    let length = over.body.len().to_string();
    let told = [
        ("cache-control", "no-store"),
        ("content-length", &*length),
        ("content-type", "application/json"),
        ("link", &*link),
    ];
    assert_eq!(over.telling(), told);
}

#[test]
fn ids_beyond_two_to_the_53_are_numbers_to_the_last_digit() {
    let appliance = Appliance::start();
    appliance.taken();
    assert!(appliance.deployment.get() > 1 << 53);
    let text = appliance.get(&appliance.snapshots("")).text().to_owned();
    for (name, id) in [
        ("deployment_id", appliance.deployment.get()),
        ("tenant_id", appliance.tenant.get()),
        ("node_id", appliance.node),
    ] {
        assert!(text.contains(&format!("\"{name}\":{id},")), "{text}");
    }
}

#[test]
fn pages_follow_each_other_newest_first_and_links_lead_through_them() {
    let appliance = Appliance::start();
    for _ in 0..25 {
        appliance.lost();
    }
    let url = format!("{}{}", appliance.url, appliance.snapshots(""));
    let (mut seen, mut next) = (Vec::new(), Some(format!("{url}?page=1&results=10")));
    let mut pages = 0;
    while let Some(at) = next {
        let answer = appliance.get(at.strip_prefix(&appliance.url).unwrap());
        let body = answer.good();
        pages += 1;
        assert_eq!(
            (&body["page"], &body["total_results"], &body["total_pages"]),
            (&pages.into(), &25.into(), &3.into())
        );
        seen.extend(body["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()));
        let links = answer.header("link").unwrap().to_owned();
        let relations: Vec<&str> = links.split(", ").map(|link| link.split("rel=").nth(1).unwrap()).collect();
        let expected: &[&str] = match pages {
            1 => &["\"first\"", "\"next\"", "\"last\""],
            2 => &["\"first\"", "\"prev\"", "\"next\"", "\"last\""],
            _ => &["\"first\"", "\"prev\"", "\"last\""],
        };
        assert_eq!(relations, expected);
        next = links
            .split(", ")
            .find(|link| link.ends_with("rel=\"next\""))
            .map(|link| link.split_once('>').unwrap().0.trim_start_matches('<').to_owned());
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<i64>>());
    let past = appliance.get(&appliance.snapshots("?page=99&results=1000"));
    let told = past.good();
    assert_eq!(told, json!({"items": [], "page": 99, "total_results": 25, "total_pages": 1}));
    assert!(past.header("link").unwrap().contains("?page=1&results=100>; rel=\"prev\""));
}

#[test]
fn a_page_or_a_count_of_results_that_is_none_is_refused() {
    let appliance = Appliance::start();
    for (query, path) in [
        ("?page=0", "page"),
        ("?page=-1", "page"),
        ("?page=one", "page"),
        ("?page=", "page"),
        ("?results=0", "results"),
        ("?results=1e3", "results"),
    ] {
        let issues = appliance.get(&appliance.snapshots(query)).issues();
        assert_eq!(issues, [("invalid_value".to_owned(), path.to_owned())], "{query}");
    }
    for query in ["?page=1&page=2", "?results=5&results=5"] {
        assert_eq!(appliance.get(&appliance.snapshots(query)).issues()[0].0, "duplicate", "{query}");
    }
    assert_eq!(appliance.get(&appliance.snapshots("?page=0&results=0")).issues().len(), 2);
    appliance.get(&appliance.snapshots("?unknown=1&unknown=2")).good();
}

#[test]
fn the_detail_shows_the_row_its_archive_and_the_rows_beside_it() {
    let appliance = Appliance::start();
    appliance.add_node(appliance.deployment.get(), "host-2");
    let entered = appliance.next_entered();
    let name = entered.name.clone();
    appliance.enter(entered);
    let node =
        object(&[("id", Id), ("node_id", Id), ("node_name", Text), ("status", OneOf(&["processing", "completed"]))])
            .maybe(&[
                ("outcome", OneOf(&["examined", "failed", "interrupted", "lost"])),
                ("completed_at", Time),
                (
                    "progress",
                    object(&[
                        (
                            "stage",
                            OneOf(&["queued", "observing", "judging", "bundling", "rendering", "packing", "done"]),
                        ),
                        ("done", Count),
                        ("total", Count),
                    ]),
                ),
            ]);
    let counts = object(&[("fail", Count), ("warn", Count), ("pass", Count), ("info", Count), ("skip", Count)]);
    let detail = snapshot()
        .and(&[
            ("node_name", Text),
            ("redact_secrets", Bool),
            ("include_iggy", Bool),
            ("expires_at", Time),
            ("verdicts", counts),
            ("left_out", list(Text)),
            ("nodes", list(node)),
        ])
        .maybe(&[
            ("outcome", OneOf(&["examined", "failed", "interrupted", "lost"])),
            ("headline", Text),
            ("size_bytes", Count),
            ("sha256", Text),
        ]);
    let items = appliance.get(&appliance.snapshots("")).good()["items"].as_array().unwrap().clone();
    let ids: Vec<i64> = items.iter().map(|item| item["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [2, 1]);
    assert!(items.iter().all(|item| item["name"] == name.as_str()));
    let local = items.iter().find(|item| item["node_id"] == appliance.node).unwrap()["id"].as_i64().unwrap();
    let at_work = appliance.get(&appliance.snapshots(&format!("/{local}"))).good();
    detail.check(&at_work);
    assert_eq!(
        (&at_work["size_bytes"], &at_work["sha256"], &at_work["outcome"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(at_work["nodes"].as_array().unwrap().len(), 2);
    for id in &ids {
        appliance.complete(*id);
    }
    let over = appliance.get(&appliance.snapshots(&format!("/{local}"))).good();
    let other = ids.iter().find(|id| **id != local).unwrap();
    let beside = appliance.get(&appliance.snapshots(&format!("/{other}"))).good();
    assert_eq!(beside["nodes"], over["nodes"], "either row's id leads to the whole snapshot");
    detail.check(&over);
    assert_eq!(over["size_bytes"], archive().len());
    assert_eq!(over["verdicts"], json!({"fail": 0, "warn": 2, "pass": 30, "info": 4, "skip": 3}));
    assert_eq!(over["headline"], "2 checks need a look");
    assert_eq!(over["left_out"], json!(["iggy-data.zip: no data directory was found"]));
    assert!(over["nodes"].as_array().unwrap().iter().all(|node| node["status"] == "completed"));
    appliance.get(&appliance.snapshots("/999")).problem(404, "snapshot_not_found");
    appliance.get(&appliance.snapshots("/x")).problem(404, "snapshot_not_found");
}

pub fn snapshot() -> crate::shape::Shape {
    object(&[
        ("id", Id),
        ("tenant_id", Id),
        ("division_id", Id),
        ("environment_id", Id),
        ("deployment_id", Id),
        ("node_id", Id),
        ("deployment_name", Text),
        ("name", Text),
        ("status", OneOf(&["processing", "completed"])),
        ("created_at", Time),
    ])
    .maybe(&[("completed_at", Time)])
}

#[test]
fn a_list_fits_the_shape_that_clients_decode() {
    let appliance = Appliance::start();
    appliance.taken();
    page(snapshot()).check(&appliance.get(&appliance.snapshots("")).good());
}

#[test]
fn a_download_is_a_url_once_the_row_is_completed() {
    let appliance = Appliance::start();
    let (id, _) = appliance.at_work();
    let early = appliance.get(&appliance.snapshots("/1/download"));
    early.problem(409, "snapshot_not_completed");
    assert!(early.header("retry-after").is_some());
    appliance.complete(id);
    let answer = appliance.get(&appliance.snapshots("/1/download"));
    let body = answer.good();
    object(&[("url", Text)]).check(&body);
    assert!(body["url"].as_str().unwrap().starts_with(&format!("{}/archives/1?expires=", appliance.url)), "{body}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    appliance.get(&appliance.snapshots("/2/download")).problem(404, "snapshot_not_found");
}

#[test]
fn a_row_whose_archive_was_never_written_says_so_and_is_no_download() {
    let appliance = Appliance::start();
    let id = appliance.lost();
    let detail = appliance.get(&appliance.snapshots(&format!("/{id}"))).good();
    assert_eq!((&detail["status"], &detail["outcome"]), (&"completed".into(), &"lost".into()));
    assert_eq!((&detail["size_bytes"], &detail["sha256"]), (&Value::Null, &Value::Null));
    assert!(detail["headline"].as_str().unwrap().ends_with("could an archive that says so be written."));
    appliance.get(&appliance.snapshots(&format!("/{id}/download"))).problem(404, "archive_not_found");
    appliance.delete(&appliance.snapshots(&format!("/{id}"))).nothing();
    assert_eq!(appliance.rows(), 0);
}

#[test]
fn a_row_whose_archive_went_from_the_disk_is_no_download_and_neither_is_a_link_of_it() {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let link = appliance.link(id);
    let path = appliance.archives.path(row_id(id));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(7).unwrap();
    let download = appliance.snapshots(&format!("/{id}/download"));
    appliance.get(&download).problem(404, "archive_not_found");
    std::fs::remove_file(&path).unwrap();
    let reasons = [appliance.get(&download), Request::new("GET", &link).send(appliance.address)]
        .map(|answer| answer.problem(404, "archive_not_found"));
    assert!(reasons.iter().all(|reason| !reason.contains('/')), "{reasons:?}");
    assert_eq!(appliance.get(&appliance.snapshots(&format!("/{id}"))).good()["status"], "completed");
}

#[test]
fn a_deleted_row_is_gone_with_its_archive_and_every_url_of_it() {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let link = appliance.link(id);
    assert_eq!(Request::new("GET", &link).send(appliance.address).status, 200);
    let answer = appliance.delete(&appliance.snapshots(&format!("/{id}")));
    answer.nothing();
    assert_eq!(answer.telling(), NOTHING_TOLD);
    Request::new("GET", &link).send(appliance.address).problem(404, "snapshot_not_found");
    appliance.get(&appliance.snapshots(&format!("/{id}"))).problem(404, "snapshot_not_found");
    appliance.delete(&appliance.snapshots(&format!("/{id}"))).problem(404, "snapshot_not_found");
    let left = std::fs::read_dir(appliance.data_dir.join("archives")).unwrap().count();
    assert_eq!((left, appliance.rows()), (0, 0));
    assert!(appliance.taken() > id, "an id is never used twice");
}

#[test]
fn a_snapshot_of_another_deployment_is_not_found_under_this_one() {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let other = appliance.add_deployment(appliance.environment.get(), "other");
    for rest in ["", "/download"] {
        appliance.get(&format!("/deployments/{other}/snapshots/{id}{rest}")).problem(404, "snapshot_not_found");
    }
    appliance.delete(&format!("/deployments/{other}/snapshots/{id}")).problem(404, "snapshot_not_found");
    appliance.get(&appliance.snapshots(&format!("/{id}"))).good();
}

#[test]
fn a_removed_deployment_is_not_found() {
    let appliance = Appliance::start();
    appliance.command(&["deployment", "remove", &appliance.deployment.to_string(), "--yes"]);
    appliance.get(&appliance.snapshots("")).problem(404, "deployment_not_found");
    let none = NonZeroI64::MAX;
    appliance.get(&format!("/deployments/{none}/snapshots")).problem(404, "deployment_not_found");
}

#[test]
fn what_is_past_its_retention_is_off_the_list_at_once_and_off_the_disk_soon() {
    let mut appliance = Appliance::start();
    let kept = appliance.taken();
    let id = appliance.expired();
    let archive = appliance.archives.path(row_id(id));
    let list = appliance.get(&appliance.snapshots("")).good();
    assert_eq!((&list["total_results"], &list["items"][0]["id"]), (&1.into(), &kept.into()));
    for rest in ["", "/download"] {
        let path = appliance.snapshots(&format!("/{id}{rest}"));
        appliance.get(&path).problem(404, "snapshot_not_found");
    }
    appliance.delete(&appliance.snapshots(&format!("/{id}"))).problem(404, "snapshot_not_found");
    // A link that was given while it was there.
    let links = snapvisor::archive::Links::open(&appliance.data_dir).unwrap();
    let row = appliance.store.read_blocking(move |r| r.snapshot_by_id(row_id(id)));
    let sha256 = row.unwrap().unwrap().archive.unwrap().sha256_hex();
    let subject = snapvisor::archive::Subject { id: row_id(id), sha256: &sha256 };
    let link = format!("/archives/{id}?{}", links.sign(subject, now(), 300).0);
    Request::new("GET", &link).send(appliance.address).problem(404, "snapshot_not_found");
    assert!(archive.exists());
    // It is looked for every half minute, and when the server starts.
    appliance.restart();
    appliance.wait_for("the archive is off the disk", || !archive.exists());
    assert_eq!(appliance.rows(), 1);
}
